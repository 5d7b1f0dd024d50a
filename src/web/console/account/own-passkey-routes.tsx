/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { listPasskeys } from '../../../people/passkey-store.ts'
import { optionsToAdd, type PasskeySite, readNewPasskey } from '../../../people/passkeys.ts'
import { addPasskey, hasFactor, nameAnew, removePasskey } from '../../../people/second-factors.ts'
import { readName } from '../../../people/user-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { proofFirst } from '../parts/confirmed.ts'
import { Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { href, type Page, viewerOf, wordsOf } from '../parts/page.ts'
import { challengedSession, PasskeyForm, passkeyAnswerOf, siteOf } from '../parts/passkey-form.tsx'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { accountWords } from './account-words.ts'
import { forgetProof, ownerOf } from './own-account.ts'

export const ownPasskeyRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/account/passkeys/new', who: 'signed in', handle: async page => showAdd(page) },
  { method: 'POST', path: '/account/passkeys/new', who: 'signed in', handle: takePasskey },
  { method: 'POST', path: '/account/passkeys/options', who: 'signed in', handle: giveOptions },
  { method: 'GET', path: '/account/passkeys/:id', who: 'signed in', confirm: true, handle: showPasskey },
  { method: 'POST', path: '/account/passkeys/:id/name', who: 'signed in', confirm: true, handle: rename },
  { method: 'POST', path: '/account/passkeys/:id/remove', who: 'signed in', confirm: true, handle: remove },
]

function showAdd(page: Page, { name, problem }: { name?: string; problem?: string } = {}): Answer {
  const words = wordsOf(page, accountWords)
  const first = proofFirst(page, '/account/passkeys/new')
  if (first) return { goTo: first }
  return {
    ...{ title: words.passkeyAdd, problem, status: name || problem ? 400 : 200 },
    body: (
      <section class="card">
        <h1>{words.passkeyAdd}</h1>
        {siteOf(page) ? (
          <>
            <p>{words.passkeyText}</p>
            <PasskeyForm
              {...{ page, does: 'create', action: href(page, '/account/passkeys/new') }}
              options={href(page, '/account/passkeys/options')}
              {...{ failed: words.passkeyFailed, without: words.passkeyScript }}
            >
              <Field
                {...{ label: words.passkeyName, name: 'name', hint: words.passkeyNameHint, error: name }}
                {...{ maxLength: 100, required: true, autofocus: true }}
              />
              <Submit>{words.passkeyAdd}</Submit>
            </PasskeyForm>
          </>
        ) : (
          <p>{words.passkeyElsewhere(page.context.publicUrl())}</p>
        )}
      </section>
    ),
  }
}

/** What the browser asks the authenticator: only for who has shown who they are. */
async function giveOptions(page: Page): Promise<Answer> {
  const site = siteHere(page)
  const goTo = proofFirst(page, '/account/passkeys/new')
  if (goTo) return { json: { goTo } }
  return { json: await optionsToAdd(page.context.pool, site, viewerOf(page).user, challengedSession(page)) }
}

/** The challenge was given by `giveOptions`, so that what is answered here has been proved there. */
async function takePasskey(page: Page): Promise<Answer> {
  const words = wordsOf(page, accountWords)
  const site = siteHere(page)
  const name = readName(page.form.text('name'))
  const response = passkeyAnswerOf(page)
  if (response === undefined) return showAdd(page, { problem: words.passkeyScript })
  if (!name) return { json: { problem: words.passkeyNameWrong }, status: 400 }
  const { pool } = page.context
  const passkey = await readNewPasskey(pool, site, challengedSession(page), response)
  if (!passkey) return { json: { problem: words.passkeyFailed }, status: 400 }
  const isFirst = !hasFactor(viewerOf(page).user)
  if (!(await addPasskey(pool, ownerOf(page), { ...passkey, name })))
    return { json: { problem: words.passkeyKnown }, status: 409 }
  page.request.session.person!.secondFactorAt = page.now.getTime()
  // With the first one come recovery codes, on a page of their own.
  const goTo = isFirst
    ? href(page, '/account/factors', { done: 'passkey' })
    : href(page, '/account', { done: 'passkey' })
  return { json: { goTo } }
}

async function showPasskey(page: Page): Promise<Answer> {
  const words = wordsOf(page, accountWords)
  const known = await listPasskeys(page.context.reads, viewerOf(page).user.id)
  const passkey = known.find(({ id }) => id === page.params.id)
  if (!passkey) throw unknown()
  const { name } = passkey
  return editPage(page, name, page.query.text('wrong') ? words.passkeyNameWrong : undefined)
}

function editPage(page: Page, name: string, error?: string): Answer {
  const words = wordsOf(page, accountWords)
  const path = `/account/passkeys/${page.params.id}`
  return {
    ...{ title: name, status: error ? 400 : 200 },
    body: (
      <section class="card">
        <h1>{name}</h1>
        <Form page={page} action={href(page, `${path}/name`)}>
          <Field
            {...{
              label: words.passkeyName,
              name: 'name',
              value: name,
              error,
              maxLength: 100,
              required: true,
            }}
          />
          <Submit>{words.passkeyRename}</Submit>
        </Form>
        <Form
          page={page}
          action={href(page, `${path}/remove`)}
          class="after"
          ask={words.passkeyRemoveAsk(name)}
        >
          <Submit plain>{words.passkeyRemove}</Submit>
        </Form>
        <p class="after">
          <a href={href(page, '/account/factors')}>{commonWords(page).back}</a>
        </p>
      </section>
    ),
  }
}

async function rename(page: Page): Promise<Answer> {
  const name = readName(page.form.text('name'))
  const { id } = page.params
  if (!name) return { goTo: href(page, `/account/passkeys/${id}`, { wrong: 1 }) }
  if (!(await nameAnew(page.context.pool, ownerOf(page), id!, name))) throw unknown()
  return { goTo: href(page, '/account', { done: 'renamed' }) }
}

async function remove(page: Page): Promise<Answer> {
  if (!(await removePasskey(page.context.pool, ownerOf(page), page.params.id!))) throw unknown()
  await forgetProof(page)
  return { goTo: href(page, '/account', { done: 'passkeyOff' }) }
}

function siteHere(page: Page): PasskeySite {
  const site = siteOf(page)
  if (!site) throw new GatewayError('not_found', 'no passkeys at this URL')
  return site
}

const unknown = () => new GatewayError('not_found', 'no such passkey of theirs')
