import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { UsageError } from '../../src/base/errors.ts'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool, rows } from '../../src/db/pool.ts'
import { sharesSessions } from '../../src/db/pooling-proxy.ts'
import { type Process, startGateway } from '../../src/start-gateway.ts'
import { cloneDatabase } from '../support/database.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { stateOf, withCourier } from '../support/open-courier.ts'
import { keepsPreparedStatements, noPgbouncer, settleRole, startPgbouncer } from '../support/pgbouncer.ts'
import { seedCallback } from '../support/seed-callback.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = createLog('silent', 'test')
const skip = noPgbouncer

async function refusal(start: () => Promise<unknown>): Promise<string> {
  try {
    await start()
  } catch (error) {
    assert(error instanceof UsageError, `${error}`)
    return error.problems.join('\n')
  }
  return ''
}

/** Starts processes, and stops them again. */
function startAndStop(databaseUrl: string, ...processes: Process[]): () => Promise<unknown> {
  const settings = { DATABASE_URL: databaseUrl, MASTER_KEY: randomBytes(32).toString('hex'), PORT: '0' }
  const config = readConfig({ ...settings, PUBLIC_URL: 'http://127.0.0.1' }, 'api', 'courier')
  return async () => {
    const started = await startGateway({ config: config as never, processes, log })
    await started?.stop()
  }
}

test('a proxy is seen, and whether it shares sessions', { skip }, async () => {
  const { url, pool } = await cloneDatabase()
  assert.equal(await sharesSessions(pool), false)
  await settleRole(pool)
  for (const mode of ['session', 'transaction'] as const) {
    const proxied = createPool((await startPgbouncer(url, mode)).url)
    after(() => proxied.end())
    assert.equal(await sharesSessions(proxied), mode === 'transaction', mode)
  }
})

test('through pool_mode = session everything is set as on a direct connection, and a courier delivers without Redis', {
  skip,
}, async () => {
  const { url, pool } = await cloneDatabase()
  const proxy = await startPgbouncer(url, 'session')
  const proxied = createPool(proxy.url)
  after(() => proxied.end())
  const [session] = await rows<{ zone: string; timeout: string }>(
    proxied,
    `select current_setting('TimeZone') as zone, current_setting('statement_timeout') as timeout`,
  )
  assert.deepEqual(session, { zone: 'UTC', timeout: '30s' })
  assert.deepEqual(await migrate(proxied, log), [])
  const endpoint = await startMerchantEndpoint({ status: 200, body: 'success' })
  const merchant = await seedMerchant(pool, { callbackUrl: endpoint.url })
  const seeded = await seedCallback(pool, { merchant })
  await withCourier(
    { pool: proxied, url: proxy.url, redisUrl: undefined, merchants: [merchant] },
    async () => {
      await waitUntil('delivered', async () => (await stateOf(pool, seeded)).state === 'delivered', 30_000)
    },
  )
})

test('through pool_mode = transaction, settings that cannot be set are named with what sets them, and then it works', {
  skip,
}, async () => {
  const { url, pool } = await cloneDatabase()
  const said = await refusal(startAndStop((await startPgbouncer(url)).url, 'courier'))
  assert.match(said, /^DATABASE_URL leads to a proxy that shares sessions \(pool_mode = transaction\)/)
  const statements = said.split('\n').slice(1)
  assert(
    statements.some(line => /^ {2}alter role gateway in database test_\w+ set TimeZone = 'UTC';$/.test(line)),
    said,
  )
  for (const statement of statements) await pool.query(statement)
  // The proxy's own connections have the old settings until it makes new ones.
  const proxied = createPool((await startPgbouncer(url)).url)
  after(() => proxied.end())
  assert.deepEqual(await rows(proxied, `select current_setting('TimeZone') as zone`), [{ zone: 'UTC' }])
})

test('through pool_mode = transaction, what needs sessions of its own refuses to start, with a sentence', {
  skip,
}, async () => {
  const { url, pool } = await cloneDatabase()
  await settleRole(pool)
  const proxy = await startPgbouncer(url)
  const proxied = createPool(proxy.url)
  after(() => proxied.end())
  assert.match(
    await refusal(() => migrate(proxied, log)),
    /`gateway migrate` locks in one session: connect past it/,
  )
  assert.match(
    await refusal(startAndStop(proxy.url, 'courier')),
    /does not keep prepared statements|sessions of its own/,
  )
  const said = await refusal(startAndStop(proxy.url, 'api'))
  if (keepsPreparedStatements) assert.equal(said, '')
  else assert.match(said, /does not keep prepared statements: connect past it, .* pgbouncer 1.21 or newer/)
})

test('through pool_mode = statement every process and migrate refuse to start, with a sentence', {
  skip,
}, async () => {
  const { url, pool } = await cloneDatabase()
  await settleRole(pool)
  const proxy = await startPgbouncer(url, 'statement')
  const proxied = createPool(proxy.url)
  after(() => proxied.end())
  for (const start of [
    ...[
      startAndStop(proxy.url, 'api'),
      startAndStop(proxy.url, 'watcher'),
      startAndStop(proxy.url, 'courier'),
    ],
    () => migrate(proxied, log),
  ])
    assert.match(
      await refusal(start),
      /^DATABASE_URL leads to a proxy that has no transactions \(pool_mode = statement\).* connect past it/,
    )
})
