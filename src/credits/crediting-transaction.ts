import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { creditCarefully, isLasting } from './credit-carefully.ts'
import { creditTransfers } from './credit-transfers.ts'

/** Credits pending transfers, with the parameters of `creditTransfers`. */
export type CreditStep = typeof creditTransfers

/**
 * Runs work that credits in one transaction. If it fails for a lasting reason, runs it again from the start with a step that
 * quarantines what cannot be credited. That step is not used at first because its savepoints cost round trips, and nearly
 * always nothing fails.
 * @param work gets the crediting step to use. It is run at most twice.
 * @throws errors that pass by themselves or are not from crediting: nothing is written then.
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
