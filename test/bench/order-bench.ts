import assert from 'node:assert/strict'
import type { Pool } from '../../src/db/pool.ts'
import { httpLoad, type LoadResult, pacedLoad } from './http-load.ts'
import {
  connections,
  type OrderingShop,
  openOrderingShop,
  orderRequest,
  requestBytes,
  type ServerMode,
  startOrderServer,
  users,
} from './ordering-shop.ts'

/** How long the load at half of the top rate goes on. */
const pacedSeconds = 15
const warmSeconds = 3

/**
 * Signed TraderRechargeorder and findorder at 64 connections: durable, and the same routes verifying the signature and
 * storing and reading nothing; and orders at half of the top rate, where latency says something.
 */
export async function benchOrders(pool: Pool, url: string, requests: number) {
  const shop = await openOrderingShop(pool, url)
  const orders = await against(shop, requests, (port, name, n) => orderRequest(shop, port, name, n % users))
  const { rows } = await pool.query(
    `select count(*) as orders, count(distinct orderid) as distinct from recharge_order`,
  )
  assert.deepEqual(
    rows[0],
    { orders: BigInt(requests * 2), distinct: BigInt(requests * 2) },
    'every order is stored, once',
  )
  const halfRate = orders.durable.perSecond / 2
  const half = await atRate(shop, halfRate)
  const finds = await against(shop, requests, (port, _, n) =>
    requestBytes(shop, port, 'findorder', { orderid: `durable-hot-${n}` }),
  )
  return { orders, finds, half, halfRate }
}

type MakeRequest = (port: number, name: string, n: number) => Buffer

async function against(shop: OrderingShop, requests: number, make: MakeRequest) {
  const durable = await measure('durable', shop, requests, make)
  const bare = await measure('bare', shop, requests, make)
  return { durable, bare, ratio: durable.perSecond / bare.perSecond }
}

/** Warms up with as many requests as it then measures. */
async function measure(
  mode: ServerMode,
  shop: OrderingShop,
  requests: number,
  make: MakeRequest,
): Promise<LoadResult> {
  const { child, port } = await startOrderServer(mode, shop.url)
  try {
    let result: LoadResult | undefined
    for (const round of ['warm', 'hot']) {
      const prepared = Array.from({ length: requests }, (_, n) => make(port, `${mode}-${round}-${n}`, n))
      let sent = 0
      result = await httpLoad({ port, connections, next: () => prepared[sent++] ?? null })
      assert.deepEqual(result.statuses, { 200: requests }, result.firstFailure ?? '')
    }
    return result!
  } finally {
    child.kill()
  }
}

async function atRate(shop: OrderingShop, perSecond: number): Promise<LoadResult> {
  const { child, port } = await startOrderServer('durable', shop.url)
  try {
    const prepare = (name: string, seconds: number) =>
      Array.from({ length: Math.round(perSecond * seconds) }, (_, n) =>
        orderRequest(shop, port, `${name}-${n}`, n % users),
      )
    // A process that has just started is slow for a second: that is not what is asked.
    await pacedLoad({ port, connections, perSecond, requests: prepare('half-warm', warmSeconds) })
    const prepared = prepare('half', pacedSeconds)
    const result = await pacedLoad({ port, connections, perSecond, requests: prepared })
    assert.deepEqual(result.statuses, { 200: prepared.length }, result.firstFailure ?? '')
    return result
  } finally {
    child.kill()
  }
}
