/** @jsxRuntime automatic @jsxImportSource preact */
import { changePassword } from '../../../people/change-password.ts'
import { hashPassword, isPassword } from '../../../people/password.ts'
import { hasFactor } from '../../../people/second-factors.ts'
import { tryToSignIn, turnOf } from '../../../people/sign-in-limits.ts'
import { passwordOf } from '../../../people/user-store.ts'
import { proofFirst } from '../parts/confirmed.ts'
import { Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { href, type Page, viewerOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { nextOf } from '../parts/sign-in-session.ts'
import { newPasswordErrors } from '../sign-in/new-password.ts'
import { signInWords } from '../sign-in/sign-in-words.ts'
import { trierOf } from '../sign-in/trier-of.ts'
import { accountWords } from './account-words.ts'
import { ownerOf } from './own-account.ts'

export const ownPasswordRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/account/password', who: 'signed in', handle: async page => showPassword(page) },
  { method: 'POST', path: '/account/password', who: 'signed in', handle: takePassword },
  { method: 'GET', path: '/account/again', who: 'signed in', handle: async page => showAgain(page) },
  { method: 'POST', path: '/account/again', who: 'signed in', handle: takeAgain },
]

type PasswordErrors = Partial<Record<'old' | 'password' | 'again', string>>

/** Who has a second factor gives it again: a session and the password together lock nobody out of their account. */
const factorFirst = (page: Page): string | null =>
  hasFactor(viewerOf(page).user) ? proofFirst(page, '/account/password') : null

function showPassword(page: Page, errors: PasswordErrors = {}, status = 400): Answer {
  const first = factorFirst(page)
  if (first) return { goTo: first }
  const words = wordsOf(page, accountWords)
  const { passwordHint } = wordsOf(page, signInWords)
  return {
    ...{ title: words.change, status: Object.keys(errors).length > 0 ? status : 200 },
    body: (
      <section class="card">
        <h1>{words.change}</h1>
        <p>{words.passwordNote}</p>
        <Form page={page} action={href(page, '/account/password')}>
          <UserName page={page} />
          <Field
            {...{
              label: words.oldPassword,
              name: 'old',
              type: 'password',
              required: true,
              error: errors.old,
            }}
            autocomplete="current-password"
          />
          <Field
            {...{ label: words.newPassword, name: 'password', type: 'password', required: true }}
            {...{ hint: passwordHint, error: errors.password, autocomplete: 'new-password' }}
          />
          <Field
            {...{ label: words.again, name: 'again', type: 'password', required: true, error: errors.again }}
            autocomplete="new-password"
          />
          <Submit>{words.change}</Submit>
        </Form>
      </section>
    ),
  }
}

async function takePassword(page: Page): Promise<Answer> {
  const first = factorFirst(page)
  if (first) return { goTo: first }
  const [password = ''] = page.form.all('password')
  const errors = newPasswordErrors(page)
  if (Object.keys(errors).length > 0) return showPassword(page, errors)
  const refused = await checkOwnPassword(page, 'old')
  if (refused) return showPassword(page, { old: refused.problem }, refused.status)
  const { pool } = page.context
  const owner = ownerOf(page)
  const hash = await hashPassword(password, turnOf(await trierOf(page, 'password')))
  const changed = await changePassword(pool, owner, hash)
  if (changed) page.browser.remember({ id: owner.user.id, password: hash })
  return { goTo: href(page, '/account', { done: changed ? 'password' : null }) }
}

function showAgain(page: Page, error?: string, status = 200): Answer {
  const words = wordsOf(page, accountWords)
  return {
    ...{ title: words.proofTitle, status },
    body: (
      <section class="card">
        <h1>{words.proofTitle}</h1>
        <p>{words.proofText}</p>
        <Form page={page} action={href(page, '/account/again', { next: page.query.text('next') })}>
          <UserName page={page} />
          <Field
            {...{ label: words.password, name: 'password', type: 'password', required: true, error }}
            autocomplete="current-password"
            autofocus
          />
          <Submit>{words.goOn}</Submit>
        </Form>
      </section>
    ),
  }
}

/** The password again: the session counts as one that has only begun. It replaces no second factor. */
async function takeAgain(page: Page): Promise<Answer> {
  const refused = await checkOwnPassword(page, 'password')
  if (refused) return showAgain(page, refused.problem, refused.status)
  page.request.session.person!.signedInAt = page.now.getTime()
  return { goTo: nextOf(page) }
}

/** Checks the viewer's own password; wrong ones count as failed sign-ins. @returns null when it is right. */
async function checkOwnPassword(
  page: Page,
  field: string,
): Promise<{ problem: string; status: number } | null> {
  const { pool } = page.context
  const { email } = viewerOf(page).user
  const by = await trierOf(page, 'password')
  const tried = await tryToSignIn(pool, by, async () => {
    const found = await passwordOf(pool, email)
    return isPassword(page.form.all(field)[0] ?? '', found?.password ?? null, turnOf(by))
  })
  if (tried === 'right') return null
  if (tried === 'wrong') return { problem: wordsOf(page, accountWords).passwordWrong, status: 401 }
  return { problem: wordsOf(page, signInWords).wait(Math.ceil(tried.waitS / 60)), status: 429 }
}

/** For password managers. */
function UserName({ page }: { page: Page }) {
  return <input type="hidden" name="email" value={viewerOf(page).user.email} autocomplete="username" />
}
