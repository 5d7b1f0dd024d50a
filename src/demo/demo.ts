import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { HDKey } from '@scure/bip32'
import { importAddresses } from '../addresses/import-address.ts'
import { type ConfigOf, readConfig } from '../base/config.ts'
import { createLog } from '../base/log.ts'
import { migrate } from '../db/migrate.ts'
import { createPool, type Pool } from '../db/pool.ts'
import { checkCallbackUrl } from '../egress/egress-guard.ts'
import { addMerchant } from '../merchants/add-merchant.ts'
import { type NodeView, startNodeView } from '../sandbox/node-view.ts'
import { type SandboxNode, startSandboxNode } from '../sandbox/sandbox-node.ts'
import { processes, startGateway } from '../start-gateway.ts'
import { type DemoMerchant, type MerchantCredentials, startDemoMerchant } from './demo-merchant.ts'
import { type DemoContext, payOrder, payRealTransactions } from './demo-scenarios.ts'
import { startEmbeddedDatabase } from './embedded-database.ts'

export interface RunningDemo {
  /** Prints the URLs of everything that keeps running. */
  printUrls(): void
  stop(): Promise<void>
}

/** Ten blocks a second, so that solidification, 19 blocks, takes two seconds instead of a minute. */
const blockIntervalMs = 100
const readyDeadlineMs = 20_000

/**
 * Starts the whole gateway with its own database, chain and merchant, and runs the scenarios.
 * @param print prints a line.
 * @throws Error with the reason when a scenario fails. Everything is stopped by then.
 */
export async function runDemo(print: (line: string) => void): Promise<RunningDemo> {
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of stops.splice(0).reverse()) await close()
  }
  const keep = <T>(value: T, close: (value: T) => Promise<void>): T => {
    stops.push(() => close(value))
    return value
  }
  const startedAt = Date.now()
  const step = (what: string, detail: string) =>
    print(`${`+${((Date.now() - startedAt) / 1000).toFixed(2)}s`.padStart(8)}  ${what.padEnd(12)}${detail}`)
  try {
    const database = keep(await startEmbeddedDatabase(), it => it.stop())
    const node = keep(await startSandboxNode({ blockIntervalMs }), it => it.close())
    const second = keep(await startSecondNode(node), it => it.close())
    const settings = demoSettings(database.url('gateway'), [node, second])
    const config = readConfig(settings, 'sealing')
    const pool = keep(createPool(config.databaseUrl, { max: 2, name: 'demo' }), it => it.end())
    await migrate(pool, createLog('warn', 'demo'))
    step('database', 'an embedded Postgres, migrated')
    step('chain', `${node.url} a block every ${blockIntervalMs} ms, solidified 19 behind`)
    step('chain', `${second.url} a second node of it, by which the first is checked`)
    const merchant = keep(await demoMerchant(pool, config, step), it => it.close())
    const log = createLog(process.env.LOG_LEVEL ?? 'warn', 'demo')
    const gateway = keep(
      (await startGateway({ config: readConfig(settings, ...processes), processes, log }))!,
      it => it.stop(),
    )
    step('gateway', `${gateway.apiUrl} api, watcher, courier`)
    const context: DemoContext = {
      apiUrl: gateway.apiUrl!,
      nodeUrl: node.url,
      merchant: merchant.endpoint,
      importAddress: (localusermark, address) =>
        importAddresses(pool, { appid: merchant.credentials.appid, localusermark, addresses: [address] }),
      step,
    }
    await Promise.race([gateway.failed, untilReady(context.apiUrl)])
    await Promise.race([gateway.failed, payOrder(context)])
    await Promise.race([gateway.failed, payRealTransactions(context)])
    step('done', 'everything that was paid is credited and called back, exactly')
    return {
      stop,
      printUrls: () => {
        print('')
        print(`API       ${gateway.apiUrl}`)
        print(
          `chain     ${node.url}   POST /sandbox/send {"to":"T...","amount":"1.5"} pays, GET /sandbox/state tells`,
        )
        const { appid, key, webhookSecret } = merchant.credentials
        print(`merchant  appid ${appid}, key ${key}, webhook secret ${webhookSecret}`)
        print(`          callbacks to ${merchant.endpoint.callbackUrl}`)
        print(`Postgres  ${config.databaseUrl}`)
        print('Ctrl-C stops all of this and deletes the database.')
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Starts a second node over the chain, at another host: the bytes of real transactions are not known, so that they are credited only
 * when two hosts show the same. Where 127.0.0.2 is no address of the machine, as on macOS, another port has to do.
 */
async function startSecondNode({ chain }: SandboxNode): Promise<NodeView> {
  const options = { blockIntervalMs, control: false }
  try {
    return await startNodeView(chain, { ...options, host: '127.0.0.2' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error
    return await startNodeView(chain, options)
  }
}

/** Waits until the API is ready: it assigns no address before the watcher has placed its cursor. */
async function untilReady(apiUrl: string): Promise<void> {
  const deadline = Date.now() + readyDeadlineMs
  while (!(await fetch(`${apiUrl}/readyz`)).ok) {
    if (Date.now() > deadline) throw new Error(`the API was not ready within ${readyDeadlineMs / 1000} s`)
    await sleep(50)
  }
}

/** Makes the settings, with random keys. The private key of the random account is not kept. */
function demoSettings(databaseUrl: string, nodes: readonly NodeView[]): Record<string, string> {
  const account = HDKey.fromMasterSeed(randomBytes(32)).derive("m/44'/195'/0'")
  return {
    DATABASE_URL: databaseUrl,
    MASTER_KEY: randomBytes(32).toString('hex'),
    XPUB: account.publicExtendedKey,
    TRON_NETWORK: 'sandbox',
    TRON_NODES: nodes.map(({ url }) => url).join(),
    PUBLIC_URL: 'http://127.0.0.1',
    PORT: '0',
    CALLBACK_ALLOWED_NETWORKS: '127.0.0.0/8',
  }
}

/** Starts the merchant's endpoint, then adds the merchant with that endpoint as its callback URL. */
async function demoMerchant(
  pool: Pool,
  config: ConfigOf<'sealing'>,
  step: DemoContext['step'],
): Promise<{ credentials: MerchantCredentials; endpoint: DemoMerchant; close(): Promise<void> }> {
  let credentials: MerchantCredentials | null = null
  const endpoint = await startDemoMerchant(
    () => credentials!,
    callback =>
      step(
        'callback',
        `${callback.orderid} amount ${callback.amount} key ${callback.key} ${verdict(callback.faults)}`,
      ),
  )
  const added = await addMerchant(pool, config.masterKey, {
    name: 'demo shop',
    xpub: config.xpub!,
    callbackUrl: endpoint.callbackUrl,
    scheme: 'hmac-sha256',
    checkUrl: url => checkCallbackUrl(url, config.callbackAllowedNetworks),
  })
  credentials = added
  step('merchant', `appid ${added.appid}, first address ${added.firstAddress}`)
  return { credentials: added, endpoint, close: () => endpoint.close() }
}

function verdict(faults: readonly string[]): string {
  return faults.length === 0 ? '(body sign and webhook-signature verified)' : `REFUSED: ${faults.join('; ')}`
}
