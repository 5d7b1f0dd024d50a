import { UsageError } from '../../../base/errors.ts'
import { checkCallbackUrl } from '../../../egress/egress-guard.ts'
import { depositsNeedUrl } from '../../../merchants/callback-url.ts'
import type { ChangedBy } from '../../../merchants/change-merchant.ts'
import { ownersOf } from '../../../people/user-store.ts'
import { authorOfPage, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import { settingsWords } from './settings-words.ts'

/** Who changes a merchant here, and that its owners are told. */
export async function changedBy(page: Page): Promise<ChangedBy> {
  return { ...authorOfPage(page), tell: await ownersOf(page.context.reads, merchantOf(page).id) }
}

/** Checks URLs for callbacks as the command line does. */
export function urlCheckOf(page: Page): (url: string) => string | null {
  return url => checkCallbackUrl(url, page.context.config.callbackAllowedNetworks)
}

/** What a form is shown again with. */
export interface FormErrors {
  /** By the name of the field. */
  fields: Readonly<Record<string, string>>
  /** What concerns no field of it. */
  problem: string | undefined
}

export const noErrors: FormErrors = { fields: {}, problem: undefined }

/** How a problem of the command line begins, and which field it is about. */
const beginnings: readonly (readonly [start: string, field: string])[] = [
  ['callback URL', 'callbackUrl'],
  ['callback format', 'callbackFormat'],
  ['callback fields', 'callbackFields'],
  ['acknowledgement', 'acknowledgement'],
  ['allowed clients', 'allowedClients'],
  ['events', 'events'],
  ['display name', 'displayName'],
  ['accent', 'accent'],
  ['support URL', 'supportUrl'],
  ['frame ancestors', 'frameAncestors'],
  ['logo', 'logo'],
]

/** Sorts what is wrong to the fields of a form. @throws any error that is none of a person's. */
export function errorsOf(page: Page, error: unknown): FormErrors {
  if (!(error instanceof UsageError)) throw error
  const words = wordsOf(page, settingsWords)
  const fields: Record<string, string> = {}
  const others: string[] = []
  for (const problem of error.problems) {
    const field = beginnings.find(([start]) => problem.startsWith(start))?.[1]
    if (field === undefined) others.push(problem === depositsNeedUrl ? words.depositsNeedUrl : problem)
    // The first one of a field will do.
    else fields[field] ??= words.wrong[field] === undefined ? problem : `${words.wrong[field]}（${problem}）`
  }
  return { fields, problem: others.length > 0 ? others.join(' ') : undefined }
}
