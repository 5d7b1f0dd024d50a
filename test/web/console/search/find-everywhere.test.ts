import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { payUrls } from '../../../../src/orders/pay-link.ts'
import type { TronAddress } from '../../../../src/tron/address.ts'
import { search } from '../../../../src/web/console/search/find-everywhere.ts'
import type { TransferHit } from '../../../../src/web/console/search/search-hit.ts'
import { followChain } from '../../../support/api-under-test.ts'
import { cloneDatabase } from '../../../support/database.ts'
import { seedAddress, seedOrder, seedOrders, usualAmount } from '../../../support/seed.ts'
import { seedCallback, seedDeposit } from '../../../support/seed-callback.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'
import { seedQuarantine, seedSeen, seedTransfer, seedWaiting } from '../../../support/seed-transfer.ts'

const { pool } = await cloneDatabase()
await followChain(pool)
const callbackUrl = 'https://shop.example/cb'
const mine = await seedMerchant(pool, { callbackUrl })
const other = await seedMerchant(pool, { callbackUrl, deposits: true })

/** Where a search leads, as a path with its query. */
const opensAt = async (scope: bigint | null, text: string) => {
  const { opens } = await search(pool, scope as typeof mine.id, text)
  return opens && [opens.path, new URLSearchParams(opens.query)].join('?').replace(/\?$/, '')
}
const kindsOf = async (scope: bigint | null, text: string) =>
  (await search(pool, scope as typeof mine.id, text)).hits.map(({ kind }) => kind)
const ordersnOf = async (orderid: string): Promise<string> =>
  (await pool.query('select ordersn from recharge_order where orderid = $1', [orderid])).rows[0].ordersn
const txidOf = async (key: string): Promise<string> =>
  (
    await pool.query(
      'select txid from callback b join credit c on c.id = b.credit_id join transfer t on t.id = c.transfer_id where key = $1',
      [key],
    )
  ).rows[0].txid

test('everything of a paid order leads to its page, and to nothing for another merchant', async () => {
  const { key } = await seedCallback(pool, { merchant: mine, orderid: 'paid-1', amount: 7_250_000n })
  const ordersn = await ordersnOf('paid-1')
  const txid = await txidOf(key)
  const token = randomBytes(16)
  await pool.query(
    'insert into pay_link (order_id, token) select id, $1 from recharge_order where ordersn = $2',
    [token, ordersn],
  )
  const texts = [
    'paid-1',
    ordersn,
    ordersn.toUpperCase(),
    payUrls('https://pay.example', token).pay_url,
    '7.25',
  ]
  texts.push(`0x${txid.toUpperCase()}`, `https://tronscan.org/#/transaction/${txid}`)
  assert.equal(await opensAt(mine.id, key), `/callbacks/${key}`)
  assert.deepEqual(await kindsOf(other.id, key), [])
  for (const text of texts) {
    for (const scope of [mine.id, null]) {
      assert.equal(await opensAt(scope, text), `/orders/${ordersn}`, text)
    }
    const { hits, opens } = await search(pool, other.id, text)
    assert.deepEqual([hits, opens], [[], null], text)
  }
})

test('a user, an address and a deposit lead to their own places', async () => {
  const { address, addressId } = await seedAddress(pool, { merchantId: other.id, localusermark: 'user 1' })
  assert.equal(await opensAt(other.id, address), `/addresses/${address}`)
  assert.equal(await opensAt(other.id, 'user 1'), `/orders?merchant=${other.appid}&user=user+1`)
  const { key, txid } = await seedDeposit(pool, { merchant: other, addressId })
  for (const text of [key, txid]) assert.equal(await opensAt(other.id, text), `/callbacks/${key}`)
  for (const text of [address, 'user 1', key, txid]) {
    assert.deepEqual(await kindsOf(mine.id, text), [], text)
    assert.equal((await kindsOf(null, text)).length, 1, text)
  }
})

test('a transfer is shown with what became of it, wherever it is', async () => {
  const { address, addressId } = await seedAddress(pool, { merchantId: mine.id, localusermark: 'payer' })
  const seen = randomBytes(32).toString('hex')
  await seedSeen(pool, { addressId, txid: seen, height: 1_000 })
  const [unclaimed, held, rejected] = [
    await seedWaiting(pool, { addressId, reason: 'unclaimed' }),
    await seedWaiting(pool, { addressId, reason: 'behind' }),
    await seedTransfer(pool, { addressId }),
  ]
  const pending = randomBytes(32).toString('hex')
  await pool.query(
    `insert into pending_proof
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, node, hosts)
     values ($1, 0, $2, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 5, 1, 'hash', now(), 0, 'n', '{n}')`,
    [pending, addressId],
  )
  const expected = {
    [seen]: 'seen',
    [unclaimed.txid]: 'unclaimed',
    [held.txid]: 'held',
    [rejected.txid]: 'rejected',
  }
  for (const [txid, state] of Object.entries({ ...expected, [pending]: 'held' })) {
    const { hits } = await search(pool, mine.id, txid)
    assert.deepEqual(
      hits.map(hit => hit.kind === 'transfer' && [hit.state, hit.address, hit.ordersn]),
      [[state, address, null]],
    )
    const { transferId } = hits[0] as TransferHit
    assert.equal(transferId === null, state === 'seen' || txid === pending)
    const place = transferId === null ? `/addresses/${address}` : `/money/transfers/${transferId}`
    assert.equal(await opensAt(mine.id, txid), place)
    // An admin decides about what waits for proof.
    assert.match(
      (await opensAt(null, txid))!,
      txid === pending ? /^\/money\/proofs\/\d+$/ : new RegExp(place),
    )
    assert.deepEqual(await kindsOf(other.id, txid), [])
  }
  // A sighting in a block that is recorded is what the recorded transfer says.
  await pool.query('update chain_cursor set height = 1000')
  assert.deepEqual(await kindsOf(mine.id, seen), [])
})

test('an address that was skipped after a restore is shown to admins alone', async () => {
  const { address, addressId } = await seedAddress(pool, {
    merchantId: mine.id,
    localusermark: '',
    username: '',
  })
  const { txid } = await seedWaiting(pool, { addressId, reason: 'unclaimed' })
  for (const text of [address as string, txid]) {
    assert.deepEqual(await kindsOf(mine.id, text), [])
    assert.equal((await kindsOf(null, text)).length, 1)
  }
})

test('a log that nobody could read is shown to admins alone: it is nobody’s', async () => {
  const txid = randomBytes(32).toString('hex')
  await seedQuarantine(pool, { txid, logs: [0] })
  assert.deepEqual(await kindsOf(mine.id, txid), [])
  assert.match((await opensAt(null, txid))!, /^\/money\/logs\/\d+$/)
  await seedQuarantine(pool, { txid, logs: [1] })
  assert.deepEqual(await kindsOf(null, txid), ['quarantine', 'quarantine'])
  assert.equal(await opensAt(null, txid), null)
})

test('merchants may have the same ids: each finds its own, and an admin all of them', async () => {
  for (const { id } of [mine, other]) {
    const { addressId } = await seedAddress(pool, { merchantId: id, localusermark: 'twin' })
    await seedOrder(pool, { addressId, orderid: 'twin' })
  }
  assert.deepEqual(await kindsOf(mine.id, 'twin'), ['order', 'user'])
  assert.deepEqual(await kindsOf(null, 'twin'), ['order', 'order', 'user', 'user'])
  assert.equal((await search(pool, null, 'twin')).opens, null)
  for (const { appid, id } of [mine, other]) {
    const { hits } = await search(pool, id, 'twin')
    assert(hits.every(hit => 'appid' in hit && hit.appid === appid))
  }
})

test('an order that an id and an amount name is one hit, and waiting money of the amount is found beside it', async () => {
  const { addressId } = await seedAddress(pool, { merchantId: mine.id, localusermark: 'u100' })
  await seedOrder(pool, { addressId, orderid: '100', amount: 100_000_000n })
  assert.deepEqual(await kindsOf(mine.id, '100'), ['order'])
  await seedWaiting(pool, { addressId, reason: 'unclaimed', amount: 100_000_000n })
  assert.deepEqual(await kindsOf(mine.id, '100.00'), ['order', 'transfer'])
  // By what it received, too.
  await seedOrder(pool, { addressId, amount: 99_000_000n, received: 55_500_000n })
  assert.deepEqual(await kindsOf(mine.id, '55.5 USDT'), ['order'])
})

test('at most twenty of a kind are shown, and that there are more is said', async () => {
  const { addressId } = await seedAddress(pool, { merchantId: mine.id, localusermark: 'many' })
  const amount = usualAmount * 1_000n
  const add = (count: number) =>
    seedOrders(
      pool,
      Array.from({ length: count }, () => ({ addressId, amount })),
    )
  await add(20)
  const full = await search(pool, mine.id, '3000')
  assert.deepEqual([full.hits.length, full.more], [20, []])
  await add(1)
  const over = await search(pool, mine.id, '3,000')
  assert.deepEqual([over.hits.length, over.more, over.opens], [20, ['order'], null])
})

test('texts that no merchant can have given are searched for without an error', async () => {
  for (const text of [
    '',
    '\0',
    '\ud800',
    "'; drop table merchant; --",
    'x'.repeat(100_000),
    '%',
    '\\',
    '1'.repeat(64),
  ])
    assert.deepEqual(await kindsOf(null, text), [], JSON.stringify(text.slice(0, 40)))
  const wrong = 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'.toLowerCase() as TronAddress
  assert.equal((await search(pool, mine.id, wrong)).searched.wrongAddress, 'case')
})
