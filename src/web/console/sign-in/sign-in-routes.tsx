/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError, UsageError } from '../../../base/errors.ts'
import type { UserId } from '../../../base/ids.ts'
import { recordAudit } from '../../../db/audit-store.ts'
import { inTransaction } from '../../../db/pool.ts'
import { optionsToUse, usePasskey } from '../../../people/passkeys.ts'
import { isPassword } from '../../../people/password.ts'
import { useRecoveryCode, useTotp } from '../../../people/second-factor-store.ts'
import { hasFactor } from '../../../people/second-factors.ts'
import {
  forgiveFailures,
  type Tried,
  type Trier,
  tryToSignIn,
  turnOf,
} from '../../../people/sign-in-limits.ts'
import { passwordOf, readEmail, setLocale, userByEmail, userById } from '../../../people/user-store.ts'
import { locales } from '../../shell/locale.ts'
import { Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { consolePath, href, type Page, refererOf, viewerOf, wordsOf } from '../parts/page.ts'
import { challengedSession, PasskeyForm, passkeyAnswerOf, siteOf } from '../parts/passkey-form.tsx'
import type { Answer, ConsoleRoute, ShownPage } from '../parts/route.ts'
import { beginSession, nextOf } from '../parts/sign-in-session.ts'
import { signInWords } from './sign-in-words.ts'
import { takeInvitationRoutes } from './take-invitation-routes.tsx'
import { trierOf } from './trier-of.ts'

export const signInRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/sign-in', who: 'anyone', handle: async page => showSignIn(page) },
  { method: 'POST', path: '/sign-in', who: 'anyone', handle: signIn },
  { method: 'GET', path: '/sign-in/code', who: 'half', handle: async page => showCode(page) },
  { method: 'POST', path: '/sign-in/code', who: 'half', handle: giveCode },
  { method: 'POST', path: '/sign-in/code/options', who: 'half', handle: passkeyOptions('sign-in') },
  { method: 'POST', path: '/sign-in/code/passkey', who: 'half', handle: takePasskey('sign-in', enter) },
  { method: 'GET', path: '/confirm', who: 'signed in', handle: async page => showConfirm(page) },
  { method: 'POST', path: '/confirm', who: 'signed in', handle: confirm },
  { method: 'POST', path: '/confirm/options', who: 'signed in', handle: passkeyOptions('confirm') },
  {
    ...{ method: 'POST', path: '/confirm/passkey', who: 'signed in' },
    handle: takePasskey('confirm', async page => confirmed(page)),
  },
  { method: 'POST', path: '/sign-out', who: 'half', handle: signOut },
  ...takeInvitationRoutes,
  { method: 'POST', path: '/language', who: 'signed in', handle: chooseLanguage },
]

/** What the forms of signing in pass on: where to go afterwards, and a language that was chosen. */
const keptOf = ({ query }: Page) => ({ next: query.text('next'), lang: query.text('lang') })

function showSignIn(page: Page, problem?: string, status = 200): Answer {
  if (page.viewer?.session.signedInAt) return { goTo: nextOf(page) }
  const words = wordsOf(page, signInWords)
  return {
    ...{ title: words.title, status, problem, nav: null },
    body: (
      <section class="card">
        <h1>{words.title}</h1>
        <Form page={page} action={href(page, '/sign-in', keptOf(page))}>
          <Field
            {...{
              label: words.email,
              name: 'email',
              type: 'email',
              autocomplete: 'username',
              required: true,
            }}
            value={page.form.text('email')}
            autofocus
          />
          <Field
            {...{ label: words.password, name: 'password', type: 'password', required: true }}
            autocomplete="current-password"
          />
          <Submit>{words.signIn}</Submit>
        </Form>
      </section>
    ),
  }
}

/** An account that does not exist, one that is disabled and a wrong password get the same answer after the same work. */
async function signIn(page: Page): Promise<Answer> {
  const { pool } = page.context
  const words = wordsOf(page, signInWords)
  const email = readEmail(page.form.text('email')) ?? ''
  const [password = ''] = page.form.all('password')
  const found = await passwordOf(pool, email)
  const own = page.browser.nameFor(found)
  const by: Trier = { address: page.client, email, what: 'password', own }
  const tried = await tryToSignIn(pool, by, async () => {
    const stored = found && !found.disabled ? found.password : null
    const isRight = await isPassword(password, stored, turnOf(by))
    // Checking takes a while, longer when many sign in. A password that was changed meanwhile opens nothing.
    const now = isRight ? await passwordOf(pool, email) : null
    return now !== null && !now.disabled && now.password === found?.password
  })
  if (tried !== 'right') return showSignIn(page, refusalOf(page, tried, words.wrong), statusOf(tried))
  const user = (await userByEmail(pool, email))!
  await beginSession(page, user.id, { half: hasFactor(user) })
  if (hasFactor(user)) return { goTo: href(page, '/sign-in/code', keptOf(page)) }
  await signedIn(page, by, user.id)
  return { goTo: nextOf(page) }
}

const statusOf = (tried: Exclude<Tried, 'right'>): number => (tried === 'wrong' ? 401 : 429)

function refusalOf(page: Page, tried: Exclude<Tried, 'right'>, wrong: string): string {
  return tried === 'wrong' ? wrong : wordsOf(page, signInWords).wait(Math.ceil(tried.waitS / 60))
}

/** @param by who tried, and was right. */
async function signedIn(page: Page, by: Trier, userId: UserId): Promise<void> {
  const { pool } = page.context
  const { email } = by
  await forgiveFailures(pool, by)
  await inTransaction(pool, async tx => {
    const user = await userById(tx, userId)
    await recordAudit(tx, {
      actor: `${user!.name} <${email}>`,
      action: 'person.signed_in',
      subject: `person ${email}`,
      address: page.address,
    })
  })
  page.browser.remember((await passwordOf(pool, email))!)
}

function codeForm(page: Page, path: string) {
  const words = wordsOf(page, signInWords)
  return (
    <Form page={page} action={href(page, path, keptOf(page))}>
      <Field
        {...{ label: words.code, name: 'code', hint: words.codeHint, required: true, maxLength: 40 }}
        autocomplete="one-time-code"
        autofocus
      />
      <Submit>{words.confirm}</Submit>
    </Form>
  )
}

/** Forms for each second factor that the viewer has. */
function factorForms(page: Page, path: '/sign-in/code' | '/confirm') {
  const words = wordsOf(page, signInWords)
  return (
    <>
      {viewerOf(page).user.passkeys > 0 && siteOf(page) && (
        <PasskeyForm
          {...{ page, does: 'get', action: href(page, `${path}/passkey`, keptOf(page)) }}
          options={href(page, `${path}/options`)}
          {...{ failed: words.passkeyFailed, without: words.passkeyScript }}
        >
          <Submit>{words.usePasskey}</Submit>
        </PasskeyForm>
      )}
      {codeForm(page, path)}
    </>
  )
}

function showCode(page: Page, problem?: string, status = 200): Answer {
  if (viewerOf(page).session.signedInAt) return { goTo: nextOf(page) }
  const words = wordsOf(page, signInWords)
  return {
    ...{ title: words.codeTitle, status, problem, nav: null },
    body: (
      <section class="card">
        <h1>{words.codeTitle}</h1>
        {factorForms(page, '/sign-in/code')}
      </section>
    ),
  }
}

async function giveCode(page: Page): Promise<Answer> {
  if (viewerOf(page).session.signedInAt) return { goTo: nextOf(page) }
  const tried = await checkCode(page)
  if (tried !== 'right') {
    const { codeWrong } = wordsOf(page, signInWords)
    return showCode(page, refusalOf(page, tried, codeWrong), statusOf(tried))
  }
  return { goTo: await enter(page) }
}

/** The second factor is right: a new session, with everything. @returns where to go. */
async function enter(page: Page): Promise<string> {
  const { user } = viewerOf(page)
  const by = await trierOf(page, 'code')
  await beginSession(page, user.id, { half: false, secondFactor: true })
  await signedIn(page, by, user.id)
  return nextOf(page)
}

/** Checks a one-time code or a recovery code; wrong ones count as failed sign-ins. */
async function checkCode(page: Page): Promise<Tried> {
  const { pool, config } = page.context
  const { user } = viewerOf(page)
  const code = page.form.text('code')
  return tryToSignIn(
    pool,
    await trierOf(page, 'code'),
    async () =>
      (await useTotp(pool, config.masterKey, user.id, code)) || (await useRecoveryCode(pool, user.id, code)),
  )
}

/** Gives what a passkey is to sign. */
function passkeyOptions(purpose: 'sign-in' | 'confirm') {
  return async (page: Page): Promise<Answer> => {
    const { user } = viewerOf(page)
    const site = siteOf(page)
    if (!site || user.passkeys === 0) throw new GatewayError('not_found', 'no passkeys of theirs here')
    const session = challengedSession(page)
    return { json: await optionsToUse(page.context.pool, site, { user, session, purpose }) }
  }
}

/** Takes what a passkey has signed. @param then what it opens. */
function takePasskey(purpose: 'sign-in' | 'confirm', then: (page: Page) => Promise<string>) {
  return async (page: Page): Promise<Answer> => {
    const words = wordsOf(page, signInWords)
    const { pool } = page.context
    const { user } = viewerOf(page)
    const [site, response, session] = [siteOf(page), passkeyAnswerOf(page), challengedSession(page)]
    if (!site || response === undefined) throw new UsageError(words.passkeyScript)
    const tried = await tryToSignIn(pool, await trierOf(page, 'code'), () =>
      usePasskey(pool, site, { user, session, purpose, response }),
    )
    if (tried === 'right') return { json: { goTo: await then(page) } }
    return { json: { problem: refusalOf(page, tried, words.passkeyFailed) }, status: statusOf(tried) }
  }
}

function showConfirm(page: Page, problem?: string, status = 200): ShownPage {
  const words = wordsOf(page, signInWords)
  const canConfirm = hasFactor(viewerOf(page).user)
  return {
    ...{ title: words.confirmTitle, status, problem },
    body: (
      <section class="card">
        <h1>{words.confirmTitle}</h1>
        <p>{canConfirm ? words.confirmText : words.noFactor}</p>
        {canConfirm ? (
          factorForms(page, '/confirm')
        ) : (
          <p>
            <a class="button" href={href(page, '/account')}>
              {words.setUp}
            </a>
          </p>
        )}
      </section>
    ),
  }
}

async function confirm(page: Page): Promise<Answer> {
  const tried = await checkCode(page)
  if (tried === 'right') return { goTo: confirmed(page) }
  const { codeWrong } = wordsOf(page, signInWords)
  return showConfirm(page, refusalOf(page, tried, codeWrong), statusOf(tried))
}

/** The second factor was given again. @returns where to go. */
function confirmed(page: Page): string {
  page.request.session.person!.secondFactorAt = page.now.getTime()
  return nextOf(page)
}

async function signOut(page: Page): Promise<Answer> {
  await page.request.session.destroy()
  return { goTo: `${consolePath}/sign-in` }
}

async function chooseLanguage(page: Page): Promise<Answer> {
  const locale = locales.find(one => one === page.form.text('locale'))
  if (locale) await setLocale(page.context.pool, viewerOf(page).user.id, locale)
  return { goTo: refererOf(page) ?? consolePath }
}
