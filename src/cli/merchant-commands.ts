import { type Command, Option } from 'commander'
import { checkAccountKey } from '../addresses/check-account-key.ts'
import type { Config } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { settleHeld } from '../callbacks/leasing/pause-store.ts'
import { readRules } from '../credits/credit-rules.ts'
import { depositUnclaimed } from '../credits/deposit-unclaimed.ts'
import { createPrisma } from '../db/prisma-client.ts'
import { checkCallbackUrl } from '../egress/egress-guard.ts'
import { type AddedMerchant, addMerchant } from '../merchants/add-merchant.ts'
import { moreCallbackFields } from '../merchants/chosen-fields.ts'
import { disableMerchant, enableMerchant } from '../merchants/disable-merchant.ts'
import { eventNames } from '../merchants/event-names.ts'
import { listMerchants } from '../merchants/list-merchants.ts'
import { setPage } from '../merchants/page-settings.ts'
import { renameMerchant } from '../merchants/rename-merchant.ts'
import { setMerchant } from '../merchants/set-merchant.ts'
import { readSettingTexts } from '../merchants/setting-text.ts'
import type { SignatureScheme } from '../merchants/signature.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'
import { addPageOptions, readPageOptions } from './page-options.ts'
import { printTable } from './print-table.ts'
import { addRotationCommands } from './rotation-commands.ts'
import { withDatabase } from './with-database.ts'

export function addMerchantCommands(program: Command): void {
  const merchant = program
    .command('merchant')
    .description('merchants: add, list, set, rename, disable, enable, key, secret')

  addAuthor(merchant.command('add'))
    .description('add a merchant; prints its key and webhook secret, which are shown once')
    .requiredOption('--name <name>', 'its name, for operators')
    .option('--again', 'add it although a merchant of this name exists')
    .option('--xpub <xpub>', "account-level extended public key (m/44'/195'/0'); default: XPUB")
    .option(
      '--first-index <index>',
      'for a new account key: where its addresses begin; default: 1, for index 0 stays yours',
    )
    .option('--callback-url <url>', 'for callbacks of orders without a notify_url')
    .addOption(depositsOption())
    .addOption(
      new Option('--sign-type <scheme>', 'sha1 only for existing integrations')
        .choices(['hmac-sha256', 'sha1'])
        .default('hmac-sha256'),
    )
    .option('--json', 'print an object: appid, key, webhook_secret, first_address')
    .action(
      async (
        options: AuthorOptions & {
          name: string
          again?: true
          xpub?: string
          firstIndex?: string
          callbackUrl?: string
          deposits?: string
          signType: SignatureScheme
          json?: true
        },
      ) => {
        const author = authorFrom(options)
        await withDatabase('sealing', async (pool, config) => {
          const xpub = options.xpub ?? config.xpub
          if (!xpub) throw new UsageError('no account key: give --xpub, or set XPUB')
          const firstIndex = readFirstIndex(options.firstIndex)
          const checked = await checkAccountKey(pool, config, { xpub, firstIndex })
          const added = await addMerchant(pool, config.masterKey, {
            ...author,
            name: options.name,
            again: options.again ?? false,
            xpub,
            firstIndex,
            callbackUrl: options.callbackUrl,
            deposits: options.deposits === 'on',
            scheme: options.signType,
            checkUrl: urlCheck(config),
          })
          console.log(options.json ? JSON.stringify(asJson(added)) : asText(added))
          if (checked !== null) console.error(checked)
        })
      },
    )

  merchant
    .command('list')
    .description('list all merchants, without their secrets')
    .option('--json', 'print an array')
    .action(async (options: { json?: true }) => {
      await withDatabase('command', async pool => {
        const merchants = await listMerchants(createPrisma(pool))
        if (options.json) console.log(JSON.stringify(merchants, null, 2))
        else if (merchants.length === 0) console.log('no merchants yet: gateway merchant add --name ...')
        else
          printTable(
            merchants.map(
              ({ appid, name, scheme, callbackUrl, events, deposits, disabledAt, createdAt }) => ({
                appid,
                name,
                scheme,
                callbackUrl,
                events: events.join(),
                deposits: deposits ? 'on' : 'off',
                disabled: disabledAt?.toISOString(),
                added: createdAt.toISOString(),
              }),
            ),
          )
      })
    })

  addAuthor(addPageOptions(merchant.command('set')))
    .description('change the given settings; takes effect within a second')
    .argument('<appid>')
    .option('--callback-url <url>', 'for callbacks of orders without a notify_url; "" for none')
    .addOption(new Option('--callback-format <format>', 'of the callback body').choices(['form', 'json']))
    .option(
      '--callback-fields <fields>',
      `six: the six basic fields; full: all; or a list of those beside the six: ${moreCallbackFields.join()}`,
    )
    .option(
      '--acknowledgement <word>',
      'a 2xx acknowledges only if its body is this word, or {"msg":"<word>"}; "" for any 2xx',
    )
    .addOption(
      new Option(
        '--always-200 <yes|no>',
        'answer refusals with HTTP 200 once the signature is verified',
      ).choices(['yes', 'no']),
    )
    .addOption(
      new Option('--require-nonce <yes|no>', 'require t and nonce on every endpoint').choices(['yes', 'no']),
    )
    .addOption(new Option('--return-url <yes|no>', 'its orders may have a return_url').choices(['yes', 'no']))
    .option(
      '--events <list>',
      `what it is told of beside its credits, comma-separated: ${eventNames.join()}; "" for nothing`,
    )
    .addOption(depositsOption())
    .option('--include-unclaimed', 'with --deposits on: what is unclaimed now becomes deposits, too')
    .option('--allow-clients <list>', 'addresses and CIDRs it may call from, comma-separated; "" for any')
    .action(
      async (appid: string, given: Record<string, string | undefined> & { includeUnclaimed?: true }) => {
        const { includeUnclaimed, ...options } = given
        const author = authorFrom(options as AuthorOptions)
        if (includeUnclaimed && options.deposits !== 'on')
          throw new UsageError('--include-unclaimed: only with --deposits on')
        await withDatabase('command', async (pool, config) => {
          const { allowClients: allowedClients, ...texts } = options
          const changes = readSettingTexts({ ...texts, allowedClients })
          const page = await readPageOptions(options)
          // Without any setting it says so.
          if (!page || Object.keys(changes).length > 0)
            await setMerchant(pool, appid, changes, { ...author, checkUrl: urlCheck(config) })
          if (page) await setPage(pool, appid, page, author)
          console.log(`${appid}: set`)
          if (!includeUnclaimed) return
          const rules = await readRules(pool, null)
          const made = await depositUnclaimed(pool, rules, appid, author)
          console.log(`${appid}: ${made} unclaimed transfers are deposits now`)
        })
      },
    )

  addAuthor(merchant.command('rename'))
    .description('change its name, which only operators see')
    .argument('<appid>')
    .argument('<name>')
    .option('--again', 'although another merchant has this name')
    .action(async (appid: string, name: string, options: AuthorOptions & { again?: true }) => {
      const author = authorFrom(options)
      await withDatabase('command', async pool => {
        const done = await renameMerchant(pool, appid, name, { ...author, again: options.again ?? false })
        console.log(`${appid}: ${done ? 'renamed' : 'has this name already'}`)
      })
    })

  addAuthor(merchant.command('disable'))
    .description('refuse its requests; payments are still credited, callbacks are held')
    .argument('<appid>')
    .action(async (appid: string, options: AuthorOptions) => {
      const author = authorFrom(options)
      await withDatabase('command', async pool => {
        const done = await disableMerchant(pool, appid, settleHeld, author)
        console.log(`${appid}: ${done ? 'disabled' : 'was disabled already'}`)
      })
    })

  addAuthor(merchant.command('enable'))
    .description('accept its requests again and send its held callbacks')
    .argument('<appid>')
    .action(async (appid: string, options: AuthorOptions) => {
      const author = authorFrom(options)
      await withDatabase('command', async pool => {
        const done = await enableMerchant(pool, appid, settleHeld, author)
        console.log(`${appid}: ${done ? 'enabled' : 'was not disabled'}`)
      })
    })

  addRotationCommands(merchant)
}

function depositsOption(): Option {
  return new Option(
    '--deposits <on|off>',
    'announce transfers without an order as deposits, at the callback URL',
  ).choices(['on', 'off'])
}

function urlCheck(config: Config): (url: string) => string | null {
  return url => checkCallbackUrl(url, config.callbackAllowedNetworks)
}

function asJson(added: AddedMerchant) {
  return {
    appid: added.appid,
    key: added.key,
    webhook_secret: added.webhookSecret,
    first_address: added.firstAddress,
  }
}

function asText(added: AddedMerchant): string {
  return [
    `appid           ${added.appid}`,
    `key             ${added.key}`,
    `webhook_secret  ${added.webhookSecret}`,
    `first_address   ${added.firstAddress}`,
    '',
    'The key and the secret are shown only now. Compare first_address with the address at 0/0 in your wallet.',
    'If they differ, this is the wrong account key, and you could not spend what is paid to its addresses.',
    '',
    addressesBegin(added),
  ].join('\n')
}

function addressesBegin({ nextIndex, newAccount }: AddedMerchant): string {
  if (newAccount)
    return `No user is given first_address. The addresses of this account key begin at 0/${nextIndex}.`
  const next = `This account key is in use already, and its next address is 0/${nextIndex}.`
  // Counters of earlier versions began at 0.
  return nextIndex === 0 ? `${next} That is first_address.` : `${next} first_address is only for comparison.`
}

function readFirstIndex(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,9}$/.test(text)) return Number.parseInt(text, 10)
  throw new UsageError(`--first-index: a whole number from 1, got "${text}"`)
}
