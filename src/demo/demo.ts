import { setTimeout as sleep } from 'node:timers/promises'
import { importAddresses } from '../addresses/import-address.ts'
import { readConfig } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import { migrate } from '../db/migrate.ts'
import { createPool } from '../db/pool.ts'
import { checkCallbackUrl } from '../egress/egress-guard.ts'
import { addMerchant } from '../merchants/add-merchant.ts'
import { invitationPath } from '../people/invitation-store.ts'
import { invitePerson } from '../people/invite-person.ts'
import { type NodeView, startNodeView } from '../sandbox/node-view.ts'
import { type SandboxNode, startSandboxNode } from '../sandbox/sandbox-node.ts'
import { processes, startGateway } from '../start-gateway.ts'
import { crowdPrefix, makeCrowd } from './demo-crowd.ts'
import { writeDemoEnv } from './demo-env.ts'
import { type DemoKeys, demoKeys } from './demo-keys.ts'
import { type ReceivedCallback, startDemoMerchant } from './demo-merchant.ts'
import { createPageOrder, type DemoContext, payOrder, payRealTransactions } from './demo-scenarios.ts'
import { startEmbeddedDatabase } from './embedded-database.ts'
import { type EndedAttempt, watchAttempts } from './watch-attempts.ts'

export interface DemoOptions {
  /** Prints a line. */
  print: (line: string) => void
  /** Ends the demo wherever it is. */
  signal: AbortSignal
  /** The API's port; the chain listens on the next one. null: any free ones. */
  port: number | null
  /** The same seed gives the same appid, keys and addresses; null: random ones. */
  seed: string | null
  /** Where the merchant's callbacks go by default; null: to the demo's own endpoint. */
  callbackUrl: string | null
}

export interface RunningDemo {
  /** Writes the file to source, and prints where everything is. */
  showSettings(): Promise<void>
  /** Rejects with the reason when the gateway must not go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Ten blocks a second, so that solidification, 19 blocks, takes two seconds instead of a minute. */
const blockIntervalMs = 100
const readyDeadlineMs = 20_000

/**
 * Starts the whole gateway with its own database, chain and merchant, and runs the scenarios.
 * @throws Error with the reason when a scenario fails or a port is taken, and the signal's reason. Everything is stopped by then.
 */
export async function runDemo({ print, signal, port, seed, callbackUrl }: DemoOptions): Promise<RunningDemo> {
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of stops.splice(0).reverse()) await close()
  }
  const keep = <T>(value: T, close: (value: T) => Promise<void>): T => {
    stops.push(() => close(value))
    signal.throwIfAborted()
    return value
  }
  const startedAt = Date.now()
  const step = (what: string, detail: string) => {
    if (signal.aborted) return
    print(`${`+${((Date.now() - startedAt) / 1000).toFixed(2)}s`.padStart(8)}  ${what.padEnd(12)}${detail}`)
  }
  try {
    const keys = demoKeys(seed)
    const database = keep(await startEmbeddedDatabase(), it => it.stop())
    const chainPort = port === null ? 0 : port + 1
    const node = keep(await startSandboxNode({ blockIntervalMs, port: chainPort }), it => it.close())
    const second = keep(await startSecondNode(node), it => it.close())
    const settings = demoSettings(database.url('gateway'), keys, [node, second], port ?? 0)
    const config = readConfig(settings, 'sealing')
    const pool = keep(createPool(config.databaseUrl, { max: 2, name: 'demo' }), it => it.end())
    await migrate(pool, createLog('warn', 'demo'))
    step('database', 'an embedded Postgres, migrated')
    step('chain', `${node.url} a block every ${blockIntervalMs} ms, solidified 19 behind`)
    step('chain', `${second.url} a second node of it, by which the first is checked`)
    const merchant = keep(await startDemoMerchant(keys.merchant, showReceived(step)), it => it.close())
    const callbacksTo = callbackUrl ?? merchant.callbackUrl
    const { firstAddress } = await addMerchant(pool, config.masterKey, {
      name: 'demo shop',
      xpub: config.xpub!,
      callbackUrl: callbacksTo,
      scheme: 'hmac-sha256',
      checkUrl: url => checkCallbackUrl(url, config.callbackAllowedNetworks),
      credentials: keys.merchant,
    })
    step('merchant', `appid ${keys.merchant.appid}, first address ${firstAddress}`)
    // Endpoints fail here on purpose, and every failed attempt is shown.
    const log = createLog(process.env.LOG_LEVEL ?? 'error', 'demo')
    const gateway = keep(
      (await startGateway({ config: readConfig(settings, ...processes), processes, log }))!,
      it => it.stop(),
    )
    step('gateway', `${gateway.apiUrl} api, watcher, courier`)
    keep(watchAttempts(pool, log, showAttempt(merchant.callbackUrl, step)), it => it.stop())
    const context: DemoContext = {
      apiUrl: gateway.apiUrl!,
      nodeUrl: node.url,
      merchant,
      notifyUrl: callbackUrl === null ? null : merchant.callbackUrl,
      importAddress: (localusermark, address) =>
        importAddresses(pool, { appid: keys.merchant.appid, localusermark, addresses: [address] }),
      step,
    }
    const failed = Promise.race([gateway.failed, abortOf(signal)])
    await Promise.race([failed, untilReady(context.apiUrl)])
    await Promise.race([failed, payOrder(context)])
    await Promise.race([failed, payRealTransactions(context)])
    step('done', 'everything that was paid is credited and called back, exactly')
    return {
      failed: gateway.failed,
      stop,
      showSettings: async () => {
        const { appid, key, webhookSecret } = keys.merchant
        const file = keep(
          await writeDemoEnv({
            GATEWAY_URL: context.apiUrl,
            CHAIN_URL: node.url,
            APPID: appid,
            MERCHANT_KEY: key,
            WEBHOOK_SECRET: webhookSecret,
          }),
          it => it.remove(),
        )
        const payUrl = await createPageOrder(context)
        const to = { admin: true } as const
        const { token } = await invitePerson(pool, 'admin@demo.example', to, { actor: 'demo' })
        const consoleUrl = gateway.consoleUrl!
        startCrowd(context, print, keep)
        print('')
        print(`API       ${context.apiUrl}   its pages at /docs`)
        print(
          `chain     ${node.url}   POST /sandbox/send {"to":"T...","amount":"1.5"} pays, GET /sandbox/state tells`,
        )
        print(`page      ${payUrl}   what a payer sees; its buttons pay`)
        print(`console   ${consoleUrl}/console   orders, callbacks and money; choose a password here, once:`)
        print(`          ${consoleUrl}${invitationPath(token!)}`)
        print(`merchant  appid ${appid}, key ${key}, webhook secret ${webhookSecret}`)
        print(`          callbacks to ${callbacksTo}`)
        print(`Postgres  ${config.databaseUrl}`)
        print(`All of it for a shell: set -a; . ${file.path}; set +a`)
        print('Ctrl-C stops all of this and deletes the database.')
      },
    }
  } catch (error) {
    await stop()
    const taken = takenPort(error)
    throw taken === null ? error : new UsageError([`--port ${port}: port ${taken} is taken`])
  }
}

/** Fills the console with orders of every kind, in the background, until the demo stops. */
function startCrowd(
  context: DemoContext,
  print: (line: string) => void,
  keep: (stop: AbortController, close: (stop: AbortController) => Promise<void>) => unknown,
): void {
  const stop = new AbortController()
  const made = makeCrowd(context, stop.signal).catch(error => {
    if (!stop.signal.aborted) print(`the orders for the console could not all be made: ${error.message}`)
  })
  keep(stop, async () => {
    stop.abort()
    await made
  })
}

/** Returns a promise that rejects with the signal's reason. */
function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  // Without a waiter it must not count as unhandled.
  aborted.catch(() => undefined)
  return aborted
}

function takenPort(error: unknown): number | null {
  const { code, port, cause } = error as { code?: unknown; port?: number; cause?: unknown }
  if (code === 'EADDRINUSE') return port ?? null
  return cause === undefined || cause === null ? null : takenPort(cause)
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

/** Callbacks may go to this machine and to private networks, where a developer's own endpoint is. */
const callbackNetworks = '127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16'

function demoSettings(
  databaseUrl: string,
  { masterKey, xpub }: DemoKeys,
  nodes: readonly NodeView[],
  port: number,
): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    MASTER_KEY: masterKey,
    XPUB: xpub,
    TRON_NETWORK: 'sandbox',
    TRON_NODES: nodes.map(({ url }) => url).join(),
    PORT: `${port}`,
    CALLBACK_ALLOWED_NETWORKS: callbackNetworks,
  }
}

/** Shows what the demo's own endpoint receives. */
function showReceived(step: DemoContext['step']) {
  return ({ orderid, amount, key, faults }: ReceivedCallback) => {
    if (faults.length === 0 && orderid.startsWith(crowdPrefix)) return
    step(
      'callback',
      `${orderid} amount ${amount} key ${key} ${faults.length === 0 ? '(body sign and webhook-signature verified)' : `REFUSED: ${faults.join('; ')}`}`,
    )
  }
}

/** Shows what other endpoints answer, and every attempt that failed. */
function showAttempt(ownUrl: string, step: DemoContext['step']) {
  return ({ orderid, amount, key, url, outcome, status, answer, retryIn }: EndedAttempt) => {
    if (orderid?.startsWith(crowdPrefix) || (outcome === 'acknowledged' && url === ownUrl)) return
    const verdict = outcome === 'acknowledged' ? 'acknowledged' : `NOT ACKNOWLEDGED (${outcome})`
    const again = retryIn === null ? '' : `; next attempt in ${Math.max(0, retryIn)} s`
    const said = [status, JSON.stringify(answer ?? '')].filter(part => part !== null).join(' ')
    step(
      'callback',
      `${orderid ?? 'deposit'} amount ${amount} key ${key} ${verdict} by ${url}: ${said}${again}`,
    )
  }
}
