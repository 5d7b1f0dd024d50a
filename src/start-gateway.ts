import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { noticeBody, noticeMail } from './alarms/notice-message.ts'
import { openMailer } from './alarms/send-mail.ts'
import { openSender, type Sender } from './alarms/send-message.ts'
import { type AlarmTarget, postSigned, tellAlarms } from './alarms/tell-alarms.ts'
import { countNotices, tellNotices } from './alarms/tell-notices.ts'
import { watchProcess } from './alarms/watch-process.ts'
import { startApi } from './api.ts'
import type { ConfigOf } from './base/config.ts'
import { UsageError } from './base/errors.ts'
import { listenProblem } from './base/listen-problem.ts'
import type { Logger } from './base/log.ts'
import { createMetrics, type Registry } from './base/metrics.ts'
import { productVersion } from './base/version.ts'
import { type RunningCourier, startCourier } from './courier.ts'
import { checkSchema, saysNotMigrated } from './db/check-schema.ts'
import { shareConnections } from './db/connection-shares.ts'
import { lastingRefusal } from './db/outage.ts'
import { createPool, endPool, type Pool, promptly, run } from './db/pool.ts'
import { createPrisma } from './db/prisma-client.ts'
import { openReadPool } from './db/read-pool.ts'
import { startHealthServer } from './http/health.ts'
import { openMerchantDirectory } from './merchants/merchant-directory.ts'
import { parseTronAddress } from './tron/address.ts'
import { networks } from './tron/network.ts'
import { type RunningWatcher, startWatcher } from './watcher.ts'

export const processes = ['api', 'watcher', 'courier'] as const
export type Process = (typeof processes)[number]

export interface RunningGateway {
  /** Where the API listens; null when it was not started. */
  apiUrl: string | null
  /** Where people reach the console; null when it is not served. */
  consoleUrl: string | null
  /** Rejects with the reason when a process must not go on. */
  failed: Promise<never>
  /** Stops in the reverse order of the start. Each process finishes what it has begun. */
  stop(): Promise<void>
}

/**
 * Connections of their own, for short statements. One that has gone silent is replaced before the lease has run out, and
 * before a retired key has worked for long.
 */
const leaseConnection = { name: 'recharge-gateway-lease', max: 1, statementTimeoutMs: 1_500 }
const merchantsConnection = { name: 'recharge-gateway-merchants', max: 1, statementTimeoutMs: 5_000 }

/** How soon the database is asked again while it cannot be reached at the start. */
const databaseRetryMs = 1_000
/** How long it may refuse us. After a failover, or while a password is changed, it does so and lets us in a little later. */
const refusalMaxDefaultMs = 60_000

/**
 * Starts processes on one pool, in order. Reads, the watcher's lease and the merchants have connections of their own.
 * @param config has what each of the processes needs: `readConfig(env, ...processes)`.
 * @param untilStopped ends the waiting for a database that cannot be reached.
 * @param refusalMaxMs how long the database may refuse us before that is taken to last.
 * @returns null when that happened.
 * @throws UsageError when the database is not migrated, or a setting does not fit the network. Error when the database goes on refusing.
 */
export async function startGateway(options: {
  config: ConfigOf<Process>
  processes: readonly Process[]
  log: Logger
  untilStopped?: Promise<void>
  refusalMaxMs?: number
}): Promise<RunningGateway | null> {
  const { config, processes, log } = options
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of stops.splice(0).reverse()) await close()
  }
  const keep = <T extends { stop(): Promise<void> }>(running: T): T => {
    stops.push(running.stop)
    return running
  }
  try {
    const keepPool = (opened: Pool) => {
      stops.push(() => endPool(opened))
      return opened
    }
    const shares = shareConnections(config.databasePool, {
      ...{ api: processes.includes('api'), watcher: processes.includes('watcher') },
      ...{ courier: processes.includes('courier'), queueOnPostgres: !config.redisUrl },
      console: config.console,
    })
    const name = `gateway ${processes.join('+')}`
    const pool = keepPool(createPool(config.databaseUrl, { name, max: shares.main }))
    if (!(await waitForDatabase(pool, options))) {
      await stop()
      return null
    }
    const common = { pool, log, registry: createMetrics() }
    const running: Running = {}
    const ready = readyCheck(pool, running)
    const sender = openSender()
    stops.push(sender.close)
    if (config.healthPort > 0) keep(await startHealth(config, common.registry, ready))
    const watched = configOf('watcher', options)
    if (watched) {
      const leasePool = keepPool(createPool(watched.databaseUrl, leaseConnection))
      const heartbeat = config.heartbeatUrl ? { url: config.heartbeatUrl, sender } : undefined
      running.watcher = keep(startWatcher({ ...watcherSettings(watched), ...common, leasePool, heartbeat }))
    }
    const called = configOf('courier', options)
    const served = configOf('api', options)
    const merchants = (called ?? served) && keep(await holdMerchants((called ?? served)!, log))
    if (called && merchants) {
      const { databaseUrl, redisUrl, callbackAllowedNetworks: allowedNetworks } = called
      running.courier = keep(
        await startCourier({
          ...{ ...common, databaseUrl, redisUrl, merchants, allowedNetworks },
          queueConnections: shares.queue,
        }),
      )
    }
    if (served && merchants) {
      const reads = keepPool(openReadPool(served.databaseUrl, shares.reads))
      const prisma = createPrisma(reads)
      const consoleReads = served.console
        ? keepPool(openReadPool(served.databaseUrl, shares.console, 'recharge-gateway-console'))
        : reads
      running.api = keep(
        await startApi({ ...common, reads, consoleReads, prisma, merchants, config: served }),
      )
    }
    keep(startAlarms({ ...common, config, processes, running, ready, sender }))
    const apiUrl = running.api?.url ?? null
    log.info({ version: productVersion(), roles: processes, apiUrl }, 'gateway.started')
    const failed = running.watcher?.failed ?? new Promise<never>(() => undefined)
    // The caller waits for it; until then a failure must not count as unhandled.
    failed.catch(() => undefined)
    return { apiUrl, consoleUrl: running.api?.consoleUrl ?? null, failed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The processes as far as they have been started. */
interface Running {
  api?: Awaited<ReturnType<typeof startApi>>
  watcher?: RunningWatcher
  courier?: RunningCourier
}

/** @returns the configuration for a process that is to run; undefined for one that is not. */
function configOf<P extends Process>(
  process: P,
  { config, processes }: { config: ConfigOf<Process>; processes: readonly Process[] },
): ConfigOf<P> | undefined {
  // It was read for all of the processes, so it is the configuration of each.
  return processes.includes(process) ? (config as ConfigOf<P>) : undefined
}

/** Makes the check of all that runs here. It rejects with the reason. */
function readyCheck(pool: Pool, running: Running): () => Promise<void> {
  return async () => {
    // First: where connections are silent, the statement below is not answered for long either.
    if (running.watcher?.isLeaseUnanswered())
      throw new Error('the database does not answer the requests for the lease of the watcher')
    await run(pool, { text: 'select 1', ...promptly })
    if (running.watcher?.alarms().includes('lag'))
      throw new Error('the watcher is behind the solidified head')
    if (running.courier?.isWorking() === false) throw new Error('the courier cannot reach its queue')
  }
}

/** Health is served from the beginning, so that a probe sees a process that is still starting. */
function startHealth(
  { healthHost: host, healthPort: port }: ConfigOf<Process>,
  registry: Registry,
  ready: () => Promise<void>,
) {
  return startHealthServer({ host, port, registry, ready }).catch(error => {
    const settings = { host: 'HEALTH_HOST', port: 'HEALTH_PORT' }
    throw listenProblem(error, { host, port, settings })
  })
}

/**
 * Starts what reports this process; what tells the operator of alarms and changes where ALARM_WEBHOOK_URL is set; and what tells people of
 * changes by mail where SMTP_URL is.
 */
function startAlarms(options: {
  pool: Pool
  config: ConfigOf<Process>
  processes: readonly Process[]
  running: Running
  ready: () => Promise<void>
  sender: Sender
  log: Logger
  registry: Registry
}): { stop(): Promise<void> } {
  const { pool: db, config, processes, running, ready, sender, log, registry } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const watching = watchProcess({
    ...{ db, roles: processes, ready, log, signal },
    id: `${hostname()} ${process.pid} ${randomUUID().slice(0, 8)}`,
    courierWorks: () => running.courier?.isWorking(),
  })
  const gateway = config.publicUrl ? new URL(config.publicUrl).host : hostname()
  const telling: Promise<void>[] = []
  const notices = { db, log, signal, counter: countNotices(registry) }
  if (config.alarmWebhookUrl) {
    const target: AlarmTarget = {
      url: config.alarmWebhookUrl,
      shape: config.alarmWebhookShape,
      secret: config.alarmWebhookSecret,
      chat: config.alarmTelegramChat,
      gateway,
    }
    const isTeller = () => running.watcher?.ledLately() ?? false
    telling.push(tellAlarms({ db, sender, log, registry, signal, target, isTeller }))
    telling.push(
      tellNotices({
        ...notices,
        channel: 'webhook',
        send: notice => postSigned(sender, target, noticeBody(notice, target), `notice_${notice.id}`),
      }),
    )
  }
  if (config.mailServer) {
    const sendMail = openMailer(config.mailServer, signal)
    telling.push(
      tellNotices({ ...notices, channel: 'mail', send: notice => sendMail(noticeMail(notice, gateway)) }),
    )
  }
  return {
    stop: async () => {
      stopping.abort()
      // What is being sent is cut off: it is sent again, under the same id, by another process or at the next start.
      await sender.close()
      await Promise.all([watching, ...telling])
    },
  }
}

/** Merchants in memory, read on a connection of their own: a retired key stops working in time when all others are busy. */
async function holdMerchants({ databaseUrl, masterKey }: ConfigOf<'sealing'>, log: Logger) {
  const own = createPool(databaseUrl, merchantsConnection)
  try {
    const directory = await openMerchantDirectory({ pool: own, masterKey, log })
    const stop = async () => {
      await directory.close()
      await endPool(own)
    }
    return { ...directory, stop }
  } catch (error) {
    await own.end()
    throw error
  }
}

function watcherSettings(config: ConfigOf<'watcher'>) {
  const network = config.tronNetwork
  const given =
    config.usdtContract === undefined ? networks[network].usdtContract : parseTronAddress(config.usdtContract)
  if (!given) throw new UsageError(`USDT_CONTRACT: "${config.usdtContract}" is not a TRON address`)
  return {
    network,
    usdtContract: given,
    nodes: config.tronNodes,
    trongridApiKey: config.trongridApiKey,
    requestsPerSecond: config.nodeRequestsPerSecond,
    requestsPerDay: config.nodeRequestsPerDay,
    seen: config.seen,
    reconcile:
      config.reconcileUrl && config.reconcilePerHour > 0
        ? { baseUrl: config.reconcileUrl, addressesPerHour: config.reconcilePerHour }
        : null,
    quorumAmount: config.creditQuorumAmount,
    aloneAmount: config.creditAloneAmount,
    startBlock: config.startBlock,
  }
}

/**
 * Waits until the database can be reached, and a while until it lets us in.
 * @returns false when `untilStopped` came first.
 * @throws UsageError when it does not fit this program. Error when it goes on refusing: the process ends with 1, so that a supervisor
 * starts it again. A refusal may pass later, by what an operator does at the database alone.
 */
async function waitForDatabase(
  pool: Pool,
  {
    log,
    untilStopped,
    refusalMaxMs = refusalMaxDefaultMs,
  }: { log: Logger; untilStopped?: Promise<void>; refusalMaxMs?: number },
): Promise<boolean> {
  let stopped = false
  let refusedAtMs: number | null = null
  untilStopped?.then(() => {
    stopped = true
  })
  while (!stopped) {
    try {
      await checkSchema(pool)
      return true
    } catch (error) {
      if (error instanceof UsageError) throw error
      const refusal = lastingRefusal(error)
      refusedAtMs = refusal === null ? null : (refusedAtMs ?? performance.now())
      if (refusal !== null && performance.now() - refusedAtMs! >= refusalMaxMs)
        throw new Error(refusal, { cause: error })
      const notMigrated = saysNotMigrated(error)
      if (notMigrated !== null) throw new UsageError(notMigrated)
      const line = { err: error, ...(refusal !== null && { refusal }), retryInMs: databaseRetryMs }
      log.warn(line, 'database.unreachable')
      await Promise.race([sleep(databaseRetryMs), untilStopped])
    }
  }
  return false
}
