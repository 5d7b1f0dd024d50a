import type { Pool } from '../../src/db/pool.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { seedCallbacks } from '../support/seed-callback.ts'
import { sharedClockMs, startChild } from './child-process.ts'
import {
  type CourierSetup,
  checkHistory,
  checkReceived,
  makeBacklog,
  openCourierSetup,
  untilRecorded,
} from './courier-setup.ts'

const endpoints = 100
/** Fresh callbacks for the ninety-nine: ten every 20 ms, for longer than an attempt that hangs takes to be cut. */
const steady = { everyMs: 20, together: 10, forMs: 15_000 }

/** The ninety-nine: their backlog's rate, and how long fresh ones took from their credit to the receiver. */
export interface HangingResult {
  perSecond: number
  p50Ms: number
  p99Ms: number
}

/**
 * Ninety-nine merchants that answer, beside one whose endpoint accepts and never does. First a backlog of theirs, begun
 * together with the hanging one's, so that it is met unawares; then fresh callbacks, while it goes on hanging.
 * @param hangingCount what is due for the hanging one; 0 measures the others without it.
 * @param count their backlog.
 */
export async function benchHanging(
  database: { pool: Pool; url: string },
  redisUrl: string | undefined,
  hangingCount: number,
  count: number,
): Promise<HangingResult> {
  const receiver = await startChild('callback-receiver.ts', [`${endpoints}`, '1'])
  const setup = await openCourierSetup({ database, receiver, redisUrl })
  try {
    const hanging = setup.merchants.get(receiver.ready.ports.at(-1))!
    const others = [...setup.merchants.values()].filter(merchant => merchant !== hanging)
    await makeBacklog(setup, others, Math.ceil(count / 2))
    await deliverAll(setup, others, Math.ceil(count / 2))
    if (hangingCount > 0) await makeBacklog(setup, [hanging], hangingCount)
    await makeBacklog(setup, others, count)
    const perSecond = await deliverAll(setup, others, count)
    const latencies = await deliverSteadily(setup, others)
    await checkHistory(setup, others)
    const at = (share: number) => latencies[Math.floor(latencies.length * share)]!
    return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99) }
  } finally {
    await setup.courier.stop()
    receiver.stop()
  }
}

/** Lets the courier go on. @returns the rate from the first arrival until the last is in the history. */
async function deliverAll(
  setup: CourierSetup,
  merchants: readonly Merchant[],
  count: number,
): Promise<number> {
  const { receiver, courier } = setup
  await receiver.ask({ kind: 'forget' })
  courier.resume()
  const { firstAt } = await receiver.ask({ kind: 'expect', count })
  await untilRecorded(setup, merchants)
  const seconds = (sharedClockMs() - firstAt) / 1000
  await checkReceived(receiver, setup.merchants, count)
  return count / seconds
}

/** @returns from commit to arrival, in ms, sorted. */
async function deliverSteadily(setup: CourierSetup, merchants: readonly Merchant[]): Promise<number[]> {
  const { receiver, pool } = setup
  await receiver.ask({ kind: 'forget' })
  const committedAt = new Map<string, number>()
  const startedAt = sharedClockMs()
  for (let tick = 0; tick * steady.everyMs < steady.forMs; tick++) {
    const orders = Array.from({ length: steady.together }, (_, i) => ({
      merchant: merchants[(tick * steady.together + i) % merchants.length]!,
    }))
    const seeded = await seedCallbacks(pool, orders)
    const now = sharedClockMs()
    for (const { key } of seeded) committedAt.set(key, now)
    await new Promise(resolve => setTimeout(resolve, startedAt + (tick + 1) * steady.everyMs - now))
  }
  await receiver.ask({ kind: 'expect', count: committedAt.size })
  await untilRecorded(setup, merchants)
  await checkReceived(receiver, setup.merchants, committedAt.size)
  const arrivals: { key: string; at: number }[] = await receiver.ask({ kind: 'arrivals' })
  return arrivals.map(({ key, at }) => at - committedAt.get(key)!).toSorted((a, b) => a - b)
}
