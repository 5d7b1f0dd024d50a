import { type Author, authorOf, recordAudit } from '../../db/audit-store.ts'
import { inTransaction, type Pool, rows } from '../../db/pool.ts'

/** More leases than are ever taken between a backup and its restore. */
const epochsSkipped = 1_000_000_000

/**
 * Moves the sequence of lease epochs forward, after a restore. Jobs that are still in the queue have ids and epochs that the
 * restored database would otherwise give out again, and would pass for valid leases.
 */
export async function skipEpochs(pool: Pool, author: Partial<Author> = {}): Promise<void> {
  await inTransaction(pool, async tx => {
    const [epoch] = await rows<{ to: bigint }>(
      tx,
      `select setval('callback_epoch', nextval('callback_epoch') + $1) as "to"`,
      [epochsSkipped],
    )
    await recordAudit(tx, {
      ...authorOf(author),
      action: 'callbacks.epochs_skipped',
      subject: 'callback_epoch',
      detail: { to: String(epoch!.to) },
    })
  })
}
