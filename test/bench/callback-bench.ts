import type { Pool } from '../../src/db/pool.ts'
import { type BenchChild, sharedClockMs, startChild } from './child-process.ts'
import {
  type CourierSetup,
  checkHistory,
  checkReceived,
  makeBacklog,
  openCourierSetup,
  untilRecorded,
} from './courier-setup.ts'
import { cpuMicros, serverPid } from './process-cpu.ts'
import type { startBenchRedis } from './redis-server.ts'

const rounds = 3
/** What the bare loop has in flight; with more it is slower. */
const concurrency = 256

type BenchRedis = NonNullable<Awaited<ReturnType<typeof startBenchRedis>>>

/** What delivering came to. CPU in microseconds for each callback, NaN where there is no /proc. */
export interface DeliveryResult {
  perSecond: number
  cpu: { courier: number; postgres: number; redis: number; receiver: number }
}

/** Medians over the rounds; a ratio is of rates of the same round. */
export interface CallbackResult {
  bare: number
  /** Null without a Redis. */
  redis: (DeliveryResult & { ratio: number }) | null
  postgres: DeliveryResult & { ratio: number }
}

/**
 * Delivers backlogs to merchants on a local receiver, each with an origin of its own: by a bare undici loop, by
 * a courier on Redis, by a courier on Postgres, in turn. What is not measured stands still meanwhile.
 * @param shape.origins how many there are.
 * @param shape.oneMerchant the origins are all of one merchant's orders.
 */
export async function benchCallbacks(
  fresh: () => Promise<{ pool: Pool; url: string }>,
  redis: BenchRedis | null,
  count: number,
  shape: { origins: number; oneMerchant?: boolean },
): Promise<CallbackResult> {
  const receiver = await startChild('callback-receiver.ts', [`${shape.origins}`, '0'])
  const bare = await startChild('bare-loop.ts', [`${concurrency}`])
  const setups: CourierSetup[] = []
  try {
    for (const redisUrl of redis ? [redis.url, undefined] : [undefined]) {
      const setup = await openCourierSetup({ database: await fresh(), receiver, redisUrl })
      setups.push(shape.oneMerchant ? { ...setup, merchants: allOfOne(setup) } : setup)
      setups.at(-1)!.courier.pause()
    }
    const results: { bare: number; couriers: DeliveryResult[] }[] = []
    for (let round = 0; round <= rounds; round++) {
      // The first warms up.
      const size = round === 0 ? Math.ceil(count / 2) : count
      const result = { bare: await postBare(bare, setups[0]!, size), couriers: [] as DeliveryResult[] }
      for (const setup of setups)
        result.couriers.push(await deliver(setup, size, setup.onRedis ? redis!.pid : Number.NaN))
      if (round > 0) results.push(result)
    }
    for (const setup of setups) await checkHistory(setup, [...setup.merchants.values()])
    return summarise(results, redis !== null)
  } finally {
    for (const setup of setups) await setup.courier.stop()
    bare.stop()
    receiver.stop()
  }
}

/** The first merchant at every port, with that port's URL. */
function allOfOne({ merchants }: CourierSetup): CourierSetup['merchants'] {
  const [one] = merchants.values()
  return new Map([...merchants].map(([port, { callbackUrl }]) => [port, { ...one!, callbackUrl }]))
}

/** From the first arrival to the last. */
async function postBare(bare: BenchChild, setup: CourierSetup, count: number): Promise<number> {
  const { receiver, merchants } = setup
  await bare.ask({ kind: 'prepare', merchants: [...merchants.values()], count })
  await receiver.ask({ kind: 'forget' })
  await bare.ask({ kind: 'post' })
  const { firstAt, lastAt } = await receiver.ask({ kind: 'expect', count })
  await checkReceived(receiver, merchants, count)
  return (count / (lastAt - firstAt)) * 1000
}

/** From the first arrival until the last is in the history. */
async function deliver(setup: CourierSetup, count: number, redisPid: number): Promise<DeliveryResult> {
  const { receiver, courier, merchants } = setup
  const all = [...merchants.values()]
  const isOne = all.every(({ id }) => id === all[0]!.id)
  await makeBacklog(setup, all, count, isOne ? all.map(({ callbackUrl }) => callbackUrl!) : undefined)
  await receiver.ask({ kind: 'forget' })
  const pids = {
    courier: courier.pid,
    postgres: await serverPid(setup.pool),
    redis: redisPid,
    receiver: receiver.pid,
  }
  const before = cpuOf(pids)
  courier.resume()
  const { firstAt } = await receiver.ask({ kind: 'expect', count })
  await untilRecorded(setup, all)
  const recordedAt = sharedClockMs()
  const after = cpuOf(pids)
  courier.pause()
  await checkReceived(receiver, merchants, count)
  const each = (name: keyof typeof pids) => (after[name] - before[name]) / count
  return {
    perSecond: (count / (recordedAt - firstAt)) * 1000,
    cpu: {
      courier: each('courier'),
      postgres: each('postgres'),
      redis: each('redis'),
      receiver: each('receiver'),
    },
  }
}

function cpuOf<Name extends string>(pids: Record<Name, number>): Record<Name, number> {
  const entries = Object.entries<number>(pids).map(([name, pid]) => [name, cpuMicros(pid)])
  return Object.fromEntries(entries)
}

function summarise(
  results: readonly { bare: number; couriers: DeliveryResult[] }[],
  onRedis: boolean,
): CallbackResult {
  const of = (index: number) => {
    const median = (pick: (result: DeliveryResult) => number) =>
      medianOf(results.map(({ couriers }) => pick(couriers[index]!)))
    return {
      perSecond: median(result => result.perSecond),
      cpu: {
        courier: median(result => result.cpu.courier),
        postgres: median(result => result.cpu.postgres),
        redis: median(result => result.cpu.redis),
        receiver: median(result => result.cpu.receiver),
      },
      ratio: medianOf(results.map(({ bare, couriers }) => couriers[index]!.perSecond / bare)),
    }
  }
  return {
    bare: medianOf(results.map(({ bare }) => bare)),
    redis: onRedis ? of(0) : null,
    postgres: of(onRedis ? 1 : 0),
  }
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
