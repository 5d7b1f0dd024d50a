/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { listPasskeys } from '../../../people/passkey-store.ts'
import { recoveryCodesLeft } from '../../../people/second-factor-store.ts'
import {
  prepareCodes,
  renewRecoveryCodes,
  turnCodesOff,
  turnCodesOn,
} from '../../../people/second-factors.ts'
import { qrSvg } from '../../shell/qr-svg.ts'
import { commonWords } from '../parts/common-words.ts'
import { proofFirst } from '../parts/confirmed.ts'
import { Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Section } from '../parts/list-parts.tsx'
import { href, type Page, viewerOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { accountWords } from './account-words.ts'
import { forgetProof, ownerOf } from './own-account.ts'
import { OwnPasskeys } from './own-passkeys.tsx'

export const ownCodesRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/account/codes', who: 'signed in', handle: async page => beforeCodes(page) },
  { method: 'POST', path: '/account/codes', who: 'signed in', handle: showSecret },
  { method: 'POST', path: '/account/codes/first', who: 'signed in', handle: takeFirstCode },
  { method: 'POST', path: '/account/codes/off', who: 'signed in', confirm: true, handle: removeCodes },
  { method: 'GET', path: '/account/factors', who: 'signed in', confirm: true, handle: showFactors },
  { method: 'POST', path: '/account/recovery', who: 'signed in', confirm: true, handle: renewCodes },
]

/** A page before the secret: a GET makes nothing. */
function beforeCodes(page: Page): Answer {
  const words = wordsOf(page, accountWords)
  const first = proofFirst(page, '/account/codes')
  if (first) return { goTo: first }
  return {
    title: words.codesSetUp,
    body: (
      <section class="card">
        <h1>{words.codesSetUp}</h1>
        {viewerOf(page).user.hasTotp ? (
          <p>{words.codesAlready}</p>
        ) : (
          <>
            <p>{words.codesText}</p>
            <Form page={page} action={href(page, '/account/codes')}>
              <Submit>{words.codesShow}</Submit>
            </Form>
          </>
        )}
      </section>
    ),
  }
}

/** Shows the secret in the answer to the form alone, so that no address shows it again. */
async function showSecret(page: Page): Promise<Answer> {
  const words = wordsOf(page, accountWords)
  const first = proofFirst(page, '/account/codes')
  if (first) return { goTo: first }
  const { pool, config } = page.context
  const prepared = await prepareCodes(pool, config.masterKey, viewerOf(page).user)
  if (!prepared) return { goTo: href(page, '/account/codes') }
  const svg = qrSvg(prepared.url, words.qrLabel)
  return {
    title: words.codesSetUp,
    body: (
      <section class="card">
        <h1>{words.codesSetUp}</h1>
        <p>{words.codesScan}</p>
        <div class="qr" dangerouslySetInnerHTML={{ __html: svg }} />
        <p>
          {words.codesTyped}
          <br />
          <code>{prepared.secret.match(/.{1,4}/g)!.join(' ')}</code>
        </p>
        {firstCodeForm(page)}
      </section>
    ),
  }
}

function firstCodeForm(page: Page, error?: string) {
  const words = wordsOf(page, accountWords)
  return (
    <Form page={page} action={href(page, '/account/codes/first')}>
      <Field
        {...{ label: words.codesFirst, name: 'code', inputMode: 'numeric', maxLength: 10, required: true }}
        {...{ error, autocomplete: 'one-time-code', autofocus: true }}
      />
      <Submit>{words.codesConfirm}</Submit>
    </Form>
  )
}

/** What the code is checked against was prepared by who gave the password or a second factor; nobody else knows it. */
async function takeFirstCode(page: Page): Promise<Answer> {
  const words = wordsOf(page, accountWords)
  const { pool, config } = page.context
  const codes = await turnCodesOn(pool, config.masterKey, ownerOf(page), page.form.text('code'))
  if (!codes) {
    return {
      ...{ title: words.codesSetUp, status: 400 },
      body: (
        <section class="card">
          <h1>{words.codesSetUp}</h1>
          {firstCodeForm(page, words.codesWrong)}
          <p class="after">
            <a href={href(page, '/account/codes')}>{words.codesAnew}</a>
          </p>
        </section>
      ),
    }
  }
  page.request.session.person!.secondFactorAt = page.now.getTime()
  return codes.length > 0
    ? shownOnce(page, codes, words.done.codes)
    : { goTo: href(page, '/account', { done: 'codes' }) }
}

/** The recovery codes, in the answer to the form that made them and nowhere else. */
function shownOnce(page: Page, codes: readonly string[], notice?: string): Answer {
  const words = wordsOf(page, accountWords)
  const { copied } = commonWords(page)
  return {
    ...{ title: words.recovery, notice },
    body: (
      <section class="card">
        <h1>{words.recovery}</h1>
        <p>{words.recoveryText}</p>
        <ol class="secret mono">
          {codes.map(code => (
            <li key={code}>{code}</li>
          ))}
        </ol>
        <p class="actions after">
          <a class="button" href={href(page, '/account')}>
            {words.recoveryKept}
          </a>
          <button
            type="button"
            class="button plain needs-script"
            data-copy={codes.join('\n')}
            data-copied={copied}
          >
            {words.recoveryCopy}
          </button>
        </p>
      </section>
    ),
  }
}

async function showFactors(page: Page): Promise<Answer> {
  const words = wordsOf(page, accountWords)
  const { reads } = page.context
  const { user } = viewerOf(page)
  const [passkeys, left] = await Promise.all([
    listPasskeys(reads, user.id),
    recoveryCodesLeft(reads, user.id),
  ])
  return {
    title: words.factorsChange,
    notice: page.query.text('done') === 'passkey' ? words.done.passkey : undefined,
    body: (
      <>
        <div class="title">
          <h1>{words.factorsChange}</h1>
        </div>
        <div class="columns">
          {user.hasTotp && (
            <Section title={words.codes}>
              <Form page={page} action={href(page, '/account/codes/off')} ask={words.codesRemoveAsk}>
                <Submit plain>{words.codesRemove}</Submit>
              </Form>
            </Section>
          )}
          <Section title={words.recovery}>
            <p>{words.recoveryLeft(left)}</p>
            <Form page={page} action={href(page, '/account/recovery')}>
              {left > 0 && <p>{words.recoveryNewText}</p>}
              <Submit plain={left > 0}>{left > 0 ? words.recoveryNew : words.recoveryMake}</Submit>
            </Form>
          </Section>
        </div>
        <Section title={words.passkeys}>
          <p class="actions">
            <a class="button plain" href={href(page, '/account/passkeys/new')}>
              {words.passkeyAdd}
            </a>
          </p>
          <OwnPasskeys page={page} passkeys={passkeys} />
        </Section>
      </>
    ),
  }
}

async function removeCodes(page: Page): Promise<Answer> {
  const removed = await turnCodesOff(page.context.pool, ownerOf(page))
  await forgetProof(page)
  return { goTo: href(page, '/account', { done: removed ? 'codesOff' : null }) }
}

async function renewCodes(page: Page): Promise<Answer> {
  const codes = await renewRecoveryCodes(page.context.pool, ownerOf(page))
  if (!codes) throw new GatewayError('not_found', 'no second factor to recover')
  return shownOnce(page, codes)
}
