import { recordAudit } from '../../db/audit-store.ts'
import { inTransaction, type Pool } from '../../db/pool.ts'

/** More leases than were ever given out since a backup. */
const epochsSkipped = 1_000_000_000

/**
 * Moves the leases' epochs on, after a restore: what the queue still holds bears ids and epochs that the restored database
 * would give out again, and would then pass for jobs of ours.
 */
export async function skipEpochs(pool: Pool, actor = 'command line'): Promise<void> {
  await inTransaction(pool, async tx => {
    const { rows } = await tx.query<{ to: bigint }>(
      `select setval('callback_epoch', nextval('callback_epoch') + $1) as "to"`,
      [epochsSkipped],
    )
    await recordAudit(tx, {
      actor,
      action: 'callbacks.epochs_skipped',
      subject: 'callback_epoch',
      detail: { to: String(rows[0]!.to) },
    })
  })
}
