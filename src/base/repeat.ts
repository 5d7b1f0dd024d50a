import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from './log.ts'

/**
 * Does a chore every so often until the signal says stop. One that fails is told and tried again the next time.
 * Resolves when the chore in hand is done.
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
