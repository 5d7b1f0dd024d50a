import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isPassingDatabaseError } from '../../src/db/outage.ts'
import { createPool } from '../../src/db/pool.ts'
import { createPrisma } from '../../src/db/prisma-client.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'

const passing = [
  ...['08000', '08001', '08003', '08004', '08006', '08007', '08P01'], // connections; 08P01: pgbouncer's own
  ...['25006', '25P03', '25P04'], // read-only since a failover; a transaction ended for its time
  ...['40000', '40001', '40003', '40P01'], // rolled back: serialization, unknown completion, deadlock
  ...['53000', '53100', '53200', '53300', '53400'], // disk, memory, connections
  ...['55P03', '57014'], // a lock, a cancelled statement
  ...['57P01', '57P02', '57P03', '57P05'], // shut down, crashed, starting, idle for too long
  ...['58000', '58030'], // the system, the disk
]
const lasting = ['22003', '23505', '23514', '42703', '42P01', 'P0001', 'XX000', '0A000']

/** Makes each read of orders fail with a SQLSTATE, which the row of `failing` has. */
const breakOrders = `
  create table failing (code text not null);
  insert into failing values ('00000');
  alter table recharge_order rename to hidden_order;
  create function fail_orders() returns setof hidden_order language plpgsql as $$
  begin
    raise exception 'played' using errcode = (select code from failing);
  end $$;
  create view recharge_order as select * from fail_orders();`

test('every SQLSTATE that passes is 503 with Retry-After, through pg and through Prisma; others are 500', async () => {
  const api = await openApiUnderTest()
  const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  await api.pool.query(breakOrders)
  const stamp = () => ({ t: `${Math.floor(Date.now() / 1_000)}` })
  for (const [codes, status] of [
    [passing, 503],
    [lasting, 500],
  ] as const) {
    for (const code of codes) {
      await api.pool.query('update failing set code = $1', [code])
      for (const [endpoint, parameters] of [
        ['findorder', { orderid: 'o-1' }],
        ['orders', {}],
      ] as const) {
        const answer = await api.ask(shop, endpoint, { ...parameters, ...stamp() })
        // A read that takes too long is told what to ask for instead, with the same status.
        assert.equal(answer.httpStatus, status, `${code} at ${endpoint}: ${answer.text}`)
        assert.equal(answer.headers['retry-after'] !== undefined, status === 503, `${code} at ${endpoint}`)
      }
    }
  }
})

test('a database that cannot be reached, or has no connection left, fails for a passing reason, by pg and by Prisma', async () => {
  const { pool, url } = await cloneDatabase()
  const name = new URL(url).pathname.slice(1)
  await pool.query(`create role few_${name} login password 'few' connection limit 0`)
  await pool.query(`grant connect on database ${name} to few_${name}`)
  after(async () => {
    const admin = createPool(url.replace(/\/\w+$/, '/postgres'))
    await admin.query(`drop role few_${name}`).catch(() => undefined) // Its grants go with the database.
    await admin.end()
  })
  const full = new URL(url)
  full.username = `few_${name}`
  full.password = 'few'
  for (const [what, at] of [
    ['no connection left', full.href],
    ['nobody listens', 'postgres://gateway:x@127.0.0.1:1/gateway'],
    ['no such host', 'postgres://gateway:x@nowhere.invalid/gateway'],
    ['no socket file', 'postgres:///gateway?host=/nowhere'],
  ] as const) {
    const away = createPool(at)
    const prisma = createPrisma(away)
    const isPassing = (error: unknown) => isPassingDatabaseError(error)
    await assert.rejects(away.query('select 1'), isPassing, what)
    await assert.rejects(prisma.rechargeOrder.findMany(), isPassing, `${what}, by Prisma`)
    await prisma.$disconnect()
    await away.end()
  }
})

test('what Prisma and proxies say is classified by its code, or by its words where they have none', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code })
  for (const code of [
    'P1001',
    'P1002',
    'P1008',
    'P1017',
    'P2024',
    'P2028',
    'P2034',
    'P2037',
    'EPIPE',
    'EMFILE',
  ])
    assert(isPassingDatabaseError(withCode(code)), code)
  for (const code of ['P1000', 'P1003', 'P2002', 'P2025', 'ENOENT', 'EACCES'])
    assert(!isPassingDatabaseError(withCode(code)), code)
  for (const words of [
    'timeout exceeded when trying to connect',
    'Connection terminated unexpectedly',
    'Query read timeout',
    'MaxClientsInSessionMode: max clients reached',
    'cached plan must not change result type',
  ])
    assert(isPassingDatabaseError(new Error('read failed', { cause: new Error(words) })), words)
  assert(!isPassingDatabaseError(new Error('relation "x" does not exist')))
  const wrapped = { driverAdapterError: { cause: { kind: 'postgres', originalCode: '25006' } } }
  assert(isPassingDatabaseError(Object.assign(new Error('Database error'), { code: 'P2039', meta: wrapped })))
})
