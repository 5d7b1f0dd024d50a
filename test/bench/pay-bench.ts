import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { type Pool, rows, run } from '../../src/db/pool.ts'
import { payPath } from '../../src/orders/pay-link.ts'
import { checkoutCss, payJs } from '../../src/web/checkout/checkout-assets.ts'
import { waitUntil } from '../support/wait-until.ts'
import { httpLoad, type LoadResult, pacedLoad } from './http-load.ts'
import { connections, openOrderingShop, startOrderServer } from './ordering-shop.ts'

const asked = 3_000
const perSecond = 100
const seededAtOnce = 50_000
const heldOpen = 2_000
/** One client may hold 64. */
const perClient = 50

export interface PayResult {
  /** Of what a browser loads first, compressed. */
  bytes: { page: number; css: number; js: number }
  /** Pages at a steady rate, each of another order. */
  load: LoadResult
  top: LoadResult
  memory: { pages: number; addedMiB: number; connections: number; toldMs: number }
}

/** Asks for the pages of many orders, and holds many pages open. @param orders how many orders there are. */
export async function benchPay(pool: Pool, url: string, orders: number): Promise<PayResult> {
  await openOrderingShop(pool, url)
  await seedOrders(pool, orders)
  const tokens = await rows<{ token: Buffer }>(pool, `select token from pay_link order by token limit $1`, [
    2 * asked,
  ])
  const paths = tokens.map(({ token }) => payPath(token))
  const { child, port } = await startOrderServer('durable', url)
  try {
    const prepared = paths.map(path => requestFor(path, port))
    await httpLoad({ port, connections, next: nextOf(prepared.slice(0, asked)) })
    const load = await pacedLoad({ port, connections, perSecond, requests: prepared.slice(0, asked) })
    const top = await httpLoad({ port, connections, next: nextOf(prepared.slice(asked)) })
    for (const { statuses } of [load, top]) assert.deepEqual(Object.keys(statuses), ['200'])
    const page = await (await fetch(`http://127.0.0.1:${port}${paths[0]}`)).text()
    const bytes = { page: gzipSync(page).length, css: checkoutCss.gzip.length, js: payJs.gzip.length }
    const memory = await holdOpen(pool, child.pid!, port, paths.slice(0, heldOpen))
    return { bytes, load, top, memory }
  } finally {
    child.kill()
  }
}

/** Orders of the shop's users, each with a link. */
async function seedOrders(pool: Pool, orders: number): Promise<void> {
  for (let first = 1; first <= orders; first += seededAtOnce) {
    await run(
      pool,
      `with placed as (
         insert into recharge_order (merchant_id, orderid, username, localusermark, deposit_address_id, amount, expires_at)
         select d.merchant_id, 'pay-' || n, d.username, d.localusermark, d.id, 25000000, now() + interval '1 day'
           from generate_series($1::int, $2::int) as n
           join (select *, row_number() over (order by id) - 1 as place, count(*) over () as of from deposit_address) d
             on d.place = n % d.of
         returning id
       )
       insert into pay_link (order_id, token) select id, decode(md5(id::text), 'hex') from placed`,
      [first, Math.min(first + seededAtOnce - 1, orders)],
    )
  }
  for (const table of ['recharge_order', 'pay_link', 'deposit_address'])
    await pool.query(`vacuum analyze ${table}`)
}

async function holdOpen(pool: Pool, pid: number, port: number, paths: readonly string[]) {
  const sockets: Socket[] = []
  const before = { kib: residentKib(pid), connections: await serverConnections(pool) }
  let told = 0
  for (const [i, path] of paths.entries()) {
    const socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: `127.0.1.${1 + Math.floor(i / perClient)}`,
    })
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      if (chunk.includes('event: change')) told++
    })
    socket.write(requestFor(`${path}/events`, port))
    sockets.push(socket)
    if (i % 100 === 99) await sleep(20)
  }
  await waitUntil('every page has been told its state', () => told >= paths.length)
  const after = { kib: residentKib(pid), connections: await serverConnections(pool) }
  told = 0
  await run(
    pool,
    `update recharge_order
        set received = amount
      where id = any(array(select order_id from pay_link order by token limit $1))`,
    [paths.length],
  )
  const changedAt = performance.now()
  await waitUntil('every page has been told of the change', () => told >= paths.length)
  const toldMs = performance.now() - changedAt
  for (const socket of sockets) socket.destroy()
  return {
    pages: paths.length,
    addedMiB: (after.kib - before.kib) / 1024,
    connections: after.connections - before.connections,
    toldMs,
  }
}

function nextOf(prepared: readonly Buffer[]): () => Buffer | null {
  let sent = 0
  return () => prepared[sent++] ?? null
}

function requestFor(path: string, port: number): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept-language: en\r\n\r\n`)
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

async function serverConnections(pool: Pool): Promise<number> {
  const [{ n }] = (await rows<{ n: bigint }>(
    pool,
    `select count(*) as n from pg_stat_activity where datname = current_database()`,
  )) as [{ n: bigint }]
  return Number(n)
}
