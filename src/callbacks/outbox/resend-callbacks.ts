import { failpoint } from '../../base/failpoint.ts'
import { inTransaction, type Pool, type Tx } from '../../db/pool.ts'
import { dueChannel, makeLanes, originOf } from './callback-store.ts'
import type { CallbackState } from './list-callbacks.ts'
import { hastenCallbacks, probeLanesNow, readResendable, reopenCallbacks } from './resend-store.ts'

/** What became of the callbacks that were to be sent again. */
export interface Resent {
  /** Due now, or held until their merchant is enabled. */
  resent: number
  /** Being sent at this moment, or not any more in the state they were wanted in. */
  skipped: number
}

/** Callbacks moved in one transaction: it holds their rows for some milliseconds. */
export const resendBatch = 500

/**
 * Sends callbacks again: those due and exhausted are due now and their schedule begins again; one that was acknowledged is
 * sent once more and stays acknowledged; one being sent is skipped. Asked for twice at once, each is sent once.
 * @param ids any number, ascending; a transaction for each batch.
 * @param onlyIn skips those that are not in this state any more.
 * @param onBatch hears of every batch that is committed; the next one waits for it.
 */
export async function resendCallbacks(
  pool: Pool,
  ids: readonly bigint[],
  options: { onlyIn?: CallbackState; onBatch?: (moved: Resent) => unknown } = {},
): Promise<Resent> {
  const total = { resent: 0, skipped: 0 }
  for (let from = 0; from < ids.length; from += resendBatch) {
    const batch = ids.slice(from, from + resendBatch)
    const last = from + resendBatch >= ids.length
    const resent = await inTransaction(pool, async tx => {
      const moved = await resendTogether(tx, batch, options.onlyIn)
      // Once is enough: a probe is an attempt, and counts.
      if (last) await probeLanesNow(tx, moved)
      failpoint('resend:before-commit')
      return moved.length
    })
    failpoint('resend:after-commit')
    total.resent += resent
    total.skipped += batch.length - resent
    await options.onBatch?.({ ...total })
  }
  return total
}

/** @returns those that are due, or held, from now on. */
async function resendTogether(tx: Tx, ids: readonly bigint[], onlyIn?: CallbackState): Promise<bigint[]> {
  const found = await readResendable(tx, ids)
  const wanted = onlyIn === undefined ? found : found.filter(({ state }) => state === onlyIn)
  const finished = wanted
    .filter(({ state }) => state === 'delivered' || state === 'exhausted')
    // Its lane may be another one by now: the merchant's default URL changes.
    .map(({ id, merchantId, url }) => ({ id, merchantId, origin: originOf(url) }))
  const waiting = wanted.filter(({ state }) => state === 'due' || state === 'held').map(({ id }) => id)
  const moved = waiting.length > 0 ? await hastenCallbacks(tx, waiting) : []
  if (finished.length > 0) {
    await makeLanes(tx, finished)
    moved.push(...(await reopenCallbacks(tx, finished)))
  }
  await tx.query(`select pg_notify($1, '')`, [dueChannel])
  return moved
}
