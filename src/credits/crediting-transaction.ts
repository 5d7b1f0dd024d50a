import { notifyChain } from '../blocks/chain-store.ts'
import { isTimeout } from '../db/outage.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { creditCarefully, creditInTime, isLasting } from './credit-carefully.ts'
import { creditTransfers } from './credit-transfers.ts'

/** Credits pending transfers, with the parameters of `creditTransfers`. */
export type CreditStep = typeof creditTransfers

/**
 * Runs work that credits in one transaction. If it fails for a lasting reason, runs it again from the start with a step that
 * quarantines what cannot be credited. That step is not used at first because its savepoints cost round trips, and nearly
 * always nothing fails. If it is too slow twice, runs it with a step that also quarantines what cannot be credited in time:
 * once may be the database's fault, but the same batch must not be tried for ever.
 * @param work gets the crediting step to use. It is run at most four times.
 * @throws errors that pass by themselves or are not from crediting: nothing is written then.
 */
export async function inCreditingTransaction<T>(
  pool: Pool,
  work: (tx: Tx, credit: CreditStep) => Promise<T>,
): Promise<T> {
  let step: CreditStep = creditTransfers
  let timeouts = 0
  for (;;) {
    try {
      return await inTransaction(pool, async tx => {
        const done = await work(tx, step)
        await notifyChain(tx)
        return done
      })
    } catch (error) {
      if (step === creditInTime) throw error
      if (isTimeout(error)) {
        timeouts++
        if (timeouts === 2) step = creditInTime
      } else if (isLasting(error) && step === creditTransfers) step = creditCarefully
      else throw error
    }
  }
}
