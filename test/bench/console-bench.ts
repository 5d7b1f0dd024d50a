import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { MerchantId } from '../../src/base/ids.ts'
import { addToDays } from '../../src/credits/money-day-store.ts'
import { inTransaction, type Pool, rows, run } from '../../src/db/pool.ts'
import { insertKey } from '../../src/merchants/key-store.ts'
import { consoleRoutes } from '../../src/web/console/console-routes.ts'
import { consoleAssets } from '../../src/web/console/parts/layout.tsx'
import { followChain } from '../support/api-under-test.ts'
import { type ConsoleUnderTest, openConsoleOn } from '../support/console-under-test.ts'
import { appidOf, type Many, seedMany } from '../support/seed-many.ts'
import { masterKey } from './ordering-shop.ts'

const measured = 60
const warmUps = 5
/** Below the limit on requests of one address, and as people who look at pages do. */
const pauseMs = 5

/** One page as one person sees it. */
export interface MeasuredPage {
  path: string
  /** Whose merchant's: all, the largest, a usual one. */
  scope: string
  status: number
  /** The first request of all. */
  firstMs: number
  p50: number
  p95: number
  /** Of a first load, compressed: the page, the style sheet and the module. */
  bytes: number
}

export interface ConsoleResult {
  seedS: number
  /** How long all sums by day took, once. */
  sumS: number
  pages: MeasuredPage[]
  /** Routes for which no id is known. */
  left: string[]
}

/** Asks for every page of the console, of a gateway with many orders, one after another. */
export async function benchConsole(
  database: { pool: Pool; url: string },
  many: Many,
): Promise<ConsoleResult> {
  const { pool } = database
  const beganAt = performance.now()
  await followChain(pool)
  await seedMany(pool, many)
  await seedKeys(pool, many.merchants)
  await run(
    pool,
    `insert into discrepancy (kind, subject, detail) select 'balance', 'address ' || n, '{}' from generate_series(1, 1000) n`,
  )
  const seededAt = performance.now()
  while (await addToDays(pool)) {}
  const summedAt = performance.now()
  const center = await openConsoleOn(database, {
    MASTER_KEY: masterKey,
    IP_RATE_LIMIT_PER_MINUTE: '0',
    TRON_NETWORK: 'sandbox',
  })
  try {
    const ids = await sampleIds(pool)
    const pages: MeasuredPage[] = []
    const left: string[] = []
    const assets = consoleAssets.reduce((sum, { gzip }) => sum + gzip.length, 0)
    for (const path of readPaths()) {
      const paths = pathsOf(path, ids)
      if (!paths) left.push(path)
      else pages.push(...(await measurePage(center, { path, paths, assets })))
    }
    return { seedS: (seededAt - beganAt) / 1_000, sumS: (summedAt - seededAt) / 1_000, pages, left }
  } finally {
    await center.close()
  }
}

/** A merchant without a key is not held in memory: each look for it would be a look into the database. */
function seedKeys(pool: Pool, merchants: number): Promise<void> {
  return inTransaction(pool, async tx => {
    for (let id = 1; id <= merchants; id++) {
      const merchantId = BigInt(id) as MerchantId
      const key = `${id}`.padStart(32, '0')
      await insertKey(tx, Buffer.from(masterKey, 'hex'), {
        merchantId,
        scheme: 'hmac-sha256',
        key,
        promoted: true,
      })
    }
  })
}

/** GET routes that show a page to who has signed in, so not the exports; a search also with each kind of id. */
function readPaths(): string[] {
  const paths = consoleRoutes()
    .filter(({ method, who }) => method === 'GET' && who !== 'anyone' && who !== 'half')
    .map(({ path }) => path)
    .filter(path => !path.endsWith('.csv'))
  const searches = paths.includes('/search')
    ? ['orderid', 'ordersn', 'txid', 'address', 'key', 'user', 'amount'].map(kind => `/search?q=:${kind}`)
    : []
  return [...paths, ...searches]
}

type Ids = Record<string, readonly string[]>

const numbers = measured + warmUps

/** Ids of orders of the largest merchant and of another, spread over all that there are. */
async function sampleIds(pool: Pool): Promise<{ largest: Ids; usual: Ids }> {
  const of = async (merchantId: number): Promise<Ids> => {
    const found = await rows<Record<string, string>>(
      pool,
      `select o.ordersn, o.orderid, o.localusermark as user, t.txid, a.address, c.key, (o.amount / 1000000.0)::text as amount
         from recharge_order o
         join deposit_address a on a.id = o.deposit_address_id
         join callback c on c.order_id = o.id
         join credit r on r.id = c.credit_id
         join transfer t on t.id = r.transfer_id
        where o.merchant_id = $1
        order by md5(o.orderid)
        limit ${numbers}`,
      [merchantId],
    )
    const waiting = await rows<{ id: string }>(
      pool,
      `select w.transfer_id::text as id
         from waiting_transfer w
         join deposit_address a on a.id = w.deposit_address_id
        where a.merchant_id = $1
        limit ${numbers}`,
      [merchantId],
    )
    const discrepancies = await rows<{ id: string }>(
      pool,
      `select id::text from discrepancy limit ${numbers}`,
    )
    return {
      ...Object.fromEntries(Object.keys(found[0]!).map(name => [name, found.map(row => row[name]!)])),
      waiting: waiting.map(({ id }) => id),
      discrepancies: discrepancies.map(({ id }) => id),
    }
  }
  return { largest: await of(1), usual: await of(8) }
}

/** What stands for a parameter. Routes with others are listed as left out. */
const parameters: Record<string, string> = {
  ...{ ordersn: 'ordersn', orderid: 'orderid', key: 'key', address: 'address', txid: 'txid' },
  ...{ user: 'user', amount: 'amount', mark: 'user', localusermark: 'user' },
}
/** What stands for `:id`, by the route: each kind of thing has its own. */
const idOf: Record<string, string> = {
  '/money/transfers/:id': 'waiting',
  '/money/discrepancies/:id': 'discrepancies',
}
const constants: Record<string, string> = { alarm: 'lag', appid: appidOf(7) }

/** @returns the path with ids, for each merchant; null when no id is known. */
function pathsOf(
  path: string,
  ids: { largest: Ids; usual: Ids },
): { largest: string[]; usual: string[] } | null {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!)
  const idsOf = (name: string) => (name === 'id' ? idOf[path] : parameters[name])
  if (names.some(name => !idsOf(name) && !constants[name])) return null
  const fill = (of: Ids) =>
    Array.from({ length: numbers }, (_, i) =>
      path.replace(/:(\w+)/g, (_, name: string) => {
        const known = of[idsOf(name)!]
        return encodeURIComponent(constants[name] ?? known![i % known!.length]!)
      }),
    )
  return { largest: fill(ids.largest), usual: fill(ids.usual) }
}

async function measurePage(
  center: ConsoleUnderTest,
  page: { path: string; paths: { largest: string[]; usual: string[] }; assets: number },
): Promise<MeasuredPage[]> {
  const visit = await center.signedIn(center.admin, { confirmed: true })
  const cookie = [...visit.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const ask = async (path: string) => {
    const began = performance.now()
    const response = await center.app.inject({
      url: `/console${path}`,
      headers: { cookie, 'accept-encoding': 'gzip' },
    })
    return { response, ms: performance.now() - began }
  }
  const results: MeasuredPage[] = []
  for (const [scope, merchant, paths] of [
    ['all', null, page.paths.largest],
    ['largest', appidOf(0), page.paths.largest],
    ['usual', appidOf(7), page.paths.usual],
  ] as const) {
    const urls = paths.map(path => {
      const url = path === '/' ? '' : path
      return merchant ? `${url}${url.includes('?') ? '&' : '?'}merchant=${merchant}` : url
    })
    const first = await ask(urls[0]!)
    const { statusCode } = first.response
    assert(statusCode < 500, `${page.path}: ${statusCode} ${first.response.body.slice(0, 200)}`)
    // A page of one merchant, without one.
    if (statusCode === 404) continue
    const took: number[] = []
    for (const [i, url] of urls.slice(1).entries()) {
      const { ms, response } = await ask(url)
      assert.equal(response.statusCode < 400, statusCode < 400, url)
      if (i >= warmUps - 1) took.push(ms)
      await sleep(pauseMs)
    }
    took.sort((a, b) => a - b)
    const at = (part: number) => took[Math.min(took.length - 1, Math.floor(took.length * part))]!
    const { headers, rawPayload } = first.response
    const bytes = headers['content-encoding'] ? rawPayload.length : gzipSync(rawPayload).length
    const isPage = `${headers['content-type']}`.startsWith('text/html')
    results.push({
      ...{ path: page.path, scope, status: statusCode, firstMs: first.ms, p50: at(0.5), p95: at(0.95) },
      bytes: isPage ? bytes + page.assets : bytes,
    })
  }
  return results
}
