import { UsageError } from '../../../base/errors.ts'
import type { UsdtUnits } from '../../../base/money.ts'
import { readTime } from '../../../base/read-time.ts'
import { beginningOfDay } from '../../../db/local-days.ts'
import type { Queryable } from '../../../db/pool.ts'
import { type OrderState, orderStates } from '../../../orders/order.ts'
import type { Locale } from '../../shell/locale.ts'
import type { Texts } from '../parts/page.ts'
import { plainTyped, readTypedAmount } from '../parts/typed-amount.ts'
import { type Zone, zoneOf } from '../parts/zones.ts'

// late: something was credited to the order after it expired. An order of any state may be late, but one that nothing was paid to.
export const listedStates = [...orderStates, 'late'] as const

export type ListedState = OrderState | 'late'

/** Which orders a page shows. null: any. */
export interface OrderListFilter {
  state: ListedState | null
  /** The merchant's id of the order, or ours. */
  order: string | null
  localusermark: string | null
  /** What it asks for, or has received. */
  amount: UsdtUnits | null
  /** Created at or after, and before. */
  from: Date | null
  to: Date | null
}

/** The names of the filter's values in a URL. */
export const orderFilterNames = ['state', 'order', 'user', 'amount', 'from', 'to', 'zone'] as const

export interface ReadOrderFilter {
  filter: OrderListFilter
  /** Whose days `from` and `to` name. */
  zone: Zone
  /** Values that cannot be read. They do not filter, so nothing may be shown. */
  wrong: ('state' | 'amount' | 'from' | 'to')[]
}

/** Reads the filter of a URL. `from` and `to` are days, both included, or times, as links have them. */
export async function readOrderFilter(db: Queryable, query: Texts, locale: Locale): Promise<ReadOrderFilter> {
  const wrong: ReadOrderFilter['wrong'] = []
  const zone = zoneOf(query.text('zone'), locale)
  const state = listedStates.find(one => one === query.text('state')) ?? null
  if (state === null && query.text('state') !== '') wrong.push('state')
  const typed = query.text('amount')
  const amount = readTypedAmount(plainTyped(typed.slice(0, 100))) ?? null
  if (amount === null && typed !== '') wrong.push('amount')
  const timeOf = async (name: 'from' | 'to') => {
    const text = query.text(name)
    if (text === '') return null
    try {
      const time = readTime(name, text)
      const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
      return isDay ? await beginningOfDay(db, text, zone, name === 'to' ? 1 : 0) : time
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      wrong.push(name)
      return null
    }
  }
  const filter = {
    ...{ state, amount, from: await timeOf('from'), to: await timeOf('to') },
    order: nameOf(query.text('order')),
    localusermark: nameOf(query.text('user')),
  }
  return { filter, zone, wrong }
}

/** A text with a null character can be no id, and the database takes none. */
function nameOf(text: string): string | null {
  return text === '' ? null : text.replaceAll('\0', '\ufffd')
}

/** A place in the list: when its order was created, in microseconds since 1970, and the order's id. */
export interface OrderPlace {
  micros: bigint
  id: bigint
}

/** Writes a place for a URL. */
export function formatOrderPlace({ micros, id }: OrderPlace): string {
  return `${micros}.${id}`
}

/** @returns null when the text is no place as we write it. */
export function readOrderPlace(text: string): OrderPlace | null {
  const [, micros, id] = /^(\d{1,16})\.(\d{1,18})$/.exec(text) ?? []
  return micros === undefined || id === undefined ? null : { micros: BigInt(micros), id: BigInt(id) }
}
