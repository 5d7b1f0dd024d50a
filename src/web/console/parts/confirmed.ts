import { hasFactor } from '../../../people/second-factors.ts'
import { href, type Page, viewerOf } from './page.ts'

/** So long a second factor, or a password, counts for what asks for it again. */
const countsForMs = 5 * 60_000

/** Checks whether the second factor was given within the last minutes. */
export function isConfirmed({ viewer, now }: Pick<Page, 'viewer' | 'now'>): boolean {
  const at = viewer?.session.secondFactorAt
  return !!at && now.getTime() - at.getTime() < countsForMs
}

/**
 * Where somebody must go first who wants one more second factor: who has one gives it again, who has none the password, unless
 * the session has only begun.
 * @param path to come back to. @returns null: nowhere.
 */
export function proofFirst(page: Page, path: string): string | null {
  const { user, session } = viewerOf(page)
  const next = href(page, path)
  if (hasFactor(user)) return isConfirmed(page) ? null : href(page, '/confirm', { next })
  const { signedInAt } = session
  const isNew = signedInAt && page.now.getTime() - signedInAt.getTime() < countsForMs
  return isNew ? null : href(page, '/account/again', { next })
}
