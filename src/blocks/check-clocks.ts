import { type Clock, systemClock } from '../base/clock.ts'
import { Gauge, type Registry } from '../base/metrics.ts'
import { type Queryable, rows } from '../db/pool.ts'
import type { BlockRef } from '../tron/block.ts'
import { boundsBetween, boundsOf, boundsOfChain, type HeadReading, leastSkewMs } from './clock-skew.ts'
import type { Alarms } from './watcher-alarms.ts'

/** Which clocks are compared: the skew is positive while the first is ahead. */
export const clockPairs = ['database-process', 'chain-process', 'chain-database'] as const
export type ClockPair = (typeof clockPairs)[number]

/** A few seconds are harmless to everything that is decided by a clock. */
const skewMinMs = 10_000

/**
 * Tells from which skew on the alarm is raised. An order is created by the database's clock and paid by the chain's, and the
 * grace makes up for their difference: half of it is the last moment to notice.
 */
export function skewMaxMs(graceMs: number): number {
  return Math.max(skewMinMs, graceMs / 2)
}

/**
 * Compares the clocks of database, process and chain: keeps the metric, and raises or clears the alarm `clock`.
 * @param head reads the newest block, solidified or not: the solidified one is a minute old by nature.
 * @param slotMs the chain's time from block to block; null where it is not known.
 * @returns the check, to be run at intervals of half a minute or more.
 */
export function createClockCheck(options: {
  db: Queryable
  head: () => Promise<BlockRef>
  slotMs: number | null
  skewMaxMs: number
  alarms: Alarms
  registry: Registry
  clock?: Clock
  /** A clock that is never set, in ms. */
  steadyNow?: () => number
}): () => Promise<void> {
  const { db, slotMs, alarms, clock = systemClock, steadyNow = () => performance.now() } = options
  const gauge = new Gauge({
    name: 'gateway_clock_skew_seconds',
    help: 'By how much at least the first clock is ahead of the second; negative: behind',
    labelNames: ['pair'],
    registers: [options.registry],
  })
  const skews = new Map<ClockPair, number>()
  let before: HeadReading | null = null
  const timed = async <T>(read: () => Promise<T>) => {
    const sentMs = clock.now().getTime()
    const value = await read()
    return { value, sentMs, receivedMs: clock.now().getTime() }
  }
  const note = (pair: ClockPair, skewMs: number) => {
    skews.set(pair, skewMs)
    gauge.set({ pair }, skewMs / 1000)
  }
  return async () => {
    const asked = await timed(() => rows<{ at: Date }>(db, 'select clock_timestamp() as at'))
    const database = boundsOf(asked.value[0]!.at.getTime(), asked)
    note('database-process', leastSkewMs(database))
    // Without an answer the chain's skews stay as they were; what is wrong with the nodes has alarms of its own.
    const shown = await timed(options.head).catch(() => null)
    if (shown) {
      const { value, ...trip } = shown
      const head = { ...trip, timeMs: value.time.getTime(), steadyMs: steadyNow() }
      const chain = boundsOfChain(head, before, slotMs)
      before = head
      note('chain-process', leastSkewMs(chain))
      note('chain-database', leastSkewMs(boundsBetween(chain, database)))
    }
    const isApart = [...skews.values()].some(skewMs => Math.abs(skewMs) > options.skewMaxMs)
    const seconds = [...skews].map(([pair, skewMs]) => [pair, Math.round(skewMs / 100) / 10])
    alarms.set('clock', isApart, { skewS: Object.fromEntries(seconds), skewMaxS: options.skewMaxMs / 1000 })
  }
}
