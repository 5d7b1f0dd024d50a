import { UsageError } from '../base/errors.ts'
import { type Author, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, rows } from '../db/pool.ts'
import { acknowledgeContractEvents, type ContractEvent } from './contract-event-store.ts'

/**
 * Acknowledges an event of the contract on an operator's word, with an audit event for it. The alarm `contract` is cleared
 * when none is left.
 * @param options.earlierToo all events before it as well.
 * @returns those acknowledged now; empty when all of them were already.
 * @throws UsageError when there is no such event.
 */
export async function acknowledgeContractEvent(
  pool: Pool,
  options: { id: bigint; earlierToo: boolean } & Author,
): Promise<ContractEvent[]> {
  const { id, earlierToo, ...author } = options
  return await inTransaction(pool, async tx => {
    const found = await rows(tx, `select from contract_event where id = $1`, [id])
    if (found.length === 0) throw new UsageError(`there is no event ${id} of the contract`)
    const events = await acknowledgeContractEvents(tx, { id, earlierToo, by: author.actor })
    for (const { id: one, event, txid, logIndex, height } of events) {
      await recordAudit(tx, {
        ...{ ...author, action: 'contract.acknowledged', subject: `contract event ${one}` },
        detail: { event, txid, logIndex, height },
      })
    }
    return events
  })
}
