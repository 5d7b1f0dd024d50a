import { randomBytes } from 'node:crypto'
import { cpus, totalmem } from 'node:os'
import pg from 'pg'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/demo/embedded-database.ts'
import { benchBeside, type OrderRate } from './beside-bench.ts'
import { benchCallbacks, type DeliveryResult } from './callback-bench.ts'
import { benchBacklog, benchHeadCalls, callsLine } from './calls-bench.ts'
import { benchConsole } from './console-bench.ts'
import { benchCrowded } from './crowded-bench.ts'
import { benchFollowing, followLine, type Transport } from './follow-bench.ts'
import { benchHanging } from './hanging-bench.ts'
import { benchLatency } from './latency-bench.ts'
import { benchOrders } from './order-bench.ts'
import { benchPay } from './pay-bench.ts'
import { startBenchRedis } from './redis-server.ts'
import { benchSlowOrigins } from './slow-origins-bench.ts'
import { benchSteady } from './steady-bench.ts'
import { verifyingCosts } from './verifying-costs.ts'

// npm run bench [-- callbacks orders ...]: each bench checks its answers, then prints its figures, as ratios where
// there is a bare counterpart in the same run. Durable as in production: fsync and synchronous commit are on.
const benches: Record<string, (databases: Databases) => Promise<void>> = {
  following,
  calls,
  orders,
  beside,
  steady,
  callbacks,
  hanging,
  latency,
  crowded,
  pay,
  console: consolePages,
  day,
}

interface Databases {
  /** A migrated database of this measurement's own. */
  fresh(): Promise<{ pool: Pool; url: string }>
}

/** As many as a large gateway has. Fewer are seeded sooner, to see whether a bench works. */
const manyAddresses = Number(process.env.BENCH_ADDRESSES ?? 1_000_000)
/** What a page of the console may take, and one of an order by any of its ids. */
const [pageMs, orderMs] = [50, 20]
const asked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benches)
const server = await startEmbeddedDatabase(['-c', 'shared_buffers=512MB', '-c', 'max_wal_size=4GB'])
const pools: Pool[] = []
try {
  console.log(
    `machine: ${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, Postgres 18`,
  )
  for (const name of asked) {
    const bench = benches[name]
    if (!bench) throw new Error(`no such bench: ${name}; there are ${Object.keys(benches).join(', ')}`)
    console.log(`\n## ${name}`)
    await bench({ fresh: freshDatabase(server) })
  }
} finally {
  for (const pool of pools) await pool.end()
  await server.stop()
}

function freshDatabase(embedded: EmbeddedDatabase): Databases['fresh'] {
  return async () => {
    const name = `bench_${randomBytes(4).toString('hex')}`
    const admin = new pg.Client({ connectionString: embedded.url('postgres') })
    await admin.connect()
    await admin.query(`create database ${name}`)
    await admin.end()
    const url = embedded.url(name)
    const pool = createPool(url)
    pools.push(pool)
    await migrate(pool, createLog('warn', 'bench'))
    return { pool, url }
  }
}

async function following({ fresh }: Databases): Promise<void> {
  const blocks = Number(process.env.BENCH_BLOCKS ?? 3000)
  const follow = async (transport: Transport, addresses: number) => {
    const result = await benchFollowing((await fresh()).pool, { transport, addresses, blocks })
    console.log(followLine(result))
    return result.blocksPerSecond
  }
  const few = await follow('HTTP', 1_000)
  const many = await follow('HTTP', manyAddresses)
  const overGrpc = await follow('gRPC', manyAddresses)
  console.log(`${manyAddresses} addresses against 1000, over HTTP: ${(many / few).toFixed(2)} of the rate`)
  console.log(`gRPC against HTTP, ${manyAddresses} addresses: ${(overGrpc / many).toFixed(2)} of the rate`)
  for (const { transport, cpuMs, readMs } of verifyingCosts()) {
    console.log(
      `verifying such a block over ${transport}: ${cpuMs.toFixed(2)} ms of CPU, beside ${readMs.toFixed(2)} ms for reading its two answers`,
    )
  }
}

async function calls({ fresh }: Databases): Promise<void> {
  const blocks = Number(process.env.BENCH_HEAD_BLOCKS ?? 100)
  for (const [what, seen, paidEvery] of [
    ['sightings on, one block of ten pays us', true, 10],
    ['sightings on, every block pays us', true, 1],
    ['sightings off, one block of ten pays us', false, 10],
  ] as const) {
    console.log(`${what}: ${callsLine(await benchHeadCalls(await fresh(), { seen, paidEvery, blocks }))}`)
  }
  const backlog = Number(process.env.BENCH_BACKLOG ?? 120)
  for (const nodes of [1, 2]) {
    const seconds = await benchBacklog(await fresh(), { blocks: backlog, requestsPerSecond: 3, nodes })
    console.log(
      `${backlog} blocks behind, 3 requests a second to each of ${nodes} nodes, sightings on: caught up after ${seconds.toFixed(0)} s`,
    )
  }
}

async function orders({ fresh }: Databases): Promise<void> {
  const { pool, url } = await fresh()
  const { orders, finds, half, halfRate } = await benchOrders(
    pool,
    url,
    Number(process.env.BENCH_ORDERS ?? 20_000),
  )
  for (const [what, result] of [
    ['signed order, durable', orders.durable],
    ['signed order, storing nothing', orders.bare],
    ['findorder', finds.durable],
    ['findorder, reading nothing', finds.bare],
  ] as const) {
    console.log(`${what}: ${result.perSecond.toFixed(0)}/s, ${latencies(result)}`)
  }
  console.log(`orders against storing nothing: ${orders.ratio.toFixed(2)}`)
  console.log(`findorder against reading nothing: ${finds.ratio.toFixed(2)}`)
  console.log(`orders at half of the top rate (${halfRate.toFixed(0)}/s): ${latencies(half)}`)
}

function latencies({ p50, p99 }: { p50: number; p99: number }): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`
}

async function beside({ fresh }: Databases): Promise<void> {
  const { alone, beside, light } = await benchBeside(
    await fresh(),
    Number(process.env.BENCH_ORDERS ?? 20_000),
  )
  console.log(`signed order, durable, alone: ${besideLine(alone)}`)
  for (const [what, rate] of [
    ['beside a catch-up', beside],
    ['beside one with a thirty-second of the CPU weight', light],
  ] as const) {
    if (!rate) {
      console.log(`${what}: not measured, this kernel does not weigh sessions`)
      continue
    }
    console.log(`${what}: ${rate.ratio.toFixed(2)} of that; ${besideLine(rate)}`)
    console.log(
      `  meanwhile ${rate.blocksPerSecond.toFixed(0)} blocks/s, the cursor never still for more than ${(rate.stoodMs / 1000).toFixed(1)} s; ` +
        `cores: watcher ${rate.watcherCores.toFixed(2)}, the node it asks ${rate.nodeCores.toFixed(2)}`,
    )
  }
}

function besideLine({ perSecond, p99, apiCpuMicros }: OrderRate): string {
  return `${perSecond.toFixed(0)}/s, p99 ${p99.toFixed(1)} ms, API ${apiCpuMicros.toFixed(0)} µs of CPU each`
}

async function steady({ fresh }: Databases): Promise<void> {
  const { pool, url } = await fresh()
  const seconds = Number(process.env.BENCH_SECONDS ?? 300)
  const { residentMiB, p99 } = await benchSteady(pool, url, { perSecond: 2_000, seconds })
  console.log(
    `2000 orders/s for ${seconds} s: worst p99 of ten seconds ${p99.toFixed(1)} ms; API resident MiB:`,
  )
  console.log(residentMiB.join(' '))
}

async function callbacks({ fresh }: Databases): Promise<void> {
  const redis = await startBenchRedis()
  try {
    if (!redis) console.log('redis-server is not on the PATH: nothing measured on Redis')
    const count = Number(process.env.BENCH_CALLBACKS ?? 40_000)
    for (const [what, shape] of [
      ['a hundred merchants, an endpoint each', { origins: 100 }],
      ['a hundred endpoints of one merchant', { origins: 100, oneMerchant: true }],
      ['one endpoint of one merchant', { origins: 1 }],
    ] as const) {
      const result = await benchCallbacks(fresh, redis, count, shape)
      console.log(`${what}: a bare undici loop posts the same signed bytes at ${result.bare.toFixed(0)}/s`)
      if (result.redis) console.log(`delivered, on Redis: ${deliveryLine(result.redis)}`)
      console.log(`delivered, on Postgres: ${deliveryLine(result.postgres)}`)
    }
  } finally {
    await redis?.stop()
  }
}

function deliveryLine({ perSecond, ratio, cpu }: DeliveryResult & { ratio: number }): string {
  const micros = Object.entries(cpu)
    .filter(([, value]) => !Number.isNaN(value))
    .map(([name, value]) => `${name} ${value.toFixed(0)}`)
  return `${perSecond.toFixed(0)}/s with history, ${ratio.toFixed(2)} of the bare loop; CPU µs each: ${micros.join(', ')}`
}

async function hanging({ fresh }: Databases): Promise<void> {
  await withRedis(async redisUrl => {
    const count = Number(process.env.BENCH_CALLBACKS ?? 20_000)
    const without = await benchHanging(await fresh(), redisUrl, 0, count)
    const beside = await benchHanging(await fresh(), redisUrl, 20_000, count)
    for (const [what, result] of [
      ['ninety-nine merchants alone', without],
      ['beside one that hangs, 20 000 due', beside],
    ] as const) {
      console.log(
        `${what}: ${result.perSecond.toFixed(0)}/s; credit to receiver p50 ${result.p50Ms.toFixed(1)} ms, p99 ${result.p99Ms.toFixed(1)} ms`,
      )
    }
    console.log(`beside it against alone: ${(beside.perSecond / without.perSecond).toFixed(2)} of the rate`)
    await slowOrigins({ fresh }, redisUrl)
  })
}

/** The second row of `hanging`, on both queues. */
async function slowOrigins({ fresh }: Databases, redisUrl: string | undefined): Promise<void> {
  for (const url of redisUrl ? [redisUrl, undefined] : [undefined]) {
    const queue = url ? 'Redis' : 'Postgres'
    const without = await benchSlowOrigins(await fresh(), url, 0)
    const beside = await benchSlowOrigins(await fresh(), url, 10_000)
    for (const [what, { p50Ms, p99Ms, mostMs }] of [
      ['one merchant alone', without],
      ['beside one with 200 origins that answer after 9 s, 10 000 due', beside],
    ] as const) {
      console.log(
        `${what}, on ${queue}: credit to receiver p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, at most ${mostMs.toFixed(0)} ms`,
      )
    }
  }
}

async function latency({ fresh }: Databases): Promise<void> {
  await withRedis(async redisUrl => {
    const { callbacks, p50Ms, p99Ms } = await benchLatency(await fresh(), redisUrl)
    console.log(
      `solidified block served to receiver, 50 credits a block, ${callbacks} callbacks: ` +
        `p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`,
    )
  })
}

async function crowded({ fresh }: Databases): Promise<void> {
  const results = await benchCrowded((await fresh()).pool, Number(process.env.BENCH_ROUNDS ?? 200))
  const line = ({ p50, p95 }: { p50: number; p95: number }) =>
    `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`
  for (const { name, dust, exact, sixty } of results) {
    console.log(
      `crediting a block, ${name} at its address: one transfer ${line(dust)}; one of exactly an amount ${line(exact)}; ` +
        `sixty ${line(sixty)}`,
    )
  }
}

async function pay({ fresh }: Databases): Promise<void> {
  const { pool, url } = await fresh()
  const { bytes, load, top, memory } = await benchPay(pool, url, manyAddresses)
  console.log(
    `first load: page ${bytes.page}, style sheet ${bytes.css}, module ${bytes.js} bytes, gzip: ${bytes.page + bytes.css + bytes.js} in all`,
  )
  console.log(
    `a page of one of ${manyAddresses} orders, 100 asked for in a second: p50 ${load.p50.toFixed(1)} ms, p99 ${load.p99.toFixed(1)} ms; ` +
      `at most ${Math.round(top.perSecond)} in a second`,
  )
  console.log(
    `${memory.pages} pages held open: ${memory.addedMiB.toFixed(0)} MiB more, ${memory.connections} connections to Postgres more, ` +
      `all told of a change within ${memory.toldMs.toFixed(0)} ms of its commit`,
  )
}

async function consolePages({ fresh }: Databases): Promise<void> {
  const orders = Number(process.env.BENCH_CONSOLE_ORDERS ?? 1_000_000)
  // Nine orders of ten are paid: three million attempts.
  const many = { merchants: 200, orders, days: 30, attempts: 10 / 3 }
  const { seedS, sumS, pages, left } = await benchConsole(await fresh(), many)
  console.log(
    `${orders} orders of 30 days, ${3 * orders} attempts, 200 merchants, seeded in ${seedS.toFixed(0)} s; all summed up by day in ${sumS.toFixed(1)} s`,
  )
  for (const { path, scope, status, firstMs, p50, p95, bytes } of pages) {
    const limit = /:(ordersn|orderid|txid|address|key)/.test(path) ? orderMs : pageMs
    const over = p95 > limit ? `, OVER ${limit} ms` : ''
    console.log(
      `${path} (${scope}): ${status === 200 ? '' : `${status}, `}p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, first ${firstMs.toFixed(0)} ms, ` +
        `${status === 200 ? `${(bytes / 1000).toFixed(1)} kB gzip` : 'leads on'}${over}`,
    )
  }
  if (left.length > 0) console.log(`not measured, no id is known: ${left.join(', ')}`)
}

/** On Redis where there is one, else on Postgres, and says so. */
async function withRedis(work: (redisUrl: string | undefined) => Promise<void>): Promise<void> {
  const redis = await startBenchRedis()
  if (!redis) console.log('redis-server is not on the PATH: the queue is on Postgres')
  try {
    await work(redis?.url)
  } finally {
    await redis?.stop()
  }
}

/** A day's gap, caught up in one run. */
async function day({ fresh }: Databases): Promise<void> {
  const blocks = Number(process.env.BENCH_BLOCKS ?? 28_800)
  for (const transport of ['HTTP', 'gRPC'] as const) {
    const result = await benchFollowing((await fresh()).pool, { transport, addresses: manyAddresses, blocks })
    const seconds = blocks / result.blocksPerSecond
    console.log(`${blocks} blocks in ${seconds.toFixed(0)} s, with ${followLine(result)}`)
  }
}
