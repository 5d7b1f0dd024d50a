import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from './log.ts'

export type ChoreEnded = (chore: string, how: 'done' | 'failed') => void

/**
 * Runs a chore at an interval until the signal aborts. A failure is logged, and the chore is run again at the next interval.
 * Resolves when the last run has ended.
 */
export async function repeat(options: {
  chore: string
  everyMs: number
  work: () => Promise<unknown>
  log: Logger
  signal: AbortSignal
  /** Is told how each run ended. */
  ended?: ChoreEnded | undefined
}): Promise<void> {
  const { chore, everyMs, work, log, signal, ended } = options
  while (!signal.aborted) {
    try {
      await work()
      ended?.(chore, 'done')
    } catch (err) {
      log.warn({ err, chore }, 'chore.failed')
      ended?.(chore, 'failed')
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
  }
}
