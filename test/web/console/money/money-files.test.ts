import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { TestVisitor } from '../../../support/console-under-test.ts'
import { downloadCsv } from '../../../support/read-csv.ts'
import { seedAddress } from '../../../support/seed.ts'
import { seedWaiting } from '../../../support/seed-transfer.ts'
import { openMoneyShop } from './money-shop.ts'

// The lists of money as files.
const money = await openMoneyShop()
const { pool, signedIn, held } = money
let finance: TestVisitor
let admin: TestVisitor
before(async () => {
  finance = await signedIn(money.finance)
  admin = await signedIn(money.admin)
  await pool.query(
    `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time,
                                tx_index, node, hosts, denied)
     select repeat('ef', 32), 0, deposit_address_id, from_address, 1500000, 9, block_hash, block_time, 0, 'a', '{a}', '{}'
       from transfer limit 1`,
  )
  await pool.query(
    `insert into money_mark (kind, merchant_id, order_id, amount, reason, made_by)
     select 'correction', merchant_id, id, -500000, 'too much', 'Fin' from recharge_order`,
  )
})

test('each list is downloaded whole, with times of a zone and of UTC, and amounts as text', async () => {
  const zone = 'zone=Asia/Shanghai'
  const read = (list: string) => downloadCsv(finance, `/console/money.csv?list=${list}&${zone}`)
  const files = {
    unclaimed: await read('unclaimed'),
    held: await read('held'),
    quarantine: await read('quarantine'),
    marks: await read('marks'),
  }
  const first = files.held[0]!
  assert.deepEqual(
    [first.state, first.id, first.amount_usdt, first.txid, first.appid],
    ['held', `${held.transferId}`, '2', held.txid, money.shop.appid],
  )
  const utc = new Date(first.since_utc!)
  const east = new Date(utc.getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  assert.equal(first.since_local, east)
  assert.equal(files.held[1]!.state, 'unproved', 'what waits for proof, too')
  assert.deepEqual(
    files.quarantine.map(({ kind }) => kind),
    ['transfer'],
  )
  assert.equal(files.marks[0]!.amount_usdt, '-0.5')
  const appids = async (visit: TestVisitor, list: string) =>
    (await downloadCsv(visit, `/console/money.csv?list=${list}`)).map(({ appid }) => appid)
  assert((await appids(admin, 'unclaimed')).includes(money.other.appid))
  assert.deepEqual(
    files.unclaimed.filter(({ appid }) => appid !== money.shop.appid),
    [],
  )
  assert.deepEqual(await appids(admin, 'discrepancies'), [money.shop.appid])
  const unseen = await downloadCsv(finance, '/console/money.csv?list=discrepancies')
  assert(
    unseen.every(one => 'transfer_id' in one),
    'who may not see a list gets the first',
  )
  assert.equal((await finance.get(`/console/money.csv?merchant=${money.other.appid}`)).status, 404)
})

test('a long list is downloaded to its end, and goes on to what waits for proof', async () => {
  await pool.query(
    `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time,
                                tx_index, node, hosts, denied)
     select repeat('ed', 32), n, deposit_address_id, from_address, 1500000, 9, block_hash, block_time, 0, 'a', '{a}', '{}'
       from (select * from transfer limit 1) t, generate_series(1, 1200) n`,
  )
  const all = await downloadCsv(admin, '/console/money.csv?list=held')
  assert.equal(all.length, 1 + 1 + 1_200)
  assert.equal(new Set(all.map(({ state, id }) => `${state} ${id}`)).size, all.length)
  const shown: string[] = []
  for (
    let next: string | undefined = '/console/money?list=held';
    next !== undefined && shown.length < 150;
  ) {
    const { text } = await admin.get(next)
    shown.push(...[...text.matchAll(/\/money\/(?:transfers|proofs)\/\d+/g)].map(([path]) => path))
    next = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
  }
  assert.deepEqual(
    shown,
    // Named as `gateway held` names them: p12 waits for proof.
    all
      .slice(0, 150)
      .map(({ id }) => `/money/${id!.replace(/^(p?)/, (_, p) => (p ? 'proofs/' : 'transfers/'))}`),
  )
})

test("what was paid to nobody's address is in no merchant's list of what is held or quarantined", async () => {
  const { addressId } = await seedAddress(pool, {
    merchantId: money.shop.id,
    localusermark: '',
    isBase: false,
  })
  const blockTime = new Date()
  const nobodys = await seedWaiting(pool, { addressId, reason: 'held', amount: 1n, height: 30, blockTime })
  const parked = await seedWaiting(pool, {
    addressId,
    reason: 'quarantined',
    amount: 1n,
    height: 31,
    blockTime,
  })
  await pool.query(
    `insert into quarantine (txid, log_index, block_height, tx_index, reason, log, transfer_id)
     values ($1, 0, 31, 0, 'too large', '{}', $2)`,
    [parked.txid, parked.transferId],
  )
  for (const [list, { txid }] of [
    ['held', nobodys],
    ['quarantine', parked],
  ] as const) {
    const txids = async (visit: TestVisitor) =>
      (await downloadCsv(visit, `/console/money.csv?list=${list}`)).map(row => row.txid)
    assert((await txids(admin)).includes(txid))
    assert(!(await txids(finance)).includes(txid))
  }
})
