import assert from 'node:assert/strict'
import { readCursor } from '../../src/blocks/chain-store.ts'
import type { Pool } from '../../src/db/pool.ts'
import { besideCatchUp, canLighten, openChainAhead, type Progress, placePaidOrders } from './chain-ahead.ts'
import { httpLoad } from './http-load.ts'
import { oursPerBlock, paidAddresses } from './memory-chain.ts'
import {
  connections,
  type OrderingShop,
  openOrderingShop,
  orderRequest,
  startOrderServer,
  users,
} from './ordering-shop.ts'
import { cpuMicros } from './process-cpu.ts'

/** In turns, so that what else the machine does falls on all alike. */
const rounds = 3

/** Orders for themselves, or with a catch-up beside them. CPU is NaN where there is no /proc. */
export interface OrderRate {
  perSecond: number
  p99: number
  /** Of the API's process, for each order: what does not depend on how many cores there are. */
  apiCpuMicros: number
}

export interface OrderRateBeside extends OrderRate {
  /** Of `OrderRate.perSecond` alone. */
  ratio: number
  blocksPerSecond: number
  /** The longest time in which the cursor did not move. */
  stoodMs: number
  watcherCores: number
  /** Of the node that the watcher asks, which in production is another machine's. */
  nodeCores: number
}

type Load = OrderRate & { seconds: number }

/**
 * Signed, durable orders at 64 connections: alone, beside a catch-up on the same database, and beside one with a thirty-second
 * of the CPU weight (null where sessions have none). API and watcher have a session each, as services have; the load and the
 * node share the bench's. At the end every order is stored, once, and every payment up to the cursor is credited.
 */
export async function benchBeside(
  database: { pool: Pool; url: string },
  requests: number,
): Promise<{ alone: OrderRate; beside: OrderRateBeside; light: OrderRateBeside | null }> {
  const chain = await openChainAhead(database)
  const shop = await openOrderingShop(database.pool, database.url)
  await placePaidOrders(database.pool)
  const server = await startOrderServer('durable', database.url, { ownSession: true })
  const load = (name: string) => () => loadOnce(shop, server, name, requests)
  const [alone, beside, light]: [Load[], (Load & Progress)[], (Load & Progress)[]] = [[], [], []]
  try {
    await load('warm')()
    for (let round = 0; round < rounds; round++) {
      alone.push(await load(`alone-${round}`)())
      beside.push(await besideCatchUp(chain, { light: false }, load(`beside-${round}`)))
      if (canLighten()) light.push(await besideCatchUp(chain, { light: true }, load(`light-${round}`)))
    }
  } finally {
    server.child.kill()
    chain.node.stop()
  }
  const loads = 1 + alone.length + beside.length + light.length
  await check(database.pool, requests * loads, chain.firstHeight)
  const rate = rateOf(alone)
  return {
    alone: rate,
    beside: rateBeside(beside, rate),
    light: light.length > 0 ? rateBeside(light, rate) : null,
  }
}

async function loadOnce(
  shop: OrderingShop,
  { child, port }: Awaited<ReturnType<typeof startOrderServer>>,
  name: string,
  requests: number,
): Promise<Load> {
  const prepared = Array.from({ length: requests }, (_, n) =>
    orderRequest(shop, port, `${name}-${n}`, n % users),
  )
  let sent = 0
  const cpuBefore = cpuMicros(child.pid!)
  const result = await httpLoad({ port, connections, next: () => prepared[sent++] ?? null })
  assert.deepEqual(result.statuses, { 200: requests }, result.firstFailure ?? '')
  const { perSecond, p99 } = result
  const apiCpuMicros = (cpuMicros(child.pid!) - cpuBefore) / requests
  return { perSecond, p99, apiCpuMicros, seconds: requests / perSecond }
}

async function check(pool: Pool, orders: number, firstHeight: number): Promise<void> {
  const blocks = (await readCursor(pool))!.height - firstHeight
  const { rows } = await pool.query(
    `select count(*) as orders, count(distinct orderid) as distinct, (select count(*) from credit) as credits
       from recharge_order`,
  )
  const stored = BigInt(orders + paidAddresses)
  assert.deepEqual(rows[0], { orders: stored, distinct: stored, credits: BigInt(blocks * oursPerBlock) })
}

/** Over all rounds, each of as many orders; of latencies the worst. */
function rateOf(loads: readonly Load[]): OrderRate {
  return {
    perSecond: loads.length / sum(loads, load => 1 / load.perSecond),
    p99: Math.max(...loads.map(load => load.p99)),
    apiCpuMicros: sum(loads, load => load.apiCpuMicros) / loads.length,
  }
}

function rateBeside(loads: readonly (Load & Progress)[], alone: OrderRate): OrderRateBeside {
  // A watcher that leaves the orders alone by doing nothing would prove nothing.
  for (const { blocks } of loads) assert(blocks > 0, 'the cursor did not move')
  const seconds = sum(loads, load => load.seconds)
  const rate = rateOf(loads)
  return {
    ...rate,
    ratio: rate.perSecond / alone.perSecond,
    blocksPerSecond: sum(loads, load => load.blocks) / seconds,
    stoodMs: Math.max(...loads.map(load => load.stoodMs)),
    watcherCores: sum(loads, load => load.watcherMicros) / 1e6 / seconds,
    nodeCores: sum(loads, load => load.nodeMicros) / 1e6 / seconds,
  }
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0)
}
