import type { UserId } from '../../../base/ids.ts'
import { consolePath, href, type Page } from './page.ts'

/**
 * Begins a session under a new id, so that an id that somebody planted is worth nothing.
 * @param half the second factor is still missing.
 */
export async function beginSession(
  { request, address, now }: Page,
  userId: UserId,
  { half, secondFactor = false }: { half: boolean; secondFactor?: boolean },
): Promise<void> {
  await request.session.regenerate()
  request.session.person = {
    userId: `${userId}`,
    signedInAt: half ? null : now.getTime(),
    secondFactorAt: secondFactor ? now.getTime() : null,
    challenge: null,
    from: { address, userAgent: request.headers['user-agent'] ?? '' },
  }
}

/** Where to go after signing in or confirming: a page of ours that was asked for, or the overview. */
export function nextOf(page: Page): string {
  const next = page.query.text('next') || page.form.text('next')
  return /^\/console([/?][\x21-\x5b\x5d-\x7e]*)?$/.test(next) && next.length <= 2_000
    ? next
    : page.viewer
      ? href(page, '/')
      : consolePath
}
