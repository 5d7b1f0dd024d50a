import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from './base/clock.ts'
import type { NetworkName } from './base/config.ts'
import { UsageError } from './base/errors.ts'
import type { Logger } from './base/log.ts'
import type { Registry } from './base/metrics.ts'
import type { UsdtUnits } from './base/money.ts'
import { repeat } from './base/repeat.ts'
import { createCatchUp } from './blocks/catch-up.ts'
import type { ChainCursor } from './blocks/chain-store.ts'
import { createClockCheck, skewMaxMs } from './blocks/check-clocks.ts'
import { leadChain } from './blocks/lead-chain.ts'
import { openChain } from './blocks/open-chain.ts'
import { type Alarms, createAlarms } from './blocks/watcher-alarms.ts'
import { createWatcherMetrics } from './blocks/watcher-metrics.ts'
import { createPromiseCheck, type PromiseLimits } from './credits/check-lag.ts'
import { creditChain } from './credits/credit-chain.ts'
import { type CreditRules, checkQuorum } from './credits/credit-rules.ts'
import { keepPromises } from './credits/second-opinions.ts'
import type { Pool } from './db/pool.ts'
import { createCrossCheck } from './transfers/cross-check.ts'
import { followSeen } from './transfers/follow-seen.ts'
import { forgetSightings } from './transfers/seen-store.ts'
import type { TronAddress } from './tron/address.ts'
import { networks } from './tron/network.ts'
import { createNodePool, type NodePool } from './tron/pool/node-pool.ts'

export interface WatcherOptions {
  pool: Pool
  network: NetworkName
  usdtContract: TronAddress
  nodes: readonly { headUrl: string; solidUrl: string; jsonRpcUrl?: string | undefined }[]
  trongridApiKey: string | undefined
  /** To each node; undefined: what suits the network. */
  requestsPerSecond: number | undefined
  /** First start only. */
  startBlock: number | undefined
  /** Above it a transfer is held until a second node shows the same; null: never. */
  quorumAmount: UsdtUnits | null
  /** Whether transfers at the head are kept for display. */
  seen: boolean
  /** TronGrid's history, gone round slowly as a second source; null: not at all. */
  reconcile: { baseUrl: string; addressesPerHour: number } | null
  log: Logger
  registry: Registry
}

export interface RunningWatcher {
  /** Rejects when it must not go on: a node or a database of another network. */
  failed: Promise<never>
  /** What breaks the promise now; none when all is well, or while another watcher leads. */
  alarms(): string[]
  /** Finishes the block in hand. */
  stop(): Promise<void>
}

/** How soon a node or a database is asked again while it cannot be reached at the start. */
const openRetryMs = 2_000
/** Public nodes count calls; nodes of one's own do not. */
const manners = {
  public: {
    requestsPerSecond: 10,
    pace: { restMs: 2_400, pollMs: 600 },
    seenMs: 3_000,
    limits: { cursorAgeMs: 180_000, blocksBehind: 40 } as PromiseLimits,
  },
  own: {
    // No limit but those 16 at a time that a node is ever asked.
    requestsPerSecond: 10_000,
    pace: { restMs: 0, pollMs: 100 },
    seenMs: 500,
    limits: { cursorAgeMs: null, blocksBehind: 40 } as PromiseLimits,
  },
}
const blocksADay = 28_800
const slotMs = 3_000
/** How often the clocks are compared: a call to a node each time. */
const clocksMs = 60_000

/**
 * Opens the watcher: block -> transfer -> credit -> callback row. Of several on one database one leads, the others stand by.
 * Returns at once, before any node answers.
 */
export function startWatcher(options: WatcherOptions): RunningWatcher {
  const { genesisId } = networks[options.network]
  const kind = manners[genesisId === null ? 'own' : 'public']
  const stopping = new AbortController()
  const nodes = createNodePool({
    nodes: options.nodes,
    apiKey: options.trongridApiKey,
    usdtContract: options.usdtContract,
    genesisId,
    requestsPerSecond: options.requestsPerSecond ?? kind.requestsPerSecond,
    log: options.log,
    registry: options.registry,
  })
  const alarms = createAlarms(options.registry, options.log)
  const crossChecked = options.nodes.some(node => node.jsonRpcUrl !== undefined)
  const running = watch({ ...options, nodes, alarms, kind, crossChecked }, stopping.signal)
  return {
    failed: new Promise((_, reject) => running.catch(reject)),
    alarms: alarms.raised,
    stop: async () => {
      stopping.abort()
      await running.catch(() => undefined) // Whoever waits for `failed` has heard of it.
      await nodes.close()
    },
  }
}

type Watch = Omit<WatcherOptions, 'nodes'> & {
  nodes: NodePool
  alarms: Alarms
  kind: (typeof manners)['own']
  crossChecked: boolean
}

async function watch(options: Watch, signal: AbortSignal): Promise<void> {
  const { pool, network, log, registry, nodes, alarms, kind, seen, quorumAmount, reconcile } = options
  checkQuorum(quorumAmount, nodes.names.length)
  const chain = await openWhenReachable(options, signal)
  if (!chain) return
  // A block, its infos, and asking once in vain; at the head, the newest block's name besides its block and infos.
  const callsADay = {
    solidified: 3 * blocksADay,
    seen: seen ? 3 * blocksADay : 0,
    crossCheck: options.crossChecked ? blocksADay : 0,
    clocks: 86_400_000 / clocksMs,
  }
  log.info({ network: chain.network, height: chain.height, nodes: nodes.names, callsADay }, 'watcher.opened')
  const rules: CreditRules = { ...chain, graceMs: networks[network].graceMs, quorumAmount }
  // Made once, however often the lease comes and goes: a metric is registered but once.
  const metrics = createWatcherMetrics(registry)
  metrics.stands(chain)
  const catchUp = createCatchUp(registry, systemClock, log)
  // Only where the operator names a node's JSON-RPC: it is a call a block.
  const crossCheck = options.crossChecked ? createCrossCheck({ db: pool, nodes, log }) : null
  const checkPromise = createPromiseCheck({
    db: pool,
    nodeStatus: nodes.status,
    limits: kind.limits,
    alarms,
    now: systemClock.now,
    registry,
  })
  const checkClocks = createClockCheck({
    db: pool,
    head: nodes.head,
    // A private chain may make blocks as seldom as it likes.
    slotMs: networks[network].genesisId === null ? null : slotMs,
    skewMaxMs: skewMaxMs(rules.graceMs),
    alarms,
    registry,
  })
  await leadChain({
    pool,
    holder: `${hostname()} ${process.pid} ${randomUUID().slice(0, 8)}`,
    log,
    signal,
    onLead: metrics.leads,
    work: async leading => {
      const common = { pool, nodes, log, signal: leading }
      const reconciling = reconcile && {
        ...reconcile,
        apiKey: options.trongridApiKey,
        usdtContract: options.usdtContract,
      }
      if (!seen) await forgetSightings(pool)
      await Promise.all([
        creditChain({ ...common, network, rules, pace: kind.pace, alarms, metrics, catchUp, crossCheck }),
        keepPromises({ ...common, rules, checkPromise, crossCheck, reconciling }),
        repeat({ chore: 'clocks', everyMs: clocksMs, work: checkClocks, log, signal: leading }),
        seen ? followSeen({ ...common, intervalMs: kind.seenMs }) : undefined,
      ])
    },
  })
}

/** A node or a database that cannot be reached at the start is waited for; one of another network ends the watcher. */
async function openWhenReachable(options: Watch, signal: AbortSignal): Promise<ChainCursor | null> {
  const { pool, nodes, network, usdtContract, startBlock, log } = options
  while (!signal.aborted) {
    try {
      const chain = { network, genesisId: networks[network].genesisId, usdtContract }
      return await openChain({ pool, nodes, chain, startBlock, log })
    } catch (error) {
      if (error instanceof UsageError) throw error
      log.warn({ err: error, nodes: nodes.names, retryInMs: openRetryMs }, 'chain.unreachable')
      await sleep(openRetryMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    }
  }
  return null
}
