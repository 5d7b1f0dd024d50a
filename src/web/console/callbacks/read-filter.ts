import { type Page, scopeOf } from '../parts/page.ts'
import { type CallbackFilter, callbackLists } from './callback-filter.ts'

/** The names in a query or form that say which callbacks are meant. */
export const filterNames = ['list', 'origin', 'from', 'to'] as const

/** Reads which callbacks are meant. What is not understood does not restrict. */
export function readFilter(page: Page, texts: Page['query'] = page.query): CallbackFilter {
  const list = callbackLists.find(one => one === texts.text('list')) ?? 'all'
  const hasTimes = list === 'all' || list === 'delivered'
  return {
    merchantId: scopeOf(page),
    list,
    origin: texts.text('origin') || null,
    from: hasTimes ? dayOf(texts.text('from')) : null,
    to: hasTimes ? dayOf(texts.text('to')) : null,
  }
}

/** Writes a filter for a query or form. */
export function filterTexts({ list, origin, from, to }: CallbackFilter): Record<string, string> {
  return { list, origin: origin ?? '', from: isoDay(from), to: isoDay(to) }
}

export function isoDay(at: Date | null): string {
  return at?.toISOString().slice(0, 10) ?? ''
}

function dayOf(text: string): Date | null {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : null
  return at && !Number.isNaN(at.getTime()) ? at : null
}
