import type { Queryable } from '../db/pool.ts'
import type { WaitReason } from './take-turns.ts'

/** What waits, for the alarms: how many transfers and how much, in base units. */
export type WaitingCounts = Record<WaitReason, { transfers: number; units: bigint }>

/** Counts what waits by reason; reasons that nothing waits for are there with zeros. */
export async function waitingCounts(db: Queryable): Promise<WaitingCounts> {
  const { rows } = await db.query<{ reason: WaitReason; transfers: bigint; units: string }>(
    `select w.reason, count(*) as transfers, sum(t.amount)::text as units
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      group by w.reason`,
  )
  const none = { transfers: 0, units: 0n }
  const counts: WaitingCounts = { unclaimed: none, held: none, quarantined: none, behind: none }
  for (const { reason, transfers, units } of rows) {
    counts[reason] = { transfers: Number(transfers), units: BigInt(units) }
  }
  return counts
}
