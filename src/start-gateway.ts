import { setTimeout as sleep } from 'node:timers/promises'
import { startApi } from './api.ts'
import type { Config } from './base/config.ts'
import { UsageError } from './base/errors.ts'
import type { Logger } from './base/log.ts'
import { createMetrics } from './base/metrics.ts'
import { startCourier } from './courier.ts'
import { createPool, type Pool } from './db/pool.ts'
import { createPrisma } from './db/prisma-client.ts'
import { startHealthServer } from './http/health.ts'
import { openMerchantDirectory } from './merchants/merchant-directory.ts'
import { parseTronAddress } from './tron/address.ts'
import { networks } from './tron/network.ts'
import { startWatcher } from './watcher.ts'

export const roles = ['api', 'watcher', 'courier'] as const
export type Role = (typeof roles)[number]

export interface RunningGateway {
  /** Where the API listens; null when it was not started. */
  apiUrl: string | null
  /** Rejects when a process must not go on, with the reason. */
  failed: Promise<never>
  /** Stops in the reverse order of the start; each finishes the work in hand. */
  stop(): Promise<void>
}

/** How soon the database is asked again while it cannot be reached at the start. */
const databaseRetryMs = 1_000

/**
 * Opens the processes named on one pool, in order; the configuration has what they need.
 * @param untilStopped gives up waiting for a database that is not there.
 * @returns null when that happened.
 * @throws UsageError when the database is not migrated, or a setting does not fit the network.
 */
export async function startGateway(options: {
  config: Config
  roles: readonly Role[]
  log: Logger
  untilStopped?: Promise<void>
}): Promise<RunningGateway | null> {
  const { config, log } = options
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of stops.splice(0).reverse()) await close()
  }
  try {
    const pool = createPool(config.databaseUrl!, { name: `gateway ${options.roles.join('+')}` })
    stops.push(() => pool.end())
    if (!(await waitForDatabase(pool, log, options.untilStopped))) {
      await stop()
      return null
    }
    const registry = createMetrics()
    const failures: Promise<never>[] = []
    let apiUrl: string | null = null
    let alarms = (): string[] => []
    let courierWorks = () => true
    if (config.healthPort > 0) {
      const ready = async () => {
        await pool.query('select 1')
        if (alarms().includes('lag')) throw new Error('the watcher is behind the solidified head')
        if (!courierWorks()) throw new Error('the courier cannot reach its queue')
      }
      const health = await startHealthServer({
        host: config.healthHost,
        port: config.healthPort,
        registry,
        ready,
      })
      stops.push(() => health.stop())
    }
    if (options.roles.includes('watcher')) {
      const watcher = startWatcher({ ...watched(config), pool, log, registry })
      stops.push(() => watcher.stop())
      failures.push(watcher.failed)
      alarms = watcher.alarms
    }
    if (options.roles.some(role => role !== 'watcher')) {
      // A connection of its own: a retired key stops working in time however many wait for the others.
      const own = createPool(config.databaseUrl!, { name: 'recharge-gateway-merchants', max: 1 })
      stops.push(() => own.end())
      const merchants = await openMerchantDirectory({ pool: own, masterKey: config.masterKey!, log })
      stops.push(() => merchants.close())
      if (options.roles.includes('courier')) {
        const courier = await startCourier({
          pool,
          databaseUrl: config.databaseUrl!,
          redisUrl: config.redisUrl,
          merchants,
          allowedNetworks: config.callbackAllowedNetworks,
          log,
          registry,
        })
        stops.push(() => courier.stop())
        courierWorks = courier.isWorking
      }
      if (options.roles.includes('api')) {
        const prisma = createPrisma(pool)
        const api = await startApi({ pool, prisma, merchants, config, log, registry })
        stops.push(() => api.stop())
        apiUrl = api.url
      }
    }
    log.info({ roles: options.roles, apiUrl }, 'gateway.started')
    const failed = failures.length > 0 ? Promise.race(failures) : new Promise<never>(() => undefined)
    // Whoever runs us waits for it; until then a failure must not count as unhandled.
    failed.catch(() => undefined)
    return { apiUrl, failed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function watched(config: Config) {
  const network = config.tronNetwork!
  const given =
    config.usdtContract === undefined ? networks[network].usdtContract : parseTronAddress(config.usdtContract)
  if (!given) throw new UsageError(`USDT_CONTRACT: "${config.usdtContract}" is not a TRON address`)
  return {
    network,
    usdtContract: given,
    nodes: config.tronNodes,
    trongridApiKey: config.trongridApiKey,
    requestsPerSecond: config.nodeRequestsPerSecond,
    seen: config.seen,
    reconcile:
      config.reconcileUrl && config.reconcilePerHour > 0
        ? { baseUrl: config.reconcileUrl, addressesPerHour: config.reconcilePerHour }
        : null,
    quorumAmount: config.creditQuorumAmount,
    startBlock: config.startBlock,
  }
}

/** Waits for a database that is not there yet; one that is there but not migrated is the operator's to mend. */
async function waitForDatabase(pool: Pool, log: Logger, untilStopped?: Promise<void>): Promise<boolean> {
  let stopped = false
  untilStopped?.then(() => {
    stopped = true
  })
  while (!stopped) {
    try {
      await pool.query('select version from merchant_version')
      return true
    } catch (error) {
      // 42P01: no such table.
      if ((error as { code?: string }).code === '42P01') {
        throw new UsageError('the database is not migrated: run `gateway migrate` first')
      }
      log.warn({ err: error, retryInMs: databaseRetryMs }, 'database.unreachable')
      await Promise.race([sleep(databaseRetryMs), untilStopped])
    }
  }
  return false
}
