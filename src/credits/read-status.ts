import { findStop } from '../addresses/resume-assigning.ts'
import { readCursor } from '../blocks/chain-store.ts'
import { readNodes } from '../blocks/node-store.ts'
import { type ParkedCounts, parkedCounts } from '../blocks/parked-block-store.ts'
import { singleSourceWarning } from '../blocks/single-source.ts'
import type { WatcherAlarm } from '../blocks/watcher-alarms.ts'
import { type Queryable, rows } from '../db/pool.ts'
import { networks } from '../tron/network.ts'
import { heldMaxMs, isLongUnproved } from './check-lag.ts'
import { unprovedCounts } from './pending-proof-store.ts'
import { countWaiting } from './waiting-store.ts'

/** How the gateway is, as far as the database knows. Times in ISO 8601, amounts in base units as text. */
export interface GatewayStatus {
  network: string
  cursor: { height: number; time: string | null; movedAt: string; blocksBehind: number }
  /** When a watcher last wrote its nodes; null: none ever did. */
  reportedAt: string | null
  nodes: {
    node: string
    host: string
    transport: 'http' | 'grpc'
    state: string
    why: string
    solidHeight: number | null
    until: string | null
    callsToday: number
    /** Null: NODE_REQUESTS_PER_DAY is not set. */
    quotaLeft: number | null
  }[]
  waiting: { held: number; proof: number; quarantined: number; unclaimed: number }
  /** Blocks that no node gives, and the first and last of them. */
  parked: ParkedCounts
  /** Those that can be told from the database. The watcher's /readyz and metrics have all. */
  alarms: WatcherAlarm[]
  warnings: StatusWarning[]
}

/** What an operator has to know beside the alarms. `text` says it in English. */
export interface StatusWarning {
  /** unreported: no watcher ever wrote its nodes. silent: not lately. single_source: the nodes are one host, asked over HTTP. */
  kind: 'unreported' | 'silent' | 'single_source'
  text: string
}

/** A leading watcher writes its nodes every ten seconds. */
const reportMaxMs = 60_000

/**
 * Reads the status.
 * @param waitingMax waiting transfers of a reason are counted up to here, and one more; null: all.
 * @returns null before the first start of a watcher.
 */
export async function readStatus(
  db: Queryable,
  now: Date,
  waitingMax: number | null = null,
): Promise<GatewayStatus | null> {
  const cursor = await readCursor(db)
  if (!cursor) return null
  const facts = await readFacts(db)
  const nodes = await readNodes(db)
  const { held, quarantined, unclaimed } = await countWaiting(db, waitingMax)
  const unproved = await unprovedCounts(db)
  const parked = await parkedCounts(db)
  const furthest = Math.max(cursor.height, ...nodes.map(({ solidHeight }) => solidHeight ?? 0))
  const blocksBehind = furthest - cursor.height
  const isStopped = (await findStop(db)) !== null
  const { limits } = networks[cursor.network as keyof typeof networks]
  const stillMs = now.getTime() - facts.movedAt.getTime()
  const isStill = limits.cursorAgeMs !== null && stillMs > limits.cursorAgeMs
  const heldMs = facts.heldSince === null ? 0 : now.getTime() - facts.heldSince.getTime()
  const raised: Partial<Record<WatcherAlarm, boolean>> = {
    lag: blocksBehind > limits.blocksBehind || isStill,
    held: heldMs > heldMaxMs,
    unproven: isLongUnproved(unproved),
    parked: parked.blocks > 0,
    quarantine: facts.quarantine,
    discrepancy: facts.discrepancy,
    contract: facts.contract,
    addresses: isStopped,
  }
  const reportedMs = Math.max(0, ...nodes.map(({ seenAt }) => seenAt.getTime()))
  return {
    network: cursor.network,
    cursor: {
      height: cursor.height,
      // The genesis block has no time.
      time: cursor.height === 0 ? null : cursor.time.toISOString(),
      movedAt: facts.movedAt.toISOString(),
      blocksBehind,
    },
    reportedAt: reportedMs === 0 ? null : new Date(reportedMs).toISOString(),
    nodes: nodes.map(({ until, quota, calls, seenAt: _, ...node }) => ({
      ...node,
      until: until?.toISOString() ?? null,
      callsToday: calls,
      quotaLeft: quota === null ? null : Math.max(0, quota - calls),
    })),
    waiting: { held, proof: unproved.transfers, quarantined, unclaimed },
    parked,
    alarms: (Object.keys(raised) as WatcherAlarm[]).filter(alarm => raised[alarm]),
    warnings: [
      silenceWarning(now.getTime() - reportedMs, reportedMs === 0),
      singleSourceOf(singleSourceWarning(cursor.network, nodes)),
    ].filter(warning => warning !== null),
  }
}

function silenceWarning(silentMs: number, never: boolean): StatusWarning | null {
  if (never) return { kind: 'unreported', text: 'no watcher has reported yet' }
  if (silentMs <= reportMaxMs) return null
  const text = `no watcher has reported for ${Math.round(silentMs / 1000)} s: what the nodes show is that old`
  return { kind: 'silent', text }
}

function singleSourceOf(text: string | null): StatusWarning | null {
  return text === null ? null : { kind: 'single_source', text }
}

interface Facts {
  movedAt: Date
  heldSince: Date | null
  quarantine: boolean
  discrepancy: boolean
  contract: boolean
}

async function readFacts(db: Queryable): Promise<Facts> {
  const [facts] = await rows<Facts>(
    db,
    `select c.updated_at as "movedAt",
            (select min(created_at) from waiting_transfer where reason = 'held') as "heldSince",
            (select id from quarantine where resolved_at is null order by id limit 1) is not null as quarantine,
            (select id from discrepancy where resolved_at is null and acknowledged_at is null order by id limit 1) is not null as discrepancy,
            (select id from contract_event where acknowledged_at is null order by id limit 1) is not null as contract
       from chain_cursor c`,
  )
  return facts!
}
