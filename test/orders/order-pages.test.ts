import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApiUnderTest } from '../support/api-under-test.ts'

const api = await openApiUnderTest()
const caller = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const user = { username: 'u', localusermark: '1' }
const { address } = (await api.ask(caller, 'newAddress', user)).data
const order = { ...user, address, orderid: 'o-0', amount: '3' }
assert.equal((await api.ask(caller, 'TraderRechargeorder', order)).status, 1)

/** 5 000 more like it, in the state given by what they received. */
async function fill(received: bigint) {
  const client = await api.pool.connect()
  await client.query(`delete from recharge_order where orderid <> 'o-0'`)
  await client.query(
    `insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, created_at, expires_at)
     select merchant_id, 'o-' || n, username, localusermark, deposit_address_id, amount, $1,
            created_at - n * interval '1 s', expires_at - n * interval '1 s'
       from recharge_order, generate_series(1, 5000) n
      where orderid = 'o-0'`,
    [received],
  )
  await client.query('analyze recharge_order')
  // What this read is reported now, and not while a page is counted.
  await client.query('select pg_stat_force_next_flush()')
  client.release()
}

test('no filter that few orders pass reads all of them: each has its index', async () => {
  const states = { pending: 0n, underpaid: 1n, paid: 3_000_000n, overpaid: 3_000_001n }
  for (const [filled, received] of Object.entries(states)) {
    await fill(received)
    const rare = Object.keys(states).filter(state => state !== filled && state !== 'pending')
    const wanted: Record<string, string>[] = [
      { localusermark: 'nobody' },
      { from: '1', to: '2' },
      ...(filled === 'pending' ? [] : [{ state: 'pending' }]),
      ...rare.map(state => ({ state })),
    ]
    for (const filter of wanted)
      assert.ok((await rowsRead(filter)) < 100, `${filled}: ${JSON.stringify(filter)}`)
  }
})

test('without the index the same filter reads them all, so what is counted here is what is read', async () => {
  await fill(0n)
  await api.pool.query('drop index recharge_order_user_page')
  assert.ok((await rowsRead({ localusermark: 'nobody' })) >= 5_000)
})

test('a page far down reads no more than the first', async () => {
  await fill(0n)
  const { rows } = await api.pool.query(`select ordersn from recharge_order where orderid = 'o-4900'`)
  assert.ok((await rowsRead({ cursor: rows[0].ordersn })) < 100)
})

/** How many rows of orders a page reads, by sequential scans and by indexes. */
async function rowsRead(filter: Record<string, string>): Promise<number> {
  const before = await rowsReadSoFar()
  assert.equal((await api.ask(caller, 'orders', { limit: '10', ...filter })).status, 1)
  return (await rowsReadSoFar()) - before
}

async function rowsReadSoFar(): Promise<number> {
  // The connection that read reports what it read after it was told to.
  await api.options.reads.query('select pg_stat_force_next_flush()')
  const { rows } = await api.pool.query(
    `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 as read
       from pg_stat_user_tables
      where relname = 'recharge_order'`,
  )
  return rows[0].read
}
