/** @jsxRuntime automatic @jsxImportSource preact */
import { type AccountKeyCheck, lookAtAccountKey } from '../../../addresses/check-account-key.ts'
import { UsageError } from '../../../base/errors.ts'
import { checkCallbackUrl } from '../../../egress/egress-guard.ts'
import { type AddedMerchant, addMerchant } from '../../../merchants/add-merchant.ts'
import { findCounter } from '../../../merchants/address-counter-store.ts'
import { callbackUrlProblems } from '../../../merchants/callback-url.ts'
import { nameProblems } from '../../../merchants/merchant-name.ts'
import type { SignatureScheme } from '../../../merchants/signature.ts'
import { type AccountKey, parseAccountKey } from '../../../tron/account-key.ts'
import { Choice, Field, LongField, Tick } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts } from '../parts/list-parts.tsx'
import { authorOfPage, consolePath, href, type Page, wordsOf } from '../parts/page.ts'
import type { ShownPage } from '../parts/route.ts'
import { CopyableId } from '../parts/value-parts.tsx'
import { findNamed } from './merchants-store.ts'
import { type MerchantsWords, merchantsWords } from './merchants-words.ts'

/** What is wrong with the form, beside its fields. `again` and `unchecked`: it can be had by ticking a box. */
interface AddErrors {
  name?: string
  again?: true
  xpub?: string
  firstIndex?: string
  callbackUrl?: string
  unchecked?: true
  /** What the node said, or could not. */
  account?: string
}

/** A page is answered within 8 seconds. The command waits longer. */
const checkWithinMs = 5_500

export function showAdd(page: Page, errors: AddErrors = {}): ShownPage {
  const words = wordsOf(page, merchantsWords)
  const { form } = page
  const given = (name: string, usual = '') => (form.has(name) ? form.text(name) : usual)
  return {
    title: words.addTitle,
    status: Object.keys(errors).length > 0 ? 400 : 200,
    problem: errors.account,
    body: (
      <>
        <div class="title">
          <h1>{words.addTitle}</h1>
        </div>
        <section class="card">
          <p>{words.addText}</p>
          <Form page={page} action={href(page, '/merchants/add')}>
            <Field
              {...{ label: words.name, name: 'name', hint: words.nameHint, error: errors.name }}
              {...{ value: given('name'), maxLength: 100, required: true }}
            />
            {errors.again && <Tick label={words.again} name="again" checked={false} />}
            <LongField
              {...{ label: words.xpub, name: 'xpub', hint: words.xpubHint, error: errors.xpub, rows: 3 }}
              // What cannot be read may be a private key: it is not rendered again.
              value={errors.xpub ? '' : given('xpub', page.context.config.xpub)}
              {...{ maxLength: 200, required: true }}
            />
            <Field
              {...{ label: words.firstIndex, name: 'first_index', hint: words.firstIndexHint }}
              {...{ error: errors.firstIndex, value: given('first_index'), inputMode: 'numeric' as const }}
              maxLength={10}
            />
            {(errors.unchecked || form.has('unchecked')) && (
              <Tick label={words.unchecked} name="unchecked" checked={form.has('unchecked')} />
            )}
            <Field
              {...{ label: words.callbackUrl, name: 'callback_url', hint: words.callbackUrlHint }}
              {...{ error: errors.callbackUrl, value: given('callback_url'), type: 'url' as const }}
              maxLength={512}
            />
            <Tick label={words.deposits} name="deposits" checked={form.has('deposits')} />
            <Choice
              {...{ label: words.scheme, name: 'scheme', hint: words.schemeHint }}
              value={given('scheme', 'hmac-sha256')}
              options={[
                ['hmac-sha256', 'HMAC-SHA256'],
                ['sha1', 'SHA-1'],
              ]}
            />
            <Submit>{words.add}</Submit>
          </Form>
        </section>
      </>
    ),
  }
}

/** Adds a merchant, and shows its secrets: this answer is the only one that has them. */
export async function addOne(page: Page): Promise<ShownPage> {
  const words = wordsOf(page, merchantsWords)
  const { pool, config } = page.context
  const { form } = page
  const errors: AddErrors = {}
  const name = form.text('name')
  if (nameProblems(name).length > 0) errors.name = words.nameWrong
  const namesake = form.has('again') ? null : await findNamed(pool, name, '')
  if (namesake) Object.assign(errors, { name: words.namesakeNew(namesake), again: true })
  const account = readAccount(form.text('xpub'))
  if (typeof account === 'string') errors.xpub = words.xpubWrong(account)
  const firstIndex = readIndex(form.text('first_index'))
  if (firstIndex === null) errors.firstIndex = words.firstIndexWrong
  const counter = typeof account === 'string' ? null : await findCounter(pool, account)
  if (counter && firstIndex) errors.firstIndex = words.firstIndexKnown(BigInt(counter.nextIndex))
  const callbackUrl = form.text('callback_url') || undefined
  const checkUrl = (url: string) => checkCallbackUrl(url, config.callbackAllowedNetworks)
  if (callbackUrl) {
    const problems = callbackUrlProblems(callbackUrl, checkUrl)
    if (problems.length > 0) errors.callbackUrl = words.callbackUrlWrong(problems.join('; '))
  } else if (form.has('deposits')) errors.callbackUrl = words.depositsWrong
  if (Object.keys(errors).length > 0) return showAdd(page, errors)
  const key = { xpub: form.text('xpub'), firstIndex: firstIndex ?? undefined }
  const found = await lookAtAccountKey(pool, config, key, checkWithinMs)
  const refused = refusedFor(words, found, form.has('unchecked'))
  if (refused) return showAdd(page, refused)
  const added = await addMerchant(pool, config.masterKey, {
    ...{ ...key, name, checkUrl, ...authorOfPage(page) },
    ...(callbackUrl && { callbackUrl }),
    again: form.has('again'),
    deposits: form.has('deposits'),
    scheme: schemeOf(form.text('scheme')),
  })
  return showAdded(page, name, added)
}

/** Says why a merchant with this account key is not added; null: it is. */
function refusedFor(words: MerchantsWords, found: AccountKeyCheck, although: boolean): AddErrors | null {
  if (found.kind === 'used') {
    const lines = found.used.map(({ index, address }) => words.usedAddress(index, address))
    return { account: words.usedBefore(lines.join('; ')), firstIndex: words.beyond(found.past) }
  }
  if (found.kind === 'unchecked' && !although)
    return { account: words.uncheckedText[found.why], unchecked: true }
  return null
}

function showAdded(page: Page, name: string, added: AddedMerchant): ShownPage {
  const words = wordsOf(page, merchantsWords)
  const { appid } = added
  const pages = (path: string) => `${consolePath}${path}?merchant=${encodeURIComponent(appid)}`
  return {
    title: words.addedTitle,
    body: (
      <>
        <div class="title">
          <h1>{words.addedTitle}</h1>
        </div>
        <section class="card">
          <h2>{name}</h2>
          <p class="problem">{words.once}</p>
          <div class="secret">
            <Facts
              rows={[
                [words.appid, <CopyableId page={page} text={appid} key="appid" />],
                [words.key, <CopyableId page={page} text={added.key} key="key" />],
                [words.webhookSecret, <CopyableId page={page} text={added.webhookSecret} key="secret" />],
                [words.firstAddress, <CopyableId page={page} text={added.firstAddress} key="address" />],
              ]}
            />
          </div>
          <p>{words.compare}</p>
          <p>{words.begins(added.nextIndex)}</p>
          <p class="actions">
            <a class="button" href={pages('')}>
              {words.goOn}
            </a>
            <a class="button plain" href={pages('/people')}>
              {words.people}
            </a>
          </p>
        </section>
      </>
    ),
  }
}

/** @returns what is wrong with it. */
function readAccount(xpub: string): AccountKey | string {
  try {
    return parseAccountKey(xpub)
  } catch (error) {
    if (error instanceof UsageError) return error.problems.join('; ')
    throw error
  }
}

/** @returns undefined for none; null for what is no index. */
function readIndex(text: string): number | null | undefined {
  if (text === '') return undefined
  const index = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null
  return index !== null && index <= 0x7fffffff ? index : null
}

function schemeOf(text: string): SignatureScheme {
  return text === 'sha1' ? 'sha1' : 'hmac-sha256'
}
