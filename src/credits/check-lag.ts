import { findStop } from '../addresses/resume-assigning.ts'
import { Gauge, type Registry } from '../base/metrics.ts'
import { formatUsdt } from '../base/money.ts'
import { readCursor } from '../blocks/chain-store.ts'
import { createLagJudge } from '../blocks/judge-lag.ts'
import { parkedCounts } from '../blocks/parked-block-store.ts'
import type { Alarms } from '../blocks/watcher-alarms.ts'
import { readTroubles } from '../callbacks/outbox/callback-troubles.ts'
import { type Queryable, rows } from '../db/pool.ts'
import { openContractEvents } from '../transfers/contract-event-store.ts'
import type { AlarmLimits } from '../tron/network.ts'
import type { NodeStatus } from '../tron/pool/node-pool.ts'
import { type UnprovedCounts, unprovedCounts } from './pending-proof-store.ts'
import { type WaitingCounts, waitingCounts } from './waiting-store.ts'

/** A second node that is a block behind confirms within seconds: what is held for longer than this is an alarm. */
export const heldMaxMs = 60_000

/**
 * Creates the check of the lag: how far the cursor is behind, what waits and what differs. It updates the metrics, and
 * raises or clears the alarms.
 */
export function createLagCheck(options: {
  db: Queryable
  nodeStatus: () => NodeStatus[]
  limits: Pick<AlarmLimits, 'cursorAgeMs' | 'blocksBehind' | 'stuckMs'>
  alarms: Alarms
  now: () => Date
  registry: Registry
}): () => Promise<void> {
  const { db, alarms, nodeStatus, now } = options
  const judge = createLagJudge(options.limits)
  const show = createGauges(options.registry)
  let stoppedBefore = false
  return async () => {
    const cursor = await readCursor(db)
    const waiting = await waitingCounts(db)
    const { discrepancies, quarantine, lastCreditAt, heldSince, movedAt } = await readOpen(db)
    const unproved = await unprovedCounts(db)
    const contract = await openContractEvents(db)
    const parked = await parkedCounts(db)
    const nowMs = now().getTime()
    const nodes = nodeStatus().map(node => ({ ...node, isResting: node.untilMs !== null }))
    const lag = cursor && movedAt && judge({ nowMs, cursor: { ...cursor, movedAt }, nodes })
    const { behind, ageMs, isLate } = lag ?? { behind: 0, ageMs: null, isLate: false }
    show({
      waiting,
      unproved,
      parked: parked.blocks,
      discrepancies,
      quarantine,
      behind,
      ageMs: ageMs ?? 0,
      lastCreditAt,
      now: now(),
    })
    alarms.set('lag', isLate, { behind, ageS: ageMs === null ? null : Math.round(ageMs / 1000) })
    const { transfers, units } = waiting.held
    const heldForMs = heldSince === null ? 0 : nowMs - heldSince.getTime()
    alarms.set('held', heldForMs > heldMaxMs, { transfers, usdt: formatUsdt(units) }, transfers)
    alarms.set('contract', contract.events > 0, contract, contract.events)
    alarms.set(
      'unproven',
      isLongUnproved(unproved),
      { transfers: unproved.transfers, usdt: formatUsdt(unproved.units), blocks: unproved.blocks },
      unproved.transfers + unproved.blocks,
    )
    alarms.set('parked', parked.blocks > 0, parked, parked.blocks)
    alarms.set('quarantine', quarantine > 0, { quarantine }, quarantine)
    alarms.set('discrepancy', discrepancies > 0, { discrepancies }, discrepancies)
    await checkCallbacks(db, alarms)
    const stop = await findStop(db)
    // After a failover that lost nothing the API needs a moment to find that out: only what lasts is an alarm.
    alarms.set('addresses', stop !== null && stoppedBefore, { because: stop })
    stoppedBefore = stop !== null
    const disagreements = nodeStatus().reduce((sum, node) => sum + node.disagreements, 0)
    if (disagreements > 0) alarms.set('disagreement', true, { disagreements })
  }
}

/** A second host answers within seconds, so what takes longer needs somebody's attention. */
const unprovedAlarmMs = 60_000

export function isLongUnproved({ oldestMs, oldestBlockMs }: UnprovedCounts): boolean {
  return Math.max(oldestMs, oldestBlockMs) > unprovedAlarmMs
}

/** Without an open circuit nothing holds a callback back, but a lane's limit, so couriers or an endpoint are slow. */
const callbackLateS = 600

/** Checks what merchants were not told. The numbers are in the metrics of the couriers. */
async function checkCallbacks(db: Queryable, alarms: Alarms): Promise<void> {
  const { oldestDueS, exhausted, failing } = await readTroubles(db)
  alarms.set('callbacks_late', oldestDueS > callbackLateS, { oldestDueS: Math.round(oldestDueS) })
  alarms.set('callbacks_exhausted', exhausted > 0, { exhaustedInADay: exhausted }, exhausted)
  alarms.set('endpoints', failing > 0, { endpoints: failing }, failing)
}

interface OpenCounts {
  discrepancies: number
  quarantine: number
  lastCreditAt: Date | null
  /** Since when the oldest of the held transfers is held. */
  heldSince: Date | null
  /** When the cursor last moved. */
  movedAt: Date | null
}

async function readOpen(db: Queryable): Promise<OpenCounts> {
  const [open] = await rows<OpenCounts>(
    db,
    `select (select count(*)::integer from discrepancy where resolved_at is null and acknowledged_at is null) as discrepancies,
            (select count(*)::integer from quarantine where resolved_at is null) as quarantine,
            (select created_at from credit order by id desc limit 1) as "lastCreditAt",
            (select min(created_at) from waiting_transfer where reason = 'held') as "heldSince",
            (select updated_at from chain_cursor) as "movedAt"`,
  )
  return open!
}

function createGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] })
  const transfers = gauge('gateway_waiting_transfers', 'Transfers without a credit, by reason', ['reason'])
  const usdt = gauge('gateway_waiting_usdt', 'The same in USDT, for display', ['reason'])
  const unproved = gauge('gateway_unproven_transfers', 'Transfers that wait for proof and are not recorded')
  const unprovedUsdt = gauge('gateway_unproven_usdt', 'The same in USDT, for display')
  const unverified = gauge(
    'gateway_unverified_blocks',
    'Blocks that were followed unverified and are not settled',
  )
  const parked = gauge('gateway_parked_blocks', 'Blocks that no node could give, which are asked for again')
  const discrepancies = gauge(
    'gateway_discrepancies_open',
    'Open differences between us and second sources that nobody has acknowledged',
  )
  const quarantine = gauge('gateway_quarantine_open', 'Logs and transfers that wait for a person to look at')
  const behind = gauge(
    'gateway_cursor_behind_blocks',
    'Blocks behind the solidified head of the furthest node',
  )
  const age = gauge('gateway_cursor_age_seconds', "By our clock, of the last recorded block's time")
  const hours = gauge('gateway_hours_since_credit', 'Since the last credit; -1: never')
  return (
    seen: Omit<OpenCounts, 'heldSince' | 'movedAt'> & {
      waiting: WaitingCounts
      unproved: UnprovedCounts
      parked: number
      behind: number
      ageMs: number
      now: Date
    },
  ) => {
    for (const [reason, counts] of Object.entries(seen.waiting)) {
      transfers.set({ reason }, counts.transfers)
      // A gauge is a float. It is for display only.
      usdt.set({ reason }, Number.parseFloat(formatUsdt(counts.units)))
    }
    unproved.set(seen.unproved.transfers)
    unprovedUsdt.set(Number.parseFloat(formatUsdt(seen.unproved.units)))
    unverified.set(seen.unproved.blocks)
    parked.set(seen.parked)
    discrepancies.set(seen.discrepancies)
    quarantine.set(seen.quarantine)
    behind.set(seen.behind)
    age.set(seen.ageMs / 1000)
    hours.set(seen.lastCreditAt ? (seen.now.getTime() - seen.lastCreditAt.getTime()) / 3_600_000 : -1)
  }
}
