import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { creditCarefully, isLasting } from './credit-carefully.ts'
import { creditTransfers } from './credit-transfers.ts'

/** The crediting step, as `creditTransfers` says. */
export type CreditStep = typeof creditTransfers

/**
 * Runs the work of somebody who credits in one transaction. Should that fail for a lasting reason, once more from the
 * start with a step that finds what cannot be credited and parks it: savepoints cost round trips, and nearly always
 * there is nothing to find.
 * @param work gets the crediting step to use; it is run twice at the most.
 * @throws what fails for a passing reason, or outside the crediting: nothing is written then.
 */
export async function inCreditingTransaction<T>(
  pool: Pool,
  work: (tx: Tx, credit: CreditStep) => Promise<T>,
): Promise<T> {
  try {
    return await inTransaction(pool, tx => work(tx, creditTransfers))
  } catch (error) {
    if (!isLasting(error)) throw error
    return await inTransaction(pool, tx => work(tx, creditCarefully))
  }
}
