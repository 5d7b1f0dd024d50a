/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { type ChangedBy, liveMax } from '../../../merchants/change-merchant.ts'
import { type ListedKey, listKeys } from '../../../merchants/key-store.ts'
import { addKey, promoteKey, retireKey } from '../../../merchants/rotate-keys.ts'
import { addWebhookSecret, retireWebhookSecret } from '../../../merchants/rotate-webhook-secrets.ts'
import type { SignatureScheme } from '../../../merchants/signature.ts'
import { type ListedSecret, listWebhookSecrets } from '../../../merchants/webhook-secret-store.ts'
import { Choice } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section, Table } from '../parts/list-parts.tsx'
import { href, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { CopyableId, State, Time } from '../parts/value-parts.tsx'
import { changedBy } from './settings-form.tsx'
import { settingsWords } from './settings-words.ts'

// Replacing a key: create, promote, retire. A key or secret is shown by the answer that creates it, and by no other.

const wordsFor = (page: Page) => wordsOf(page, settingsWords).keys

export async function showKeys(page: Page): Promise<ShownPage> {
  const all = wordsOf(page, settingsWords)
  const words = all.keys
  const { id } = merchantOf(page)
  const { reads } = page.context
  const [keys, secrets] = await Promise.all([listKeys(reads, id), listWebhookSecrets(reads, id)])
  return {
    ...{ title: words.title, notice: all.done[page.query.text('done')] },
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
          <a href={href(page, '/settings')}>{all.back}</a>
        </div>
        <Section title={words.keys}>
          <KeyTable page={page} keys={keys} />
        </Section>
        <Section title={words.create}>
          <CreateForm page={page} path="/settings/keys" list={keys} label={words.create}>
            <Choice
              {...{ label: words.scheme, name: 'scheme', value: 'hmac-sha256' }}
              options={Object.entries(words.schemes)}
            />
          </CreateForm>
        </Section>
        <Section title={words.secrets}>
          <SecretTable page={page} secrets={secrets} />
        </Section>
        <Section title={words.createSecret}>
          <CreateForm page={page} path="/settings/secrets" list={secrets} label={words.createSecret} />
        </Section>
        <Section title={words.rotateTitle}>
          <ol class="steps">
            {words.rotate.map(step => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          <p>{words.rotateSecrets}</p>
        </Section>
      </>
    ),
  }
}

function KeyTable({ page, keys }: { page: Page; keys: readonly ListedKey[] }) {
  const words = wordsFor(page)
  const schemeColumn = { head: words.scheme, cell: (key: ListedKey) => words.schemes[key.scheme] }
  const [number, ...others] = sharedColumns<ListedKey>(page, key => (key.promoted ? 'promoted' : 'live'))
  return (
    <Table
      caption={words.keys}
      rows={newestFirst(keys)}
      empty={words.noKeys}
      columns={[
        number!,
        schemeColumn,
        ...others,
        {
          head: words.actions,
          cell: key => (
            <div class="actions">
              {key.live && !key.promoted && key.retiredAt === null && (
                <Form
                  page={page}
                  action={href(page, `/settings/keys/${key.id}/promote`)}
                  class="inline"
                  ask={words.promoteAsk}
                >
                  <Submit plain>{words.promote}</Submit>
                </Form>
              )}
              {key.promoted ? (
                <span class="quiet">{words.promotedStays}</span>
              ) : (
                key.live && <RetireForm page={page} path={`/settings/keys/${key.id}/retire`} />
              )}
            </div>
          ),
        },
      ]}
    />
  )
}

function SecretTable({ page, secrets }: { page: Page; secrets: readonly ListedSecret[] }) {
  const words = wordsFor(page)
  const isLast = ({ id }: ListedSecret) => !secrets.some(one => one.id !== id && one.retiredAt === null)
  return (
    <Table
      caption={words.secrets}
      rows={newestFirst(secrets)}
      empty={words.noSecrets}
      columns={[
        ...sharedColumns<ListedSecret>(page, () => 'signs'),
        {
          head: words.actions,
          cell: secret =>
            secret.live &&
            (isLast(secret) ? (
              <span class="quiet">{words.lastStays}</span>
            ) : (
              <RetireForm page={page} path={`/settings/secrets/${secret.id}/retire`} />
            )),
        },
      ]}
    />
  )
}

/** @param liveAs what one is that has no end. */
function sharedColumns<T extends ListedSecret>(
  page: Page,
  liveAs: (one: T) => 'promoted' | 'live' | 'signs',
) {
  const words = wordsFor(page)
  const stateOf = (one: T) => (!one.live ? 'retired' : one.retiredAt ? 'ending' : liveAs(one))
  return [
    { head: words.number, cell: (one: T) => `${one.id}` },
    {
      head: words.state,
      cell: (one: T) => {
        const state = stateOf(one)
        const tone = state === 'retired' ? 'grey' : state === 'ending' ? 'amber' : 'green'
        return <State tone={tone}>{words.states[state]}</State>
      },
    },
    { head: words.created, cell: (one: T) => <Time at={one.createdAt} /> },
    { head: words.ends, cell: (one: T) => (one.retiredAt ? <Time at={one.retiredAt} /> : words.never) },
  ]
}

function newestFirst<T extends ListedSecret>(list: readonly T[]): T[] {
  return list.toReversed()
}

function RetireForm({ page, path }: { page: Page; path: string }) {
  const words = wordsFor(page)
  return (
    <Form page={page} action={href(page, path)} class="inline" ask={words.retireAsk}>
      <select name="when" aria-label={words.retireWhen}>
        {Object.entries(words.when).map(([value, label]) => (
          <option value={value} key={value}>
            {label}
          </option>
        ))}
      </select>
      <Submit plain>{words.retire}</Submit>
    </Form>
  )
}

function CreateForm(props: {
  page: Page
  path: string
  list: readonly ListedSecret[]
  label: string
  children?: preact.ComponentChildren
}) {
  const { page, path, list, label } = props
  const live = list.filter(one => one.live).length
  if (live >= liveMax) return <p>{wordsFor(page).full(live)}</p>
  return (
    <Form page={page} action={href(page, path)}>
      {/* Which one is the newest: a form that is sent again creates nothing more. */}
      <input type="hidden" name="newest" value={newestOf(list)} />
      {props.children}
      <Submit>{label}</Submit>
    </Form>
  )
}

function newestOf(list: readonly ListedSecret[]): string {
  return `${list.at(-1)?.id ?? ''}`
}

export async function createKey(page: Page): Promise<Answer> {
  const words = wordsFor(page)
  const { pool, config } = page.context
  const scheme: SignatureScheme = page.form.text('scheme') === 'sha1' ? 'sha1' : 'hmac-sha256'
  return createOnce(page, async made => {
    const added = await addKey(pool, config.masterKey, merchantOf(page).appid, { ...made, scheme })
    const facts = [[words.scheme, words.schemes[scheme]] as const]
    return { title: words.newKey, id: added.id, secret: added.key, facts, next: words.keyNext }
  })
}

export async function createSecret(page: Page): Promise<Answer> {
  const words = wordsFor(page)
  const { pool, config } = page.context
  return createOnce(page, async made => {
    const added = await addWebhookSecret(pool, config.masterKey, merchantOf(page).appid, made)
    const { id, webhookSecret: secret } = added
    return { title: words.newSecret, id, secret, facts: [], next: words.secretNext }
  })
}

class CreatedAlready extends Error {}

/** Creates what the form asks for and shows it, unless it was created already: the form was sent again, or somebody else did. */
async function createOnce(
  page: Page,
  create: (
    made: ChangedBy & { check: (list: readonly ListedSecret[]) => void },
  ) => Promise<Parameters<typeof showOnce>[1]>,
): Promise<Answer> {
  const check = (list: readonly ListedSecret[]) => {
    if (page.form.text('newest') !== newestOf(list)) throw new CreatedAlready()
  }
  try {
    return showOnce(page, await create({ ...(await changedBy(page)), check }))
  } catch (error) {
    if (!(error instanceof CreatedAlready)) throw error
    return { ...(await showKeys(page)), status: 409, problem: wordsFor(page).again }
  }
}

function showOnce(
  page: Page,
  shown: {
    title: string
    id: bigint
    secret: string
    facts: (readonly [string, string])[]
    next: string
  },
): ShownPage {
  const words = wordsFor(page)
  return {
    title: shown.title,
    body: (
      <section class="card">
        <h1>{shown.title}</h1>
        <div class="secret">
          <p>{words.once}</p>
          <Facts
            rows={[
              [words.number, `${shown.id}`],
              ...shown.facts,
              [shown.title, <CopyableId page={page} text={shown.secret} key="secret" />],
            ]}
          />
        </div>
        <p>{shown.next}</p>
        <p>
          <a class="button" href={href(page, '/settings/keys')}>
            {words.continue}
          </a>
        </p>
      </section>
    ),
  }
}

export async function promote(page: Page): Promise<Answer> {
  const { pool } = page.context
  const { id, appid } = merchantOf(page)
  const key = oneOf(page, await listKeys(pool, id))
  await promoteKey(pool, appid, key.id, await changedBy(page))
  return { goTo: href(page, '/settings/keys', { done: 'key_promoted' }) }
}

export async function retire(page: Page): Promise<Answer> {
  const { pool } = page.context
  const { id, appid } = merchantOf(page)
  const key = oneOf(page, await listKeys(pool, id))
  await retireKey(pool, appid, key.id, { ...(await changedBy(page)), at: endOf(page) })
  return { goTo: href(page, '/settings/keys', { done: 'key_retired' }) }
}

export async function retireSecret(page: Page): Promise<Answer> {
  const { pool } = page.context
  const { id, appid } = merchantOf(page)
  const secret = oneOf(page, await listWebhookSecrets(pool, id))
  await retireWebhookSecret(pool, appid, secret.id, { ...(await changedBy(page)), at: endOf(page) })
  return { goTo: href(page, '/settings/keys', { done: 'secret_retired' }) }
}

/** @throws GatewayError not_found for one that is not the merchant's. */
function oneOf<T extends ListedSecret>(page: Page, list: readonly T[]): T {
  const found = list.find(({ id }) => `${id}` === page.params.id)
  if (!found) throw new GatewayError('not_found', 'this merchant has no such key or secret')
  return found
}

const delaysMs: Record<string, number> = { '1h': 3_600_000, '1d': 86_400_000, '7d': 7 * 86_400_000 }

/** @returns undefined: now. */
function endOf(page: Page): Date | undefined {
  const when = page.form.text('when')
  if (when === 'now') return undefined
  const delayMs = Object.hasOwn(delaysMs, when) ? delaysMs[when] : undefined
  if (delayMs === undefined) throw new GatewayError('bad_parameter', 'when: now, 1h, 1d or 7d')
  return new Date(page.now.getTime() + delayMs)
}
