import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from './log.ts'

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
}): Promise<void> {
  const { chore, everyMs, work, log, signal } = options
  while (!signal.aborted) {
    await work().catch(err => log.warn({ err, chore }, 'chore.failed'))
    await sleep(everyMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
  }
}
