import { sessionName } from '../../../people/session-store.ts'
import type { Trier } from '../../../people/sign-in-limits.ts'
import { passwordOf } from '../../../people/user-store.ts'
import { type Page, viewerOf } from '../parts/page.ts'

/** Who tries a code, or the password again, in a session. Where only the password was given, the session says nothing of who it is. */
export async function trierOf(page: Page, what: Trier['what']): Promise<Trier> {
  const { user, session, sessionId } = viewerOf(page)
  const { email } = user
  const own = session.signedInAt
    ? `session ${sessionName(sessionId)}`
    : page.browser.nameFor(await passwordOf(page.context.pool, email))
  return { address: page.client, email, what, own }
}
