import type { Page } from './page.ts'

/** Reads why somebody does something, from `ReasonField`. @returns null when it is empty, too long or not one line of text. */
export function readReason(page: Pick<Page, 'form'>): string | null {
  const reason = page.form.text('reason')
  return reason === '' || reason.length > 500 || /\p{Cc}/u.test(reason) ? null : reason
}
