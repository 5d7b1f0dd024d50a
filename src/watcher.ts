import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { beat, countHeartbeats } from './alarms/heartbeat.ts'
import { keepAlarms } from './alarms/keep-alarms.ts'
import type { Sender } from './alarms/send-message.ts'
import { systemClock } from './base/clock.ts'
import type { NetworkName } from './base/config.ts'
import type { Logger } from './base/log.ts'
import type { Registry } from './base/metrics.ts'
import type { UsdtUnits } from './base/money.ts'
import { repeat } from './base/repeat.ts'
import { blocksTogether, callsADay, clocksMs, dayQuotaOf, publicSurveyMs } from './blocks/calls-a-day.ts'
import { createCatchUp } from './blocks/catch-up.ts'
import { createClockCheck, skewMaxMs } from './blocks/check-clocks.ts'
import { createCountedSource } from './blocks/counted-source.ts'
import { watchChores } from './blocks/failing-chores.ts'
import { keepCalls, keepNodes, keepNodesMs, knownNode } from './blocks/keep-nodes.ts'
import { createKnownProducers, type KnownProducers } from './blocks/known-producers.ts'
import { leadChain, leaseMs } from './blocks/lead-chain.ts'
import { createLeaseAnswers, type LeaseAnswers } from './blocks/lease-answers.ts'
import { openChainWhenReachable } from './blocks/open-chain.ts'
import { singleSourceWarning } from './blocks/single-source.ts'
import { type Alarms, createAlarms } from './blocks/watcher-alarms.ts'
import { createWatcherMetrics } from './blocks/watcher-metrics.ts'
import { createLagCheck } from './credits/check-lag.ts'
import { alarmOfUnlinked, creditChain } from './credits/credit-chain.ts'
import { type CreditRules, checkQuorum } from './credits/credit-rules.ts'
import { proofRules } from './credits/proof-policy.ts'
import { runSecondOpinions } from './credits/second-opinions.ts'
import { openTellingSeen } from './credits/tell-seen.ts'
import type { Pool } from './db/pool.ts'
import { tellExpired } from './orders/tell-expired.ts'
import { createCrossCheck } from './transfers/cross-check.ts'
import { followSeen } from './transfers/follow-seen.ts'
import { forgetSightings } from './transfers/seen-store.ts'
import type { TronAddress } from './tron/address.ts'
import { networks, type ParkingPatience } from './tron/network.ts'
import { createNodePool, type NodePool } from './tron/pool/node-pool.ts'

/** How often payments at the head, and expired orders, are looked for, to tell the merchants who ask. */
const seenEventsMs = 1_000
const expiredEventsMs = 5_000

export interface WatcherOptions {
  pool: Pool
  /** One connection, for the lease alone: it is renewed when all others are busy. */
  leasePool: Pool
  network: NetworkName
  usdtContract: TronAddress
  nodes: readonly { headUrl: string; solidUrl: string; jsonRpcUrl?: string | undefined }[]
  trongridApiKey: string | undefined
  /** To each node; undefined: the network's usual rate. */
  requestsPerSecond: number | undefined
  /** To each node in a day of UTC; undefined: any number. */
  requestsPerDay?: number | undefined
  /** First start only. */
  startBlock: number | undefined
  /** Above it a transfer is held until a second node shows the same; null: never. */
  quorumAmount: UsdtUnits | null
  /** Up to it one host is believed alone; null: it is not set, and the network's hosts decide. */
  aloneAmount?: UsdtUnits | null
  /** Whether transfers at the head are kept for display. */
  seen: boolean
  /** TronGrid's history as a second source, checked at this rate; null: not at all. */
  reconcile: { baseUrl: string; addressesPerHour: number } | null
  /** What is called every minute while the gateway works; undefined: nothing. */
  heartbeat?: { url: string; sender: Sender } | undefined
  /** How long a block has to be missing before it is parked; undefined: the network's. */
  parking?: ParkingPatience
  log: Logger
  registry: Registry
}

export interface RunningWatcher {
  /** Rejects when the watcher must not go on: a node or a database of another network. */
  failed: Promise<never>
  /** The alarms raised now. None while another watcher leads. */
  alarms(): string[]
  /** Whether this watcher leads, or did within two minutes. */
  ledLately(): boolean
  /** Whether the database has left the requests for the lease unanswered for longer than it lasts: the watcher cannot lead. */
  isLeaseUnanswered(): boolean
  /** Finishes the blocks that are being committed. */
  stop(): Promise<void>
}

/**
 * Starts the watcher: block -> transfer -> credit -> callback row. Of several on one database one leads, the others stand by.
 * Returns at once, before any node answers.
 */
export function startWatcher(options: WatcherOptions): RunningWatcher {
  const { genesisId, pacing, slotMs } = networks[options.network]
  const stopping = new AbortController()
  const producers = createKnownProducers({
    pool: options.pool,
    nodes: () => nodes,
    isPublic: slotMs !== null,
    log: options.log,
  })
  const nodes = createNodePool({
    verifyHeader: producers.verifyHeader,
    portsAreHosts: slotMs === null,
    surveyMs: slotMs === null ? undefined : publicSurveyMs,
    nodes: options.nodes,
    apiKey: options.trongridApiKey,
    usdtContract: options.usdtContract,
    genesisId,
    requestsPerSecond: options.requestsPerSecond ?? pacing.requestsPerSecond,
    quota:
      options.requestsPerDay === undefined
        ? undefined
        : dayQuotaOf({ network: networks[options.network], nodes: options.nodes }, options.requestsPerDay),
    log: options.log,
    registry: options.registry,
  })
  const alarms = createAlarms(options.registry, options.log)
  const leading = rememberLeading()
  const answers = createLeaseAnswers()
  const lead = { answers, onLead: leading.set }
  const running = watch(options, nodes, producers, alarms, lead, stopping.signal)
  return {
    failed: new Promise((_, reject) => running.catch(reject)),
    alarms: alarms.raised,
    ledLately: leading.lately,
    isLeaseUnanswered: () => answers.unansweredMs() > leaseMs.ttl,
    stop: async () => {
      stopping.abort()
      await running.catch(() => undefined) // Reported through `failed`.
      await nodes.close()
    },
  }
}

async function watch(
  options: WatcherOptions,
  nodes: NodePool,
  producers: KnownProducers,
  alarms: Alarms,
  lead: { answers: LeaseAnswers; onLead: (leads: boolean) => void },
  signal: AbortSignal,
): Promise<void> {
  const { pool, network, usdtContract, startBlock, quorumAmount, seen, reconcile, log, registry } = options
  const { genesisId, graceMs, slotMs, pacing, limits, parking } = networks[network]
  checkQuorum(quorumAmount, nodes.names.length)
  const pin = { network, genesisId, usdtContract }
  const chain = await openChainWhenReachable({ pool, nodes, chain: pin, startBlock, log }, signal)
  if (!chain) return
  // Only where the operator names a node's JSON-RPC: it costs a call for each block.
  const crossChecked = options.nodes.some(node => node.jsonRpcUrl !== undefined)
  const expected = callsADay({ network: networks[network], seen, crossChecked, nodes: nodes.names.length })
  log.info(
    { network: chain.network, height: chain.height, nodes: nodes.names, callsADay: expected },
    'watcher.opened',
  )
  const warning = singleSourceWarning(
    network,
    options.nodes.map((node, i) => knownNode(nodes.hostOf(nodes.names[i]!), node)),
  )
  if (warning !== null) log.warn({ nodes: nodes.names, why: warning }, 'nodes.single')
  const proof = proofRules(nodes, options.aloneAmount ?? null)
  const rules: CreditRules = { ...chain, graceMs, quorumAmount, proof }
  // Created once, not each time the lease is taken: a metric can be registered only once.
  const metrics = createWatcherMetrics(registry)
  metrics.cursorAt(chain)
  const catchUp = createCatchUp(registry, systemClock, log)
  const heartbeats = countHeartbeats(registry)
  const crossCheck = crossChecked ? createCrossCheck({ db: pool, nodes, log }) : null
  const { now } = systemClock
  const checkLag = createLagCheck({ db: pool, nodeStatus: nodes.status, limits, alarms, now, registry })
  const tellSeen = openTellingSeen(pool, rules)
  const clocks = { head: nodes.head, slotMs, skewMaxMs: skewMaxMs(graceMs) }
  const checkClocks = createClockCheck({ db: pool, ...clocks, alarms, registry })
  const reconciling = reconcile && { ...reconcile, apiKey: options.trongridApiKey, usdtContract }
  const counted = createCountedSource({
    ...{ nodes, producers, slotMs, pollMs: pacing.pollMs, clock: systemClock, log },
    patience: options.parking ?? parking,
    // One at a time shows a block when it is made. When the day's quota does not allow that, they are shown some seconds later.
    together: () => (seen && nodes.spareCall() ? 1 : blocksTogether),
    onUnlinked: error => alarmOfUnlinked(alarms, error),
    onUncounted: isUncounted => alarms.set('uncounted', isUncounted),
  })
  await leadChain({
    pool: options.leasePool,
    holder: `${hostname()} ${process.pid} ${randomUUID().slice(0, 8)}`,
    log,
    signal,
    answers: lead.answers,
    onLead: leads => {
      metrics.leads(leads)
      lead.onLead(leads)
      if (!leads) alarms.forget()
    },
    work: async leading => {
      const common = { pool, nodes, log, signal: leading }
      const ended = watchChores(alarms)
      if (!seen) await forgetSightings(pool)
      await producers.load()
      await Promise.all([
        counted.run(leading),
        creditChain({
          ...common,
          nodes: counted,
          rules,
          pacing,
          limits,
          alarms,
          metrics,
          catchUp,
          crossCheck,
        }),
        runSecondOpinions({
          ...common,
          nodes: { ...nodes, solidBlock: nodes.recordedBlock },
          rules,
          checkLag,
          crossCheck,
          reconciling,
          ended,
        }),
        repeat({ chore: 'clocks', everyMs: clocksMs, work: checkClocks, log, signal: leading, ended }),
        seen
          ? followSeen({ ...common, nodes: counted.head, intervalMs: pacing.seenMs, wait: counted.pause })
          : undefined,
        seen
          ? repeat({ chore: 'seen', everyMs: seenEventsMs, work: tellSeen, log, signal: leading })
          : undefined,
        repeat({
          ...{ chore: 'expired', everyMs: expiredEventsMs, log, signal: leading },
          work: () => tellExpired(pool, chain),
        }),
        repeat({
          ...{ chore: 'nodes', everyMs: keepNodesMs, log, signal: leading, ended },
          work: () => keepNodes(pool, nodes, options.nodes),
        }),
        keepAlarms(pool, alarms, log, leading),
        options.heartbeat &&
          beat({
            ...{ ...options.heartbeat, db: pool, counter: heartbeats, log, signal: leading },
            isBehind: () => alarms.raised().includes('lag'),
          }),
      ])
      // What was asked since the last time.
      await keepCalls(pool, nodes).catch(err => log.warn({ err }, 'node_calls.unsaved'))
    },
  })
}

/** For longer than it takes to notice that the database does not answer. */
const ledLatelyMs = 120_000

function rememberLeading(): { set: (leads: boolean) => void; lately: () => boolean } {
  let leads = false
  let leftAt = Number.NEGATIVE_INFINITY
  return {
    set: leadsNow => {
      if (leads && !leadsNow) leftAt = performance.now()
      leads = leadsNow
    },
    lately: () => leads || performance.now() - leftAt < ledLatelyMs,
  }
}
