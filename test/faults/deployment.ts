import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../src/base/config.ts'
import { isPassingDatabaseError } from '../../src/db/outage.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { freePort } from '../../src/demo/embedded-database.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import type { Process } from '../../src/start-gateway.ts'
import { testXpub } from '../support/api-under-test.ts'
import { type BreakableProxy, openBreakableProxy } from '../support/breakable-proxy.ts'
import { type ReplicatedPostgres, startReplicatedPostgres } from '../support/standby.ts'
import type { DatabaseSource } from './breakable-postgres.ts'
import { type BreakableRedis, startBreakableRedis } from './breakable-redis.ts'
import { type CommitProxy, openCommitProxy } from './commit-proxy.ts'
import { tellSandbox } from './paying-load.ts'
import { openRelays, type Relays } from './relays.ts'
import { type RoleProcess, roleProcess } from './role-process.ts'
import { openShop, type Shop } from './shop.ts'

/** What a row of the matrix needs of its deployment beyond the usual. */
export interface DeploymentSettings {
  queue: 'redis' | 'postgres'
  /** How many of each; the API is one. Default 1. */
  watchers?: number
  couriers?: number
  /** Default 3. */
  shops?: number
  /** Redis is not there yet when the processes start. */
  redisAbsent?: boolean
  /** Above it, in USDT, a payment waits for a second node, which there is then. */
  quorumAmount?: string
  /** The nodes, and over what each is read. Default: one over HTTP, or two where `quorumAmount` asks for a second. */
  nodes?: readonly ('http' | 'grpc')[]
  /** Further arguments of the sandbox. */
  sandbox?: readonly string[]
  /** The database is not migrated: the row does that. */
  notMigrated?: boolean
  /** The database is on a Postgres of its own that has a standby. */
  replicated?: boolean
  /** The contract that payments go through, so that nobody signs them as transfers. Default: none. */
  through?: string
  /** The process that has its own ways to all servers, and says whether it is ready. Its node is one. */
  relayed?: Process
  env?: Record<string, string>
}

/** Everything of one row: real processes, a real database, a real queue, a chain to pay on, merchants to be called. */
export interface Deployment {
  /** The row's own way to the database, past every proxy. */
  pool: Pool
  /** Its server and the standby, where it has one. */
  replicated: ReplicatedPostgres | null
  redis: BreakableRedis | null
  /** Between the processes and Redis, and between the processes and Postgres. */
  redisProxy: BreakableProxy | null
  commitProxy: CommitProxy
  /** Of the process that is relayed, and where it says whether it is ready. */
  relays: Relays | null
  healthUrl: string
  /** The first node's. Its control API pays and mines. */
  sandboxUrl: string
  /** Each node's own, in the order of the settings: its control API sets its faults. */
  nodeUrls: readonly string[]
  apiUrl: string
  through?: string | undefined
  api: RoleProcess
  watchers: RoleProcess[]
  couriers: RoleProcess[]
  shops: Shop[]
  /** A command of the gateway, on this deployment's settings. */
  command(name: string, ...args: string[]): RoleProcess
  /** Opens the shops and starts the processes, on a database that is migrated by now. */
  begin(): Promise<void>
  roles(): RoleProcess[]
  close(): Promise<void>
}

/** A block every so often, and so many until one is solidified. */
const chain = { blockIntervalMs: 250, solidificationDepth: 2 }

/**
 * Opens it, processes started.
 * @param program runs the gateway: `node dist/gateway.js`, or the same from source.
 */
export async function openDeployment(
  program: readonly string[],
  databases: DatabaseSource,
  settings: DeploymentSettings,
): Promise<Deployment> {
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const replicated = settings.replicated ? await startReplicatedPostgres() : null
    if (replicated) closers.push(replicated.close)
    const database = replicated
      ? { url: replicated.url, drop: async () => undefined }
      : await databases.fresh(settings.notMigrated)
    closers.push(database.drop)
    const pool = createPool(database.url)
    closers.push(() => pool.end())
    const commitProxy = await openCommitProxy(database.url)
    closers.push(commitProxy.close)
    const redis = settings.queue === 'redis' ? await startBreakableRedis(!settings.redisAbsent) : null
    if (redis) closers.push(redis.close)
    const redisProxy = redis && (await openBreakableProxy(redis.url))
    if (redisProxy) closers.push(redisProxy.cut)
    const [sandboxPort, grpcPort, apiPort] = [await freePort(), await freePort(), await freePort()]
    const first = { url: `http://127.0.0.1:${sandboxPort}`, grpcUrl: `grpc://127.0.0.1:${grpcPort}` }
    const sandboxUrl = first.url
    const sandboxArgs = [...sandboxArguments(sandboxPort, grpcPort), ...(settings.sandbox ?? [])]
    const sandbox = roleProcess('sandbox', program, sandboxArgs, {})
    closers.push(sandbox.kill)
    const transports = settings.nodes ?? (settings.quorumAmount ? ['http', 'http'] : ['http'])
    const nodes = await startNodes(sandbox, first, transports.length)
    const env: Record<string, string> = {
      DATABASE_URL: commitProxy.url,
      MASTER_KEY: '5a'.repeat(32),
      TRON_NETWORK: 'sandbox',
      TRON_NODES: nodes.map(({ url, grpcUrl }, n) => (transports[n] === 'grpc' ? grpcUrl : url)).join(),
      PUBLIC_URL: 'http://127.0.0.1',
      PORT: `${apiPort}`,
      RATE_LIMIT_PER_MINUTE: '0',
      IP_RATE_LIMIT_PER_MINUTE: '0',
      CALLBACK_ALLOWED_NETWORKS: '127.0.0.0/8',
      SEEN: 'off',
      ...(redisProxy && { REDIS_URL: redisProxy.url }),
      ...(settings.quorumAmount && { CREDIT_QUORUM_AMOUNT: settings.quorumAmount }),
      ...settings.env,
    }
    const relays = settings.relayed ? await openRelays(env) : null
    if (relays) closers.push(relays.close)
    // Last: it might be given to one of the relays.
    const healthPort = await freePort()
    const command = (name: string, ...args: string[]) => roleProcess(name, program, args, env)
    const start = (role: Process, name: string) => {
      const own = role === settings.relayed && { ...relays!.env, HEALTH_PORT: `${healthPort}` }
      return roleProcess(name, program, ['start', role], { ...env, ...own })
    }
    const several = (role: Process, count = 1) =>
      Array.from({ length: count }, (_, n) => start(role, `${role} ${n + 1}`))
    const shops: Shop[] = []
    const deployment: Deployment = {
      pool,
      replicated,
      redis,
      redisProxy,
      commitProxy,
      relays,
      healthUrl: `http://127.0.0.1:${healthPort}`,
      sandboxUrl,
      nodeUrls: nodes.map(({ url }) => url),
      apiUrl: `http://127.0.0.1:${apiPort}`,
      through: settings.through,
      api: start('api', 'api'),
      watchers: several('watcher', settings.watchers),
      couriers: several('courier', settings.couriers),
      shops,
      command,
      begin: async () => {
        await openShops(deployment, env, settings.shops ?? 3, closers)
        await Promise.all(deployment.roles().map(role => role.start()))
      },
      roles: () => [deployment.api, ...deployment.watchers, ...deployment.couriers],
      close,
    }
    closers.push(() => Promise.all(deployment.roles().map(role => role.kill())))
    if (!settings.notMigrated) await deployment.begin()
    return deployment
  } catch (error) {
    await close()
    throw error
  }
}

/** Opens the merchants' servers and adds the merchants. */
async function openShops(
  deployment: Deployment,
  env: Record<string, string>,
  count: number,
  closers: (() => Promise<unknown>)[],
): Promise<void> {
  const { masterKey } = readConfig(env, 'sealing')
  for (let n = 0; n < count; n++) {
    const shop = await openShop()
    closers.push(shop.close)
    const merchant = { name: `shop ${n}`, xpub: testXpub, callbackUrl: shop.callbackUrl }
    shop.enrol(
      await addMerchant(deployment.pool, masterKey, {
        ...merchant,
        scheme: 'hmac-sha256',
        checkUrl: () => null,
      }),
    )
    deployment.shops.push(shop)
  }
}

function sandboxArguments(port: number, grpcPort: number): string[] {
  const { blockIntervalMs, solidificationDepth } = chain
  const blocks = [
    '--block-interval',
    `${blockIntervalMs}`,
    '--solidification-depth',
    `${solidificationDepth}`,
  ]
  return ['sandbox', '--port', `${port}`, '--grpc-port', `${grpcPort}`, ...blocks]
}

interface NodeUrls {
  url: string
  grpcUrl: string
}

/** Starts the sandbox, and further nodes beside its first. */
async function startNodes(sandbox: RoleProcess, first: NodeUrls, count: number): Promise<NodeUrls[]> {
  void sandbox.start() // It says in its own words that it has started.
  await patiently('the sandbox', async () => (await fetch(`${first.url}/sandbox/state`)).ok, 120_000)
  const nodes = [first]
  while (nodes.length < count) nodes.push((await tellSandbox(first.url, 'nodes', {})) as NodeUrls)
  return nodes
}

/**
 * Waits for a condition through outages: what throws because something is away is asked again.
 * @throws Error naming what was waited for, with the last failure as its cause.
 */
export async function patiently<T>(
  what: string,
  condition: () => Promise<T> | T,
  deadlineMs = 60_000,
): Promise<NonNullable<T>> {
  let cause: unknown
  for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(20)) {
    try {
      const value = await condition()
      if (value) return value
    } catch (error) {
      if (!isPassingDatabaseError(error) && !isPassingDatabaseError((error as Error).cause)) throw error
      cause = error
    }
  }
  throw new Error(`waited ${deadlineMs} ms for ${what}`, { cause })
}
