import { setTimeout as sleep } from 'node:timers/promises'
import { tookTooLong } from '../../../db/read-pool.ts'

/** What was read, and when. */
export interface Kept<T> {
  at: Date
  value: T
}

export interface KeptReadings {
  /**
   * Reads something, at most once in some seconds for everybody who asks this process.
   * @param key names it, with all on which the answer depends.
   * @returns what was read last when reading takes long; null when it takes long and nothing was read yet.
   */
  read<T>(key: string, work: () => Promise<T>): Promise<Kept<T> | null>
}

interface Entry {
  kept: Kept<unknown> | null
  reading: Promise<unknown> | null
}

/** More than the merchants that people look at within an hour, with some parts each. */
const entriesMax = 2_000

/**
 * Keeps what is not cheap to read, so that a page neither waits for it nor reads it again for each person.
 * @param freshMs for how long it is not read again. @param patienceMs how long a page waits for what was never read.
 * @param staleMs how long it waits where an older answer is there.
 */
export function keepReadings({ freshMs = 10_000, patienceMs = 2_000, staleMs = 20 } = {}): KeptReadings {
  const entries = new Map<string, Entry>()
  return {
    read: async <T>(key: string, work: () => Promise<T>) => {
      const entry = entries.get(key) ?? { kept: null, reading: null }
      // The one that was asked for last is the last of the map.
      entries.delete(key)
      entries.set(key, entry)
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value!)
      if (entry.kept && Date.now() - entry.kept.at.getTime() < freshMs) return entry.kept as Kept<T>
      entry.reading ??= readInto(entry, work)
      const waited = new AbortController()
      const patience = sleep(entry.kept ? staleMs : patienceMs, undefined, { signal: waited.signal })
      await Promise.race([entry.reading, patience.catch(() => undefined)]).finally(() => waited.abort())
      return entry.kept as Kept<T> | null
    },
  }
}

/** @throws whatever reading throws, to those who wait; but what took too long is only not there. */
async function readInto(entry: Entry, work: () => Promise<unknown>): Promise<void> {
  const reading = work().then(
    value => {
      entry.kept = { at: new Date(), value }
    },
    error => {
      if (!tookTooLong(error)) throw error
    },
  )
  // Nobody may be waiting any more.
  reading.catch(() => undefined)
  await reading.finally(() => {
    entry.reading = null
  })
}
