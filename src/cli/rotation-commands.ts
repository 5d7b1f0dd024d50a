import { type Command, Option } from 'commander'
import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { readTime } from '../base/read-time.ts'
import type { Pool } from '../db/pool.ts'
import { type ListedKey, listKeys } from '../merchants/key-store.ts'
import { findMerchantId } from '../merchants/merchant-store.ts'
import { addKey, promoteKey, retireKey } from '../merchants/rotate-keys.ts'
import { addWebhookSecret, retireWebhookSecret } from '../merchants/rotate-webhook-secrets.ts'
import type { SignatureScheme } from '../merchants/signature.ts'
import { type ListedSecret, listWebhookSecrets } from '../merchants/webhook-secret-store.ts'
import { type AuthorOptions, addAuthor, authorFrom, readId } from './operator.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'

/** Adds `gateway merchant key ...` and `gateway merchant secret ...`: rotation with an overlap. */
export function addRotationCommands(merchant: Command): void {
  addKeyCommands(merchant.command('key').description("a merchant's keys: add, promote, retire, list"))
  addSecretCommands(merchant.command('secret').description('its webhook secrets: add, retire, list'))
}

function addKeyCommands(key: Command): void {
  addAuthor(key.command('add'))
    .description('add a key, which verifies requests at once; prints it, only now')
    .argument('<appid>')
    .addOption(
      new Option('--sign-type <scheme>', 'sha1 only for existing integrations')
        .choices(['hmac-sha256', 'sha1'])
        .default('hmac-sha256'),
    )
    .option('--json', 'print an object: id, sign_type, key')
    .action(async (appid: string, options: AuthorOptions & { signType: SignatureScheme; json?: true }) => {
      const [author, { signType, json }] = [authorFrom(options), options]
      await withDatabase('sealing', async (pool, config) => {
        const { id, scheme, key } = await addKey(pool, config.masterKey, appid, {
          ...author,
          scheme: signType,
        })
        if (json) console.log(JSON.stringify({ id: `${id}`, sign_type: scheme, key }))
        else
          console.log(
            `id         ${id}\nsign_type  ${scheme}\nkey        ${key}\n\n` +
              `The key is shown only now. To sign callbacks with it: gateway merchant key promote ${appid} ${id}`,
          )
      })
    })

  addAuthor(key.command('promote'))
    .description('sign callbacks with this key; the previous one still verifies requests')
    .argument('<appid>')
    .argument('<id>', 'as printed by list')
    .action(async (appid: string, id: string, options: AuthorOptions) => {
      const author = authorFrom(options)
      await withDatabase('command', async pool => {
        const done = await promoteKey(pool, appid, readId(id), author)
        console.log(`key ${id}: ${done ? 'signs callbacks now' : 'signed callbacks already'}`)
      })
    })

  addAuthor(key.command('retire'))
    .description('end a key; takes effect within a second')
    .argument('<appid>')
    .argument('<id>', 'as printed by list')
    .option('--at <time>', 'when it ends; default: now')
    .option('--even-if-promoted', 'even the key that signs callbacks: none is sent until another is promoted')
    .action(
      async (appid: string, id: string, options: AuthorOptions & { at?: string; evenIfPromoted?: true }) => {
        const author = authorFrom(options)
        await withDatabase('command', async pool => {
          const { evenIfPromoted } = options
          const at = await retireKey(pool, appid, readId(id), {
            ...author,
            at: readEnd(options.at),
            evenIfPromoted,
          })
          console.log(`key ${id}: ${saidEnd(at)}`)
        })
      },
    )

  key
    .command('list')
    .description('list the ids and states of all its keys')
    .argument('<appid>')
    .option('--json', 'print an array')
    .action(async (appid: string, options: { json?: true }) => {
      await withDatabase('command', async pool => {
        const keys = await listKeys(pool, await merchantIdOf(pool, appid))
        show(keys.map(asKeyRow), options.json)
      })
    })
}

function addSecretCommands(secret: Command): void {
  addAuthor(secret.command('add'))
    .description('add a webhook secret: callbacks carry one more signature; prints it, only now')
    .argument('<appid>')
    .option('--json', 'print an object: id, webhook_secret')
    .action(async (appid: string, options: AuthorOptions & { json?: true }) => {
      const author = authorFrom(options)
      await withDatabase('sealing', async (pool, config) => {
        const { id, webhookSecret } = await addWebhookSecret(pool, config.masterKey, appid, author)
        if (options.json) console.log(JSON.stringify({ id: `${id}`, webhook_secret: webhookSecret }))
        else
          console.log(
            `id              ${id}\nwebhook_secret  ${webhookSecret}\n\nThe secret is shown only now.`,
          )
      })
    })

  addAuthor(secret.command('retire'))
    .description('end a webhook secret: callbacks carry one signature less')
    .argument('<appid>')
    .argument('<id>', 'as printed by list')
    .option('--at <time>', 'when it ends; default: now')
    .option('--even-if-last', 'even the last one: callbacks are then sent without webhook-signature')
    .action(
      async (appid: string, id: string, options: AuthorOptions & { at?: string; evenIfLast?: true }) => {
        const author = authorFrom(options)
        await withDatabase('command', async pool => {
          const { evenIfLast } = options
          const at = await retireWebhookSecret(pool, appid, readId(id), {
            ...author,
            at: readEnd(options.at),
            evenIfLast,
          })
          console.log(`webhook secret ${id}: ${saidEnd(at)}`)
        })
      },
    )

  secret
    .command('list')
    .description('list the ids and states of all its webhook secrets')
    .argument('<appid>')
    .option('--json', 'print an array')
    .action(async (appid: string, options: { json?: true }) => {
      await withDatabase('command', async pool => {
        const secrets = await listWebhookSecrets(pool, await merchantIdOf(pool, appid))
        show(secrets.map(asSecretRow), options.json)
      })
    })
}

async function merchantIdOf(pool: Pool, appid: string): Promise<MerchantId> {
  const id = await findMerchantId(pool, appid)
  if (id === null) throw new UsageError(`no merchant has the appid "${appid}"`)
  return id
}

function readEnd(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const at = readTime('--at', text)
  if (at.getTime() <= Date.now())
    throw new UsageError(`--at: a time in the future, got "${text}"; without --at it ends now`)
  return at
}

function saidEnd(at: Date): string {
  return `${at.getTime() > Date.now() ? 'ends' : 'ended'} at ${at.toISOString()}`
}

function asKeyRow({ id, scheme, promoted, live, createdAt, retiredAt }: ListedKey) {
  const state = promoted ? 'signs callbacks' : live ? 'verifies requests' : 'retired'
  return {
    id: `${id}`,
    sign_type: scheme,
    state,
    added: createdAt.toISOString(),
    ends: retiredAt?.toISOString() ?? null,
  }
}

function asSecretRow({ id, live, createdAt, retiredAt }: ListedSecret) {
  const state = live ? 'signs callbacks' : 'retired'
  return { id: `${id}`, state, added: createdAt.toISOString(), ends: retiredAt?.toISOString() ?? null }
}

function show(rows: readonly object[], json: true | undefined): void {
  if (json) console.log(JSON.stringify(rows, null, 2))
  else if (rows.length === 0) console.log('none')
  else printTable(rows)
}
