import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { creditTransfers } from './credit-transfers.ts'

/** The crediting step, as `creditTransfers` says. */
export type CreditStep = typeof creditTransfers

/**
 * Runs the work of somebody who credits in one transaction.
 * @param work gets the crediting step to use; it must be repeatable.
 */
export async function inCreditingTransaction<T>(
  pool: Pool,
  work: (tx: Tx, credit: CreditStep) => Promise<T>,
): Promise<T> {
  return await inTransaction(pool, tx => work(tx, creditTransfers))
}
