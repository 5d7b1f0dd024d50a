import { hasFactor, type Owner } from '../../../people/second-factors.ts'
import { userById } from '../../../people/user-store.ts'
import { authorOfPage, type Page, viewerOf } from '../parts/page.ts'

/** Who changes their own account. */
export function ownerOf(page: Page): Owner {
  const { user, sessionId } = viewerOf(page)
  return { user, sessionId, ...authorOfPage(page) }
}

/** Who has removed the last second factor has given none that still counts. */
export async function forgetProof(page: Page): Promise<void> {
  const user = await userById(page.context.pool, viewerOf(page).user.id)
  if (!user || !hasFactor(user)) page.request.session.person!.secondFactorAt = null
}
