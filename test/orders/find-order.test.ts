import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt, wholeLegacyUnits } from '../../src/base/money.ts'
import { insertCallbacks } from '../../src/callbacks/outbox/callback-store.ts'
import { inTransaction } from '../../src/db/pool.ts'
import { followChain, openApiUnderTest } from '../support/api-under-test.ts'
import { addressIdOf } from '../support/seed.ts'
import { seedCredit, seedSeen, seedTransfer } from '../support/seed-transfer.ts'

const api = await openApiUnderTest()
const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const find = (by: Record<string, string>, caller = merchant) => api.ask(caller, 'findorder', by)
const key = (n: number) => `cb_${String(n).padStart(32, '0')}`
const txid = (n: number) => String(n).padStart(64, '0')

async function createOrder(orderid: string, amount = '3') {
  const user = { username: 'a123456', localusermark: '1' }
  const { address } = (await api.ask(merchant, 'newAddress', user)).data
  const created = await api.ask(merchant, 'TraderRechargeorder', { ...user, address, orderid, amount })
  return created.data as Record<'ordersn' | 'address' | 'pay_url' | 'qr_svg_url', string> & {
    expires_at: number
  }
}

/** Money that was credited, and the callback of it: what the watcher writes. */
async function credit(
  orderid: string,
  paid: {
    n: number
    height: number
    units: bigint
    received: bigint
    late?: boolean
    callback: { attempts: number; last_status: number; delivered_at?: Date }
    /** Set: another attempt is owed then. */
    dueAt?: Date
  },
): Promise<void> {
  const { n, height, units, received, late, callback, dueAt } = paid
  const { rows } = await api.pool.query(
    `select id, merchant_id, deposit_address_id from recharge_order where orderid = $1`,
    [orderid],
  )
  const { id: orderId, merchant_id: merchantId, deposit_address_id: addressId } = rows[0]
  const blockTime = new Date('2022-09-04T13:58:18Z')
  const arrived = { addressId, txid: txid(n), amount: units, height, blockTime, txIndex: 1 }
  await inTransaction(api.pool, async tx => {
    const { transferId } = await seedTransfer(tx, arrived)
    const creditId = await seedCredit(tx, { transferId, orderId, received, late })
    await insertCallbacks(tx, [
      {
        key: key(n),
        merchantId,
        orderId,
        creditId,
        bodyAmount: wholeLegacyUnits(usdt(units)),
        received: usdt(received),
        orderState: 'paid',
        late: false,
        origin: 'https://shop.example:443',
      },
    ])
  })
  await api.pool.query(
    `update recharge_order set received = $2, announced = $2::bigint / 100 where id = $1`,
    [orderId, received],
  )
  const { rows: announced } = await api.pool.query(
    `update callback set attempts = $2, last_status = $3, delivered_at = $4 where key = $1 returning id`,
    [key(n), callback.attempts, callback.last_status, callback.delivered_at],
  )
  await (dueAt
    ? api.pool.query(`update callback_outbox set due_at = $2 where callback_id = $1`, [
        announced[0].id,
        dueAt,
      ])
    : api.pool.query(`delete from callback_outbox where callback_id = $1`, [announced[0].id]))
}

test('an order nobody has paid: pending, nothing received, nothing announced', async () => {
  const before = Math.floor(Date.now() / 1000)
  const created = await createOrder('unpaid', '3.50')
  const { data } = await find({ orderid: 'unpaid' })
  assert.ok(before <= data.created_at && data.created_at <= Date.now() / 1000)
  assert.deepEqual(data, {
    ordersn: created.ordersn,
    orderid: 'unpaid',
    username: 'a123456',
    localusermark: '1',
    address: created.address,
    amount: '3.5',
    received: '0',
    announced: '0',
    state: 'pending',
    expired: false,
    created_at: data.created_at,
    expires_at: created.expires_at,
    pay_url: created.pay_url,
    qr_svg_url: created.qr_svg_url,
    transfers: [],
    seen: [],
    callbacks: [],
  })
})

test('an order paid in parts: its transfers in chain order, its callbacks oldest first', async () => {
  await createOrder('parts')
  const deliveredAt = new Date('2022-09-04T13:59:20Z')
  const dueAt = new Date('2022-09-04T14:00:00Z')
  await credit('parts', {
    n: 2,
    height: 20,
    units: 1_000_050n,
    received: 1_000_050n,
    callback: {
      attempts: 1,
      last_status: 200,
      delivered_at: deliveredAt,
    },
  })
  await credit('parts', {
    n: 1,
    height: 10,
    units: 2_000_000n,
    received: 3_000_050n,
    late: true,
    callback: { attempts: 3, last_status: 503 },
    dueAt,
  })
  await api.pool.query(
    `insert into transfer_proof select id, 'agreed', '{a,b}' from transfer where txid = $1`,
    [txid(2)],
  )
  const { data } = await find({ orderid: 'parts' })
  assert.deepEqual([data.received, data.announced, data.state], ['3.00005', '3', 'overpaid'])
  const from = 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'
  const block_time = 1662299898
  assert.deepEqual(data.transfers, [
    { txid: txid(1), log_index: 0, from, amount: '2', block: 10, block_time, late: true, proof: null },
    {
      txid: txid(2),
      log_index: 0,
      from,
      amount: '1.00005',
      block: 20,
      block_time,
      late: false,
      proof: 'agreed',
    },
  ])
  assert.deepEqual(data.callbacks, [
    {
      id: key(2),
      body_amount: '10000',
      state: 'delivered',
      attempts: 1,
      last_status: 200,
      next_at: null,
      delivered_at: 1662299960,
    },
    {
      id: key(1),
      body_amount: '20000',
      state: 'due',
      attempts: 3,
      last_status: 503,
      next_at: 1662300000,
      delivered_at: null,
    },
  ])
})

test('an order is found by either of its numbers, and by both only when both are its own', async () => {
  const one = await createOrder('either')
  const two = await createOrder('other')
  assert.equal((await find({ ordersn: one.ordersn })).data.orderid, 'either')
  assert.equal((await find({ orderid: 'either', ordersn: one.ordersn })).data.orderid, 'either')
  const crossed = await find({ orderid: 'either', ordersn: two.ordersn })
  assert.deepEqual([crossed.httpStatus, crossed.code], [404, 'order_not_found'])
})

test('without a number there is nothing to find, and a wrong number is not found', async () => {
  assert.equal((await find({})).code, 'missing_parameter')
  assert.equal((await find({ orderid: 'nothing' })).code, 'order_not_found')
  assert.equal((await find({ ordersn: 'cz-00000000000000000000000000000000' })).code, 'order_not_found')
  assert.equal((await find({ orderid: '' })).code, 'bad_parameter')
})

test("another merchant's order is not found", async () => {
  const { ordersn } = await createOrder('mine')
  const other = await api.addMerchant()
  assert.equal((await find({ orderid: 'mine' }, other)).code, 'order_not_found')
  assert.equal((await find({ ordersn }, other)).code, 'order_not_found')
})

test('what is seen at its address in blocks not solidified yet is shown with its confirmations', async () => {
  const { address } = await createOrder('seen')
  await api.pool.query(
    `insert into chain_head (height, hash, block_time) values (102, 'h', now())
         on conflict (single) do update set height = excluded.height`,
  )
  const addressId = await addressIdOf(api.pool, { address })
  await seedSeen(api.pool, { addressId, txid: txid(9), amount: 1_000_000n, height: 100 })
  const { data } = await find({ orderid: 'seen' })
  assert.deepEqual(data.seen, [{ txid: txid(9), amount: '1', confirmations: 2 }])
  assert.deepEqual([data.received, data.state], ['0', 'pending'])
  await api.pool.query('update chain_cursor set height = 100')
  assert.deepEqual((await find({ orderid: 'seen' })).data.seen, [], 'recorded now, and seen no more')
  await api.pool.query('update chain_cursor set height = 1')
  await api.pool.query('delete from seen_transfer')
})

test("an order expires by the chain's clock", async () => {
  const { expires_at } = await createOrder('expires')
  await followChain(api.pool, new Date(expires_at * 1000))
  assert.equal((await find({ orderid: 'expires' })).data.expired, false)
  await followChain(api.pool, new Date((expires_at + 1) * 1000))
  assert.equal((await find({ orderid: 'expires' })).data.expired, true)
})
