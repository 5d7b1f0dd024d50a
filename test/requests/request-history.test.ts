import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { ApiRequest } from '../../src/requests/api-request-store.ts'
import { openRequestHistory } from '../../src/requests/request-history.ts'
import { cloneDatabase } from '../support/database.ts'

const { pool } = await cloneDatabase()
const log = createLog('silent', 'test')

function call(number: number): ApiRequest {
  return {
    requestId: `request-${number}`,
    merchantId: BigInt(number) as MerchantId,
    keyId: 1n,
    endpoint: 'findorder',
    code: 'ok',
    orderid: `order-${number}`,
    clientAddress: '127.0.0.1',
    startedAt: new Date(),
    durationMs: 1,
  }
}

/** A history, and what it counts as lost. */
function openHistory(pool: Pool) {
  const registry = createMetrics()
  const history = openRequestHistory({ pool, log, registry })
  const lost = async () => {
    const metric = await registry.getSingleMetric('gateway_requests_unkept_total')!.get()
    return metric.values[0]!.value
  }
  return { ...history, lost }
}

/** A database of which each statement ends when the test says so. */
function heldDatabase() {
  const statements: { merchantIds: bigint[]; end(error?: Error): void }[] = []
  let arrived: () => void = () => undefined
  const query = ({ values }: { values: [bigint[]] }) =>
    new Promise<{ rowCount: number }>((resolve, reject) => {
      const done = () => resolve({ rowCount: values[0].length })
      statements.push({ merchantIds: values[0], end: error => (error ? reject(error) : done()) })
      arrived()
    })
  const next = async () => {
    while (statements.length === 0) await new Promise<void>(resolve => (arrived = resolve))
    return statements.shift()!
  }
  return { pool: { query } as unknown as Pool, next }
}

test('calls that Postgres will not take are left out and counted, and those around them are kept', async () => {
  const history = openHistory(pool)
  const calls = Array.from({ length: 40 }, (_, i) => call(i))
  for (const [i, broken] of [
    [3, { orderid: 'x'.repeat(51) }],
    [17, { orderid: 'a\u0000b' }],
    [39, { durationMs: 2 ** 31 }],
  ] as const) {
    Object.assign(calls[i]!, broken)
  }
  for (const one of calls) history.keep(one)
  await history.close()
  const { rows } = await pool.query(`select merchant_id::int as n from api_request order by id`)
  assert.deepEqual(
    rows.map(row => row.n),
    calls.map((_, i) => i).filter(i => ![3, 17, 39].includes(i)),
  )
  assert.equal(await history.lost(), 3)
})

test('what waits for a database that says nothing has a bound: the oldest are lost, and counted', async () => {
  const database = heldDatabase()
  const history = openHistory(database.pool)
  for (let i = 0; i < 1_000; i++) history.keep(call(i))
  const underWay = await database.next()
  assert.equal(underWay.merchantIds.length, 1_000)
  for (let i = 1_000; i < 26_000; i++) history.keep(call(i))
  assert.equal(await history.lost(), 5_000, 'while a batch is under way as well')
  underWay.end(new Error('Connection terminated'))
  const again = await database.next()
  assert.equal(await history.lost(), 6_000, 'the batch that failed is the oldest now')
  assert.deepEqual([again.merchantIds[0], again.merchantIds.length], [6_000n, 1_000])
  again.end()
  const closed = history.close()
  for (let from = 7_000; from < 26_000; from += 1_000) {
    const batch = await database.next()
    assert.deepEqual([batch.merchantIds[0], batch.merchantIds.length], [BigInt(from), 1_000])
    batch.end()
  }
  await closed
  assert.equal(await history.lost(), 6_000)
})

test('what cannot be written when the process stops is counted as lost, and stopping does not wait for it', async () => {
  const database = heldDatabase()
  const history = openHistory(database.pool)
  for (let i = 0; i < 3; i++) history.keep(call(i))
  const closed = history.close()
  const last = await database.next()
  last.end(new Error('Connection terminated'))
  await closed
  assert.equal(await history.lost(), 3)
})
