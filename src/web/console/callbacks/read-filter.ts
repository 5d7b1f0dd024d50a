import { readTime } from '../../../base/read-time.ts'
import { beginningOfDay } from '../../../db/local-days.ts'
import { type Page, scopeOf } from '../parts/page.ts'
import { zoneOf } from '../parts/zones.ts'
import { type CallbackFilter, callbackLists } from './callback-filter.ts'

/** The names in a query or form that say which callbacks are meant. */
export const filterNames = ['list', 'origin', 'from', 'to', 'zone'] as const

export type FilterTexts = Record<(typeof filterNames)[number], string>

export interface ReadFilter {
  filter: CallbackFilter
  /** The same for a link or a form: what is not understood is not in it. */
  texts: FilterTexts
}

/** Reads which callbacks are meant. `from` and `to` are days in a zone, both included. What is not understood does not restrict. */
export async function readFilter(page: Page, query: Page['query'] = page.query): Promise<ReadFilter> {
  const { reads } = page.context
  const list = callbackLists.find(one => one === query.text('list')) ?? 'all'
  const origin = query.text('origin')
  const zone = zoneOf(query.text('zone'), page.locale)
  const hasTimes = list === 'all' || list === 'delivered'
  const [from, to] = [dayOf(query.text('from')), dayOf(query.text('to'))]
  const beginning = (day: string, later: number) =>
    hasTimes && day ? beginningOfDay(reads, day, zone, later) : null
  return {
    filter: {
      ...{ merchantId: scopeOf(page), list, origin: origin || null },
      ...{ from: await beginning(from, 0), to: await beginning(to, 1) },
    },
    texts: { list, origin, from, to, zone },
  }
}

/** @returns '' when the text is no day. */
function dayOf(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return ''
  try {
    readTime('day', text)
    return text
  } catch {
    return ''
  }
}
