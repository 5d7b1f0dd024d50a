import { failpoint } from '../../base/failpoint.ts'
import type { CallbackId } from '../../base/ids.ts'
import { inTransaction, type Pool, type Tx } from '../../db/pool.ts'
import type { CallbackState } from './callback.ts'
import { makeLanes, notifyCouriers, originOf } from './callback-store.ts'
import { makeDueNow, probeLanesNow, readResendable, reopenCallbacks } from './resend-store.ts'

/** How many callbacks are sent again, and how many are not. */
export interface Resent {
  /** Due now, or held until their merchant is enabled. */
  resent: number
  /** In flight, or no longer in the state that was asked for. */
  skipped: number
}

/** Callbacks per transaction. It locks their rows for a few milliseconds. */
export const resendBatch = 500

/**
 * Sends callbacks again. Due and exhausted ones become due now and start their schedule again. An acknowledged one is sent
 * once more and stays acknowledged. One in flight is skipped. Of two concurrent resends of a callback, only one sends it.
 * @param ids any number, ascending. Each batch of them is a transaction.
 * @param onlyIn skips callbacks that are no longer in this state.
 * @param onBatch is called after each committed batch. The next batch waits for it.
 */
export async function resendCallbacks(
  pool: Pool,
  ids: readonly CallbackId[],
  options: { onlyIn?: CallbackState; onBatch?: (moved: Resent) => unknown } = {},
): Promise<Resent> {
  const total = { resent: 0, skipped: 0 }
  for (let from = 0; from < ids.length; from += resendBatch) {
    const batch = ids.slice(from, from + resendBatch)
    const last = from + resendBatch >= ids.length
    const resent = await inTransaction(pool, async tx => {
      // Once per resend: a probe is an attempt, and attempts are counted.
      const moved = await resendTogether(tx, batch, { onlyIn: options.onlyIn, isProbed: last })
      return moved.length
    })
    failpoint('resend:after-commit')
    total.resent += resent
    total.skipped += batch.length - resent
    await options.onBatch?.({ ...total })
  }
  return total
}

/**
 * Sends one batch again, in the transaction of whoever keeps count.
 * @param ids ascending, `resendBatch` of them at most. @param isProbed makes the next probe of lanes that fail due now.
 * @returns the callbacks that are due, or held, from now on.
 */
export async function resendTogether(
  tx: Tx,
  ids: readonly CallbackId[],
  { onlyIn, isProbed }: { onlyIn: CallbackState | undefined; isProbed: boolean },
): Promise<CallbackId[]> {
  const found = await readResendable(tx, ids)
  const wanted = onlyIn === undefined ? found : found.filter(({ state }) => state === onlyIn)
  const finished = wanted
    .filter(({ state }) => state === 'delivered' || state === 'exhausted')
    // Its lane may have changed since: the merchant may have set another default URL.
    .map(({ id, merchantId, url }) => ({ id, merchantId, origin: originOf(url) }))
  const waiting = wanted.filter(({ state }) => state === 'due' || state === 'held').map(({ id }) => id)
  const moved = waiting.length > 0 ? await makeDueNow(tx, waiting) : []
  if (finished.length > 0) {
    await makeLanes(tx, finished)
    moved.push(...(await reopenCallbacks(tx, finished)))
  }
  if (isProbed) await probeLanesNow(tx, moved)
  await notifyCouriers(tx)
  failpoint('resend:before-commit')
  return moved
}
