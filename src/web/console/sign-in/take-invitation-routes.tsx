/** @jsxRuntime automatic @jsxImportSource preact */
import { type Invitation, invitationPath, invited } from '../../../people/invitation-store.ts'
import { hashPassword } from '../../../people/password.ts'
import { hasFactor } from '../../../people/second-factors.ts'
import { needsAccount, takeAsUser, takeWithPassword } from '../../../people/take-invitation.ts'
import { readName, userById } from '../../../people/user-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { consolePath, href, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute, ShownPage } from '../parts/route.ts'
import { beginSession } from '../parts/sign-in-session.ts'
import { newPasswordErrors } from './new-password.ts'
import { signInWords } from './sign-in-words.ts'

/** Links that were handed to a person: to an account, to more rights, or to a new password. */
export const takeInvitationRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/invitation/:token', who: 'anyone', handle: async page => showInvitation(page) },
  { method: 'POST', path: '/invitation/:token', who: 'anyone', handle: takeInvitation },
]

type InvitationErrors = Partial<Record<'name' | 'password' | 'again', string>>

/** Shows what a link is for. It uses nothing up: programs that look at links in mails do that too. */
async function showInvitation(page: Page, errors: InvitationErrors = {}): Promise<Answer> {
  const words = wordsOf(page, signInWords)
  const token = page.params.token!
  const found = await invited(page.context.reads, token)
  if (!found) return gone(page)
  if (needsAccount(found)) return showJoin(page, found)
  const title = found.hasPassword ? words.resetTitle : words.invitationTitle
  return {
    ...{ title, nav: null, status: Object.keys(errors).length > 0 ? 400 : 200 },
    body: (
      <section class="card">
        <h1>{title}</h1>
        <p>{words.invitationFor(found.email)}</p>
        <Form page={page} action={`${consolePath}/invitation/${token}`}>
          {/* For password managers. */}
          <input type="hidden" name="email" value={found.email} autocomplete="username" />
          <Field
            {...{ label: words.name, name: 'name', hint: words.nameHint, error: errors.name, required: true }}
            value={page.form.text('name') || found.name}
            autocomplete="name"
            maxLength={100}
          />
          <Field
            {...{ label: words.newPassword, name: 'password', type: 'password', required: true }}
            {...{ hint: words.passwordHint, error: errors.password, autocomplete: 'new-password' }}
          />
          <Field
            {...{ label: words.again, name: 'again', type: 'password', required: true, error: errors.again }}
            autocomplete="new-password"
          />
          <Submit>{words.accept}</Submit>
        </Form>
      </section>
    ),
  }
}

async function takeInvitation(page: Page): Promise<Answer> {
  const { pool, reads } = page.context
  const words = wordsOf(page, signInWords)
  const token = page.params.token!
  const found = await invited(reads, token)
  if (!found) return gone(page)
  if (needsAccount(found)) return join(page, found)
  const name = readName(page.form.text('name'))
  const [password = ''] = page.form.all('password')
  const errors: InvitationErrors = { ...(!name && { name: words.nameWrong }), ...newPasswordErrors(page) }
  if (!name || Object.keys(errors).length > 0) return showInvitation(page, errors)
  const hash = await hashPassword(password, { by: page.client, known: true })
  const userId = await takeWithPassword(pool, token, { name, hash, address: page.address })
  if (userId === null) return gone(page)
  const user = await userById(pool, userId)
  const half = user !== null && hasFactor(user)
  await beginSession(page, userId, { half })
  if (!half) page.browser.remember({ id: userId, password: hash })
  return { goTo: half ? `${consolePath}/sign-in/code` : consolePath }
}

/** Whether it is their own account that the viewer has signed in to, and not half. */
const isOwnLink = ({ viewer }: Page, { userId }: Invitation): boolean =>
  viewer?.user.id === userId && viewer.session.signedInAt !== null

/** A link to more rights for an account that exists: who has it signs in first. */
function showJoin(page: Page, found: Invitation): ShownPage {
  const words = wordsOf(page, signInWords)
  const { roles } = commonWords(page)
  const path = invitationPath(page.params.token!)
  const what =
    found.rights && 'role' in found.rights
      ? words.joinAs(found.merchantName ?? '', roles[found.rights.role])
      : words.joinGateway
  return {
    ...{ title: words.joinTitle, nav: null },
    body: (
      <section class="card">
        <h1>{words.joinTitle}</h1>
        <p>{words.invitationFor(found.email)}</p>
        <p>{what}</p>
        {isOwnLink(page, found) ? (
          <Form page={page} action={path}>
            <Submit>{words.accept}</Submit>
          </Form>
        ) : (
          <>
            <p>{page.viewer ? words.joinOther(page.viewer.user.email) : words.joinSignIn}</p>
            {page.viewer ? (
              <Form page={page} action={href(page, '/sign-out')}>
                <Submit plain>{commonWords(page).signOut}</Submit>
              </Form>
            ) : (
              <p>
                <a class="button" href={href(page, '/sign-in', { next: path })}>
                  {words.signIn}
                </a>
              </p>
            )}
          </>
        )}
      </section>
    ),
  }
}

async function join(page: Page, found: Invitation): Promise<Answer> {
  if (!isOwnLink(page, found)) return showJoin(page, found)
  const { viewer, context, params } = page
  if (!(await takeAsUser(context.pool, params.token!, viewer!.user.id, page.address))) return gone(page)
  const merchant = found.appid ? `?merchant=${encodeURIComponent(found.appid)}` : ''
  return { goTo: consolePath + merchant }
}

function gone(page: Page): ShownPage {
  const words = wordsOf(page, signInWords)
  return {
    ...{ title: words.gone, status: 404, nav: null },
    body: (
      <section class="card">
        <h1>{words.gone}</h1>
        <p>{words.goneText}</p>
      </section>
    ),
  }
}
