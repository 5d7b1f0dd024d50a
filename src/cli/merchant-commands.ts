import { type Command, Option } from 'commander'
import type { Config } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { settleHeld } from '../callbacks/leasing/pause-store.ts'
import { createPrisma } from '../db/prisma-client.ts'
import { checkCallbackUrl } from '../egress/egress-guard.ts'
import { type AddedMerchant, addMerchant } from '../merchants/add-merchant.ts'
import { disableMerchant, enableMerchant } from '../merchants/disable-merchant.ts'
import { listMerchants } from '../merchants/list-merchants.ts'
import { setMerchant } from '../merchants/set-merchant.ts'
import type { SignatureScheme } from '../merchants/signature.ts'
import { addRotationCommands } from './rotation-commands.ts'
import { withDatabase } from './with-database.ts'

export function addMerchantCommands(program: Command): void {
  const merchant = program
    .command('merchant')
    .description('who may ask: add, list, set, disable, enable, key, secret')

  merchant
    .command('add')
    .description('add a merchant; prints its key and webhook secret, once')
    .requiredOption('--name <name>', 'what you call it')
    .option('--xpub <xpub>', "account-level extended public key (m/44'/195'/0'); default: XPUB")
    .option('--callback-url <url>', 'where callbacks go whose order names no notify_url')
    .addOption(
      new Option('--sign-type <scheme>', 'sha1 only for an integration that exists')
        .choices(['hmac-sha256', 'sha1'])
        .default('hmac-sha256'),
    )
    .option('--json', 'print an object: appid, key, webhook_secret, first_address')
    .action(
      async (options: {
        name: string
        xpub?: string
        callbackUrl?: string
        signType: SignatureScheme
        json?: true
      }) => {
        await withDatabase('sealing', async (pool, config) => {
          const xpub = options.xpub ?? config.xpub
          if (!xpub) throw new UsageError('no account key: give --xpub, or set XPUB')
          const added = await addMerchant(pool, config.masterKey, {
            name: options.name,
            xpub,
            callbackUrl: options.callbackUrl,
            scheme: options.signType,
            checkUrl: urlCheck(config),
          })
          console.log(options.json ? JSON.stringify(asJson(added)) : asText(added))
        })
      },
    )

  merchant
    .command('list')
    .description('all merchants, nothing secret')
    .option('--json', 'print an array')
    .action(async (options: { json?: true }) => {
      await withDatabase('command', async pool => {
        const merchants = await listMerchants(createPrisma(pool))
        if (options.json) console.log(JSON.stringify(merchants, null, 2))
        else if (merchants.length === 0) console.log('no merchants yet: gateway merchant add --name ...')
        else
          console.table(
            merchants.map(({ appid, name, scheme, callbackUrl, disabledAt, createdAt }) => ({
              appid,
              name,
              scheme,
              callbackUrl,
              disabled: disabledAt?.toISOString() ?? '',
              added: createdAt.toISOString(),
            })),
          )
      })
    })

  merchant
    .command('set')
    .description('change what is named; every process knows within a second')
    .argument('<appid>')
    .option('--callback-url <url>', 'where callbacks go whose order names no notify_url; "" for nowhere')
    .addOption(new Option('--callback-format <format>', 'of the body').choices(['form', 'json']))
    .addOption(new Option('--callback-fields <fields>', 'the six, or more').choices(['six', 'full']))
    .option('--acknowledgement <word>', 'a 2xx acknowledges only with this word in its body; "" for any 2xx')
    .addOption(
      new Option('--always-200 <yes|no>', 'refusals after a right signature come with 200').choices([
        'yes',
        'no',
      ]),
    )
    .addOption(
      new Option('--require-nonce <yes|no>', 't and nonce required on every endpoint').choices(['yes', 'no']),
    )
    .option('--allow-clients <list>', 'addresses and CIDRs it may call from, comma-separated; "" for any')
    .action(async (appid: string, options: Record<string, string | undefined>) => {
      await withDatabase('command', async (pool, config) => {
        const changes = {
          callbackUrl: emptyToNull(options.callbackUrl),
          callbackFormat: options.callbackFormat as 'form' | 'json' | undefined,
          callbackFields: options.callbackFields as 'six' | 'full' | undefined,
          acknowledgement: emptyToNull(options.acknowledgement),
          always200: yesNo(options.always200),
          requireNonce: yesNo(options.requireNonce),
          allowedClients: options.allowClients
            ?.split(',')
            .map(part => part.trim())
            .filter(Boolean),
        }
        await setMerchant(pool, appid, changes, { checkUrl: urlCheck(config) })
        console.log(`${appid}: set`)
      })
    })

  merchant
    .command('disable')
    .description('refuse its requests; its payments are credited, its callbacks held')
    .argument('<appid>')
    .action(async (appid: string) => {
      await withDatabase('command', async pool => {
        const done = await disableMerchant(pool, appid, settleHeld)
        console.log(`${appid}: ${done ? 'disabled' : 'was disabled already'}`)
      })
    })

  merchant
    .command('enable')
    .description('take its requests again and let its held callbacks go')
    .argument('<appid>')
    .action(async (appid: string) => {
      await withDatabase('command', async pool => {
        const done = await enableMerchant(pool, appid, settleHeld)
        console.log(`${appid}: ${done ? 'enabled' : 'was not disabled'}`)
      })
    })

  addRotationCommands(merchant)
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
    'The key and the secret are shown this once. Compare first_address with the address at 0/0 in your wallet:',
    'if it is another, this is the wrong account key, and payments would go where you do not look.',
  ].join('\n')
}

function emptyToNull(value: string | undefined): string | null | undefined {
  return value === '' ? null : value
}

function yesNo(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : value === 'yes'
}
