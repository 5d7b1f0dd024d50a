import { type Author, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { acknowledgeOpen, lockDiscrepancy } from './discrepancy-store.ts'

/** What acknowledging did. `already`: somebody had acknowledged it. `resolved`: it is no longer found. */
export type Acknowledged = 'done' | 'already' | 'resolved' | 'unknown'

/**
 * Acknowledges a discrepancy on a person's word, with an audit event. It stays open, but raises no alarm any more until it
 * becomes another one.
 */
export async function acknowledgeDiscrepancy(
  pool: Pool,
  { id, ...author }: { id: bigint } & Author & { reason: string },
): Promise<Acknowledged> {
  return await inTransaction(pool, async tx => {
    const found = await lockDiscrepancy(tx, id)
    if (!found) return 'unknown'
    const isDone = await acknowledgeOpen(tx, { id, actor: author.actor, reason: author.reason })
    if (!isDone) return found.resolvedAt ? 'resolved' : 'already'
    const { kind, subject, detail } = found
    await recordAudit(tx, {
      ...{ ...author, action: 'discrepancy.acknowledged', subject: `discrepancy ${id}` },
      detail: { kind, about: subject, found: detail },
    })
    return 'done'
  })
}
