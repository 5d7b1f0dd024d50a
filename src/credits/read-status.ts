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
import { waitingCounts } from './waiting-store.ts'

/** How the gateway is, as far as the database knows. Times in ISO 8601, amounts in base units as text. */
export interface GatewayStatus {
  network: string
  cursor: { height: number; time: string | null; movedAt: string; blocksBehind: number }
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
  warnings: string[]
}

/** A leading watcher writes its nodes every ten seconds. */
const reportMaxMs = 60_000

/** Reads the status. @returns null before the first start of a watcher. */
export async function readStatus(db: Queryable, now: Date): Promise<GatewayStatus | null> {
  const cursor = await readCursor(db)
  if (!cursor) return null
  const facts = await readFacts(db)
  const nodes = await readNodes(db)
  const { held, quarantined, unclaimed } = await waitingCounts(db)
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
    quarantine: facts.quarantine > 0,
    discrepancy: facts.discrepancies > 0,
    contract: facts.contractEvents > 0,
    addresses: isStopped,
  }
  const reportedMs = Math.max(0, ...nodes.map(({ seenAt }) => seenAt.getTime()))
  const silentMs = now.getTime() - reportedMs
  const silence =
    silentMs <= reportMaxMs
      ? null
      : reportedMs === 0
        ? 'no watcher has reported yet'
        : `no watcher has reported for ${Math.round(silentMs / 1000)} s: what the nodes show is that old`
  return {
    network: cursor.network,
    cursor: {
      height: cursor.height,
      // The genesis block has no time.
      time: cursor.height === 0 ? null : cursor.time.toISOString(),
      movedAt: facts.movedAt.toISOString(),
      blocksBehind,
    },
    nodes: nodes.map(({ until, quota, calls, seenAt: _, ...node }) => ({
      ...node,
      until: until?.toISOString() ?? null,
      callsToday: calls,
      quotaLeft: quota === null ? null : Math.max(0, quota - calls),
    })),
    waiting: {
      held: held.transfers,
      proof: unproved.transfers,
      quarantined: quarantined.transfers,
      unclaimed: unclaimed.transfers,
    },
    parked,
    alarms: (Object.keys(raised) as WatcherAlarm[]).filter(alarm => raised[alarm]),
    warnings: [silence, singleSourceWarning(cursor.network, nodes)].filter(warning => warning !== null),
  }
}

interface Facts {
  movedAt: Date
  heldSince: Date | null
  quarantine: number
  discrepancies: number
  contractEvents: number
}

async function readFacts(db: Queryable): Promise<Facts> {
  const [facts] = await rows<Facts>(
    db,
    `select c.updated_at as "movedAt",
            (select min(created_at) from waiting_transfer where reason = 'held') as "heldSince",
            (select count(*)::integer from quarantine where resolved_at is null) as quarantine,
            (select count(*)::integer from discrepancy where resolved_at is null and acknowledged_at is null) as discrepancies,
            (select count(*)::integer from contract_event where acknowledged_at is null) as "contractEvents"
       from chain_cursor c`,
  )
  return facts!
}
