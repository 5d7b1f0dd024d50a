import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPool } from '../../src/db/pool.ts'
import { openStatements } from '../../src/orders/make-statement.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { seedAddress } from '../support/seed.ts'
import { seedCallback, seedDeposit } from '../support/seed-callback.ts'
import { seedWaiting } from '../support/seed-transfer.ts'
import type { Caller } from '../support/signed-request.ts'

const api = await openApiUnderTest()
const { pool } = api
const at = (text: string) => new Date(`2026-${text}Z`)
const seconds = (text: string) => String(at(text).getTime() / 1000)
const between = (from: string, to: string) => ({ from: seconds(from), to: seconds(to) })
const statement = (caller: Caller, wanted: Record<string, string>) => api.ask(caller, 'statement', wanted)
const shop = () => api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const quiet = {
  ...{ orders: 0, transfers: 0, received: '0', announced: '0', acknowledged: '0' },
  ...{ deposits: 0, deposits_announced: '0', deposits_acknowledged: '0' },
  ...{ refunded: '0', corrected: '0' },
}

const noMarks = { marks: [], more_marks: false }

/** A paid order: when it was made, paid (block time), credited and acknowledged; in base units. */
async function pay(
  caller: Caller,
  times: { made: string; paid: string; credited: string; acknowledged?: string },
  amount = 3_000_000n,
) {
  const seeded = await seedCallback(pool, { merchant: api.merchants.byAppid(caller.appid)!, amount })
  const { made, paid, credited, acknowledged } = times
  // Money's rows are append-only: their times are set as only a superuser's session can.
  const client = await pool.connect()
  await client.query('set session_replication_role = replica')
  const set = (table: string, column: string, when: string, which: string) =>
    client.query(`update ${table} set ${column} = $2 where ${which}`, [seeded.callbackId, at(when)])
  const credit = `(select credit_id from callback where id = $1)`
  await set('recharge_order', 'created_at', made, `id = (select order_id from callback where id = $1)`)
  await set('transfer', 'block_time', paid, `id = (select transfer_id from credit where id = ${credit})`)
  await set('credit', 'created_at', credited, `id = ${credit}`)
  await set('callback', 'created_at', credited, 'id = $1')
  if (acknowledged) await set('callback', 'delivered_at', acknowledged, 'id = $1')
  await client.query('set session_replication_role = origin')
  client.release()
}

/** A transfer without a credit. */
async function wait(caller: Caller, reason: string, amount: bigint, paid: string) {
  const merchantId = api.merchants.byAppid(caller.appid)!.id
  const { addressId } = await seedAddress(pool, { merchantId, isBase: false })
  await seedWaiting(pool, { addressId, amount, blockTime: at(paid), reason })
}

test('deposits are received like all transfers, and announced and acknowledged apart from orders', async () => {
  const caller = await shop()
  const merchant = api.merchants.byAppid(caller.appid)!
  const moment = '10-20T12:00:00'
  await pay(caller, { made: moment, paid: moment, credited: moment, acknowledged: moment })
  const { addressId } = await seedAddress(pool, { merchantId: merchant.id, isBase: false })
  const paid = { merchant, addressId, blockTime: at(moment) }
  const first = await seedDeposit(pool, { ...paid, amount: 2_000_000n })
  const second = await seedDeposit(pool, { ...paid, amount: 1_500_000n, received: 3_500_000n })
  const times = async (callbackId: bigint, announced: string, acknowledged: string | null) => {
    const client = await pool.connect()
    await client.query('set session_replication_role = replica')
    await client.query('update callback set created_at = $2, delivered_at = $3 where id = $1', [
      ...[callbackId, at(announced), acknowledged && at(acknowledged)],
    ])
    await client.query('set session_replication_role = origin')
    client.release()
  }
  await times(first.callbackId, moment, '10-21T00:00:00')
  await times(second.callbackId, moment, null)
  const { text } = await statement(caller, between('10-20T00:00:00', '10-22T00:00:00'))
  assert.deepEqual(JSON.parse(text).data.days, [
    {
      ...{ day: '2026-10-20', orders: 1, transfers: 3, received: '6.5', announced: '3', acknowledged: '3' },
      ...{ refunded: '0', corrected: '0' },
      ...{ deposits: 2, deposits_announced: '3.5', deposits_acknowledged: '0' },
    },
    { ...quiet, day: '2026-10-21', deposits_acknowledged: '2' },
  ])
  const { rows } = await pool.query(
    `select announced_usdt, callbacks, deposits, deposits_announced_usdt, deposits_acknowledgements, deposits_acknowledged_usdt
       from report.volume_per_day where appid = $1 order by day`,
    [caller.appid],
  )
  assert.deepEqual(
    rows.map(row => Object.values(row).map(String)),
    [
      ['3.000000', '1', '2', '3.500000', '0', '0.000000'],
      ['0.000000', '0', '0', '0.000000', '1', '2.000000'],
    ],
  )
})

/** A mark about a transfer, as it was made at a time. @returns its id. */
async function note(caller: Caller, transferId: bigint, when: string, mark: Record<string, unknown>) {
  const merchantId = api.merchants.byAppid(caller.appid)!.id
  const { kind, amount = null, txid = null, withdraws = null } = mark
  const { rows } = await pool.query(
    `insert into money_mark (kind, merchant_id, transfer_id, amount, txid, withdraws, reason, made_by, created_at)
     values ($1, $2, $3, $4, $5, $6, 'paid twice', 'command line alice@host', $7)
     returning id`,
    [kind, merchantId, transferId, amount, txid, withdraws, at(when)],
  )
  return Number(rows[0].id)
}

test('marks stand in it as they were noted, and their sums on their days; a withdrawal changes no earlier day', async () => {
  const caller = await shop()
  const moment = '10-20T12:00:00'
  await pay(caller, { made: moment, paid: moment, credited: moment })
  const { rows } = await pool.query(
    `select t.id, t.txid, t.log_index, o.orderid
       from credit c join transfer t on t.id = c.transfer_id join recharge_order o on o.id = c.order_id
      order by c.id desc limit 1`,
  )
  const [{ id, txid, log_index, orderid }] = rows
  const refundTxid = 'ab'.repeat(32)
  const refund = await note(caller, id, moment, { kind: 'refund', amount: 2_000_000n, txid: refundTxid })
  await note(caller, id, moment, { kind: 'correction', amount: -500_000n })
  const asked = between('10-20T00:00:00', '10-22T00:00:00')
  const before = (await statement(caller, asked)).data
  const paid = { orders: 1, transfers: 1, received: '3', announced: '3' }
  const day = { ...quiet, ...paid, day: '2026-10-20', refunded: '2', corrected: '-0.5' }
  assert.deepEqual(before.days, [day, { ...quiet, day: '2026-10-21' }])
  const about = { orderid, transfer_txid: txid, log_index, reason: 'paid twice' }
  const seconds = at(moment).getTime() / 1000
  const [first, second] = before.marks
  assert.deepEqual(first, {
    ...{
      id: refund,
      kind: 'refund',
      time: seconds,
      amount: '2',
      txid: refundTxid,
      ...about,
      withdraws: null,
    },
  })
  assert.deepEqual([second.kind, second.amount, second.txid], ['correction', '-0.5', null])
  await note(caller, id, '10-21T12:00:00', { kind: 'withdrawal', withdraws: refund })
  const { data } = await statement(caller, asked)
  assert.deepEqual(data.days, [day, { ...quiet, day: '2026-10-21', refunded: '-2' }])
  assert.deepEqual(data.marks.slice(0, 2), before.marks)
  assert.deepEqual([data.marks[2].withdraws, data.marks[2].amount], [refund, '2'])
  // Another merchant sees none of them.
  assert.deepEqual((await statement(await shop(), asked)).data.marks, [])
})

test('what was settled outside is received, is not unclaimed, and stands among the marks', async () => {
  const caller = await shop()
  await wait(caller, 'unclaimed', 7_000_000n, '10-20T12:00:00')
  const { rows } = await pool.query('delete from waiting_transfer returning transfer_id as id')
  await note(caller, rows.at(-1).id, '10-20T13:00:00', { kind: 'settled_outside' })
  const { data } = await statement(caller, between('10-20T00:00:00', '10-21T00:00:00'))
  assert.deepEqual(data.days, [{ ...quiet, day: '2026-10-20', transfers: 1, received: '7' }])
  assert.deepEqual(data.unclaimed, { transfers: 0, amount: '0' })
  const [mark] = data.marks
  assert.deepEqual([mark.kind, mark.amount, mark.orderid], ['settled_outside', '7', null])
  const { data: page } = await api.ask(caller, 'transfers', { state: 'settled_outside' })
  assert.deepEqual(
    page.transfers.map((one: { state: string; amount: string }) => [one.state, one.amount]),
    [['settled_outside', '7']],
  )
})

test('more than a thousand marks are cut off, and it says so', async () => {
  const caller = await shop()
  const merchantId = api.merchants.byAppid(caller.appid)!.id
  const moment = '10-20T12:00:00'
  await pay(caller, { made: moment, paid: moment, credited: moment })
  await pool.query(
    `insert into money_mark (kind, merchant_id, transfer_id, amount, reason, made_by, created_at)
     select 'correction', $1, (select max(transfer_id) from credit), n, 'n', 'test', $2 from generate_series(1, 1001) n`,
    [merchantId, at(moment)],
  )
  const { data } = await statement(caller, between('10-20T00:00:00', '10-21T00:00:00'))
  assert.deepEqual([data.marks.length, data.more_marks], [1_000, true])
})

test('a rejected transfer is neither received nor unclaimed', async () => {
  const caller = await shop()
  await wait(caller, 'unclaimed', 7_000_000n, '11-20T12:00:00')
  await pool.query(
    `with taken as (
       delete from waiting_transfer w
        using deposit_address d
        where d.id = w.deposit_address_id and d.merchant_id = (select id from merchant where appid = $1)
        returning transfer_id)
     insert into rejection (transfer_id, reason, rejected_by) select transfer_id, 'made up', 'who' from taken`,
    [caller.appid],
  )
  await wait(caller, 'unclaimed', 2_000_000n, '11-20T12:00:00')
  const { data } = JSON.parse((await statement(caller, between('11-20T00:00:00', '11-21T00:00:00'))).text)
  assert.deepEqual([data.days[0].transfers, data.days[0].received], [1, '2'])
  assert.deepEqual(data.unclaimed, { transfers: 1, amount: '2' })
})

test('each thing stands on its own day: made, received by block time, announced when credited, acknowledged when delivered', async () => {
  const caller = await shop()
  const times = {
    made: '11-19T10:00:00',
    paid: '11-20T23:59:50',
    credited: '11-21T00:00:41',
    acknowledged: '11-23T00:00:00',
  }
  await pay(caller, times, 3_000_050n)
  const answer = await statement(caller, between('11-19T00:00:00', '11-24T00:00:00'))
  assert.equal(
    answer.text,
    JSON.stringify({
      status: 1,
      data: {
        days: [
          { day: '2026-11-19', ...quiet, orders: 1 },
          { day: '2026-11-20', ...quiet, transfers: 1, received: '3.00005' },
          { day: '2026-11-21', ...quiet, announced: '3' },
          { day: '2026-11-22', ...quiet },
          { day: '2026-11-23', ...quiet, acknowledged: '3' },
        ],
        unclaimed: { transfers: 0, amount: '0' },
        ...noMarks,
      },
    }),
  )
})

test('a day begins at midnight UTC and ends before the next; from is included, to is not', async () => {
  const caller = await shop()
  for (const [moment, amount] of [
    ['11-19T23:59:59.999', 1n],
    ['11-20T00:00:00.000', 10n],
    ['11-20T23:59:59.999', 100n],
    ['11-21T00:00:00.000', 1_000n],
    ['11-21T23:59:59.999', 10_000n],
    ['11-22T00:00:00.000', 100_000n],
  ] as const) {
    const times = { made: moment, paid: moment, credited: moment, acknowledged: moment }
    // In 1/10000 USDT, so that each of the four sums tells which of them are in it.
    await pay(caller, times, amount * 100n)
  }
  const sums = async (from: string, to: string) =>
    (await statement(caller, between(from, to))).data.days.map((day: Record<string, unknown>) => {
      const { day: date, orders, transfers, received, announced, acknowledged } = day
      assert.equal(orders, transfers)
      const [amount, ...others] = new Set([received, announced, acknowledged])
      assert.deepEqual(others, [])
      return [date, orders, amount]
    })
  assert.deepEqual(await sums('11-20T00:00:00', '11-22T00:00:00'), [
    ['2026-11-20', 2, '0.011'],
    ['2026-11-21', 2, '1.1'],
  ])
  assert.deepEqual(await sums('11-20T00:00:01', '11-21T00:00:01'), [
    ['2026-11-20', 1, '0.01'],
    ['2026-11-21', 1, '0.1'],
  ])
  assert.deepEqual(await sums('11-20T00:00:00', '11-20T00:00:01'), [['2026-11-20', 1, '0.001']])
  assert.deepEqual(await sums('11-19T23:59:59', '11-20T00:00:00'), [['2026-11-19', 1, '0.0001']])
})

test("a database whose sessions keep another zone's time has the same days", async () => {
  const caller = await shop()
  const moment = '11-20T20:00:00'
  await pay(caller, { made: moment, paid: moment, credited: moment, acknowledged: moment })
  const wanted = {
    merchantId: api.merchants.byAppid(caller.appid)!.id,
    from: at('11-20T00:00:00'),
    to: at('11-22T00:00:00'),
  }
  const expected = await openStatements(pool)(wanted)
  const elsewhere = createPool(api.url, { max: 1 })
  after(() => elsewhere.end())
  await elsewhere.query(`set timezone = 'Asia/Shanghai'`)
  assert.equal((await elsewhere.query('show timezone')).rows[0].TimeZone, 'Asia/Shanghai')
  assert.deepEqual(await openStatements(elsewhere)(wanted), expected)
  assert.deepEqual(expected.days[0], {
    ...quiet,
    ...{ day: '2026-11-20', orders: 1, transfers: 1, received: '3', announced: '3', acknowledged: '3' },
  })
})

test('what is unclaimed is what is so now, whatever the time asked for; it is received all the same', async () => {
  const caller = await shop()
  await wait(caller, 'unclaimed', 500_000n, '11-20T12:00:00')
  await wait(caller, 'unclaimed', 1n, '01-01T12:00:00')
  await wait(caller, 'held', 7_000_000n, '11-20T12:00:00')
  const { data } = await statement(caller, between('11-20T00:00:00', '11-21T00:00:00'))
  assert.deepEqual(data, {
    days: [{ day: '2026-11-20', ...quiet, transfers: 2, received: '7.5' }],
    unclaimed: { transfers: 2, amount: '0.500001' },
    ...noMarks,
  })
})

test('another merchant has another statement', async () => {
  const [mine, theirs] = [await shop(), await shop()]
  const moment = '11-20T12:00:00'
  await pay(theirs, { made: moment, paid: moment, credited: moment, acknowledged: moment })
  await wait(theirs, 'unclaimed', 1n, moment)
  const { data } = await statement(mine, between('11-20T00:00:00', '11-21T00:00:00'))
  assert.deepEqual(data, {
    days: [{ day: '2026-11-20', ...quiet }],
    unclaimed: { transfers: 0, amount: '0' },
    ...noMarks,
  })
})

test('sums beyond what a float holds are exact', async () => {
  const caller = await shop()
  const moment = '11-20T12:00:00'
  for (const amount of [999_999_999_999_000_001n, 999_999_999_999_000_100n])
    await pay(caller, { made: moment, paid: moment, credited: moment }, amount)
  const { data } = await statement(caller, between('11-20T00:00:00', '11-21T00:00:00'))
  assert.equal(data.days[0].received, '1999999999998.000101')
  assert.equal(data.days[0].announced, '1999999999998.0001')
})

test('92 days are answered, more are refused, and so is a time that ends before it begins', async () => {
  const caller = await shop()
  const from = 1_790_000_000
  const ask = (to: number) => statement(caller, { from: `${from}`, to: `${to}` })
  const whole = await ask(from + 92 * 86_400)
  assert.equal(whole.data.days.length, 93, 'the first and the last in part')
  for (const [to, said] of [
    [from + 92 * 86_400 + 1, /^to: at most 92 days after from$/],
    [from, /^to: must be later than from$/],
    [from - 1, /^to: must be later than from$/],
  ] as const) {
    const answer = await ask(to)
    assert.equal(answer.code, 'bad_parameter')
    assert.match(answer.err!, said)
  }
  assert.equal((await statement(caller, { from: `${from}` })).code, 'missing_parameter')
  assert.equal((await statement(caller, { from: `${from}`, to: '2026-11-22' })).code, 'bad_parameter')
  assert.equal((await statement(caller, { from: '-1', to: `${from}` })).code, 'bad_parameter')
})

test('one at a time for each merchant: a second one meanwhile is told to wait, others are not', async () => {
  const make = openStatements(pool)
  const merchantId = api.merchants.byAppid((await shop()).appid)!.id
  const other = api.merchants.byAppid((await shop()).appid)!.id
  const time = { from: at('11-20T00:00:00'), to: at('11-21T00:00:00') }
  const first = make({ merchantId, ...time })
  await assert.rejects(make({ merchantId, ...time }), { code: 'rate_limited', retryAfterS: 1 })
  await Promise.all([first, make({ merchantId: other, ...time })])
  await make({ merchantId, ...time })
  await assert.rejects(make({ merchantId, from: time.to, to: time.from }), { code: 'bad_parameter' })
  await make({ merchantId, ...time })
})
