import type { Logger } from '../../base/log.ts'
import type { CallbackQueue } from '../queue/callback-queue.ts'
import type { CourierTuning } from './courier-tuning.ts'
import type { InHand } from './in-hand.ts'

/**
 * Makes the check that this courier begins its own jobs. The queue is first in, first out: who has room and fetches comes to
 * them. One that does not waits for something that never comes, though each of its connections may answer. Its connections
 * are opened anew once its jobs have waited for the length of a lease, and once more after each further such time.
 * @returns a check that resolves to false while its jobs wait and it begins none.
 */
export function openConsumerWatch(options: {
  queue: CallbackQueue
  inHand: InHand
  tuning: Pick<CourierTuning, 'unbegunMaxMs' | 'leaseMs'>
  log: Logger
}): () => Promise<boolean> {
  const { queue, inHand, tuning, log } = options
  let rebuiltAt = Number.NEGATIVE_INFINITY
  const areWaiting = async (ms: number) => {
    if (queue.begunNoneMs() < ms) return false
    const old = inHand.oldUnbegun(ms)
    return old.length > 0 && queue.anyWaiting(old)
  }
  return async () => {
    if (!(await areWaiting(tuning.unbegunMaxMs))) return true
    if (performance.now() - rebuiltAt >= tuning.leaseMs && (await areWaiting(tuning.leaseMs))) {
      rebuiltAt = performance.now()
      log.warn({ begunNoneMs: Math.round(queue.begunNoneMs()) }, 'queue.rebuilt')
      queue.rebuild()
    }
    return false
  }
}
