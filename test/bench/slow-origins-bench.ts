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

const slowOrigins = 200
const warmUpCount = 2_000
/** Less than an attempt may take: a success, which opens no circuit. */
const answerAfterMs = 9_000
/** For longer than two rounds of slow attempts. Not in step with anything. */
const steady = { everyMs: 97, forMs: 25_000 }

/** From the commit of a callback to the receiver, in milliseconds. */
export interface SlowOriginsResult {
  p50Ms: number
  p99Ms: number
  mostMs: number
}

/**
 * One callback after the other of one merchant, beside a merchant whose orders name two hundred origins that all answer, after
 * nine seconds.
 * @param slowCount what is due for that one; 0 measures without it.
 */
export async function benchSlowOrigins(
  database: { pool: Pool; url: string },
  redisUrl: string | undefined,
  slowCount: number,
): Promise<SlowOriginsResult> {
  const receiver = await startChild('callback-receiver.ts', [
    `${slowOrigins + 1}`,
    `${slowOrigins}`,
    `${answerAfterMs}`,
  ])
  const [port, ...slowPorts] = receiver.ready.ports as [number, ...number[]]
  const setup = await openCourierSetup({ database, receiver, redisUrl, ports: [port, slowPorts[0]!] })
  try {
    const [merchant, slow] = [setup.merchants.get(port)!, setup.merchants.get(slowPorts[0]!)!]
    await warmUp(setup, [merchant])
    // Met unawares: due before the courier goes on.
    if (slowCount > 0)
      await makeBacklog(
        setup,
        [slow],
        slowCount,
        slowPorts.map(port => `http://127.0.0.1:${port}/callback`),
      )
    await receiver.ask({ kind: 'forget' })
    setup.courier.resume()
    const committedAt = new Map<string, number>()
    const startedAt = sharedClockMs()
    for (let tick = 1; tick * steady.everyMs < steady.forMs; tick++) {
      const [seeded] = await seedCallbacks(database.pool, [{ merchant }])
      const now = sharedClockMs()
      committedAt.set(seeded!.key, now)
      await new Promise(resolve => setTimeout(resolve, startedAt + tick * steady.everyMs - now))
    }
    await receiver.ask({ kind: 'expect', count: committedAt.size })
    await untilRecorded(setup, [merchant])
    await checkReceived(receiver, setup.merchants, committedAt.size)
    await checkHistory(setup, [merchant])
    const arrivals: { key: string; at: number }[] = await receiver.ask({ kind: 'arrivals' })
    const latencies = arrivals.map(({ key, at }) => at - committedAt.get(key)!).toSorted((a, b) => a - b)
    const at = (share: number) => latencies[Math.floor(latencies.length * share)]!
    return { p50Ms: at(0.5), p99Ms: at(0.99), mostMs: latencies.at(-1)! }
  } finally {
    await setup.courier.stop()
    receiver.stop()
  }
}

/** A process that has just started is slow for a while, whoever is beside whom. */
async function warmUp(setup: CourierSetup, merchants: readonly Merchant[]): Promise<void> {
  await makeBacklog(setup, merchants, warmUpCount)
  setup.courier.resume()
  await untilRecorded(setup, merchants)
}
