import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { type AddressFacts, seedAddress, seedAddresses, seedOrder } from '../support/seed.ts'
import { seedDeposit } from '../support/seed-callback.ts'
import {
  seedCredit,
  seedSeen,
  seedTransfer,
  seedTransfers,
  seedWaiting,
  type TransferFacts,
} from '../support/seed-transfer.ts'
import type { Caller } from '../support/signed-request.ts'

const api = await openApiUnderTest()
const { pool } = api

/** A merchant, with shorthands for what it asks and has. */
async function openShop() {
  const caller = await api.addMerchant()
  const merchantId = api.merchants.byAppid(caller.appid)!.id
  return {
    caller,
    merchantId,
    address: (facts: AddressFacts = {}) => seedAddress(pool, { merchantId, isBase: false, ...facts }),
    list: (filter: Record<string, string> = {}) => list(caller, filter),
  }
}

async function list(caller: Caller, filter: Record<string, string>) {
  const answer = await api.ask(caller, 'transfers', filter)
  assert.equal(answer.status, 1, answer.code === 'internal' ? api.logged().slice(-3000) : answer.text)
  return answer.data as {
    transfers: {
      txid: string
      address: string
      state: string
      reason: string | null
      orderid: string | null
      deposit_id: string | null
      deposit_amount: string | null
      block: number
    }[]
    seen: { txid: string; confirmations: number }[]
    next: string | null
  }
}

async function credited(facts: TransferFacts, orderid: string) {
  const { orderId } = await seedOrder(pool, { addressId: facts.addressId, orderid })
  const seeded = await seedTransfer(pool, facts)
  await seedCredit(pool, { transferId: seeded.transferId, orderId })
  return seeded
}

async function rejected(facts: TransferFacts) {
  const seeded = await seedTransfer(pool, facts)
  await pool.query(`insert into rejection (transfer_id, reason, rejected_by) values ($1, 'made up', 'who')`, [
    seeded.transferId,
  ])
  return seeded
}

/** A version of a transfer that waits for proof. @returns its txid. */
async function unproved({
  addressId,
  height = 1,
  txIndex = 0,
  logIndex = 0,
}: TransferFacts): Promise<string> {
  const { rows } = await pool.query(
    `insert into pending_proof
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, node, hosts)
     values (encode(sha256(random()::text::bytea), 'hex'), $2, $1, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 5000001, $3, 'hash',
             now(), $4, 'node', '{node}')
     returning txid`,
    [addressId, logIndex, height, txIndex],
  )
  return rows[0].txid
}

const shop = await openShop()
const alice = await shop.address({ localusermark: 'alice' })
const bob = await shop.address({ localusermark: 'bob' })
const blockTime = new Date(1_662_299_898_000)
const paid = await credited(
  { addressId: alice.addressId, height: 9, blockTime, amount: 3_000_050n, logIndex: 2 },
  'sh-paid',
)
const waits = async (reason: string, height: number) =>
  (await seedWaiting(pool, { addressId: bob.addressId, reason, height })).txid
const early = await waits('unclaimed', 2)
const big = await waits('held', 3)
const odd = await waits('quarantined', 4)
const next = await waits('behind', 5)
const proofless = await unproved({ addressId: bob.addressId, height: 6 })
const madeUp = (await rejected({ addressId: bob.addressId, height: 7 })).txid

test('a transfer is shown as the wire has it', async () => {
  const { transfers } = await shop.list({ localusermark: 'alice' })
  assert.deepEqual(transfers, [
    {
      txid: paid.txid,
      log_index: 2,
      from: 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm',
      address: alice.address,
      localusermark: 'alice',
      amount: '3.00005',
      block: 9,
      block_time: 1_662_299_898,
      state: 'credited',
      reason: null,
      orderid: 'sh-paid',
      deposit_id: null,
      deposit_amount: null,
    },
  ])
})

test('a deposit is shown with its key and what it announces, and is not among the credited', async () => {
  const caller = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const merchant = api.merchants.byAppid(caller.appid)!
  const { addressId } = await seedAddress(pool, { merchantId: merchant.id, localusermark: 'carol' })
  const first = await seedDeposit(pool, { merchant, addressId, height: 5, amount: 3_000_050n })
  const [rest] = await seedTransfers(pool, [{ addressId, height: 6, amount: 49n }])
  await pool.query(
    `insert into credit (transfer_id, deposit_address_id, amount, received, late) values ($1, $2, 49, 3000099, false)`,
    [rest!.transferId, addressId],
  )
  await credited({ addressId, height: 7 }, 'sh-later')
  const shown = async (filter: Record<string, string>) =>
    (await list(caller, filter)).transfers.map(one => [
      one.txid,
      one.state,
      one.deposit_id,
      one.deposit_amount,
    ])
  const deposits = [
    [rest!.txid, 'deposit', null, '0'],
    [first.txid, 'deposit', first.key, '30000'],
  ]
  assert.deepEqual(await shown({ state: 'deposit' }), deposits)
  assert.deepEqual(await shown({ state: 'deposit', localusermark: 'carol' }), deposits)
  assert.equal((await shown({ state: 'credited' })).length, 1)
  assert.equal((await shown({})).length, 3)
  assert.deepEqual(await shown({ txid: first.txid }), [deposits[1]])
})

test('each transfer has its state, and what is held says why', async () => {
  const { transfers, next: more } = await shop.list()
  assert.deepEqual(
    transfers.map(({ txid, state, reason, orderid }) => [txid, state, reason, orderid]),
    [
      [paid.txid, 'credited', null, 'sh-paid'],
      [madeUp, 'rejected', null, null],
      [proofless, 'held', 'proof', null],
      [next, 'held', 'behind', null],
      [odd, 'held', 'quarantine', null],
      [big, 'held', 'confirmation', null],
      [early, 'unclaimed', null, null],
    ],
  )
  assert.equal(more, null)
})

test('a filter by state, user or address shows those alone, and filters add up', async () => {
  const expected: [Record<string, string>, string[]][] = [
    [{ state: 'credited' }, [paid.txid]],
    [{ state: 'unclaimed' }, [early]],
    [{ state: 'held' }, [proofless, next, odd, big]],
    [{ state: 'rejected' }, [madeUp]],
    [{ localusermark: 'bob', state: 'credited' }, []],
    [{ localusermark: 'alice', state: 'held' }, []],
    [{ address: alice.address }, [paid.txid]],
    [{ address: bob.address, state: 'unclaimed' }, [early]],
    [{ address: alice.address, localusermark: 'bob' }, []],
    [{ address: bob.address, txid: proofless }, [proofless]],
    [{ localusermark: 'nobody' }, []],
  ]
  for (const [filter, txids] of expected) {
    const { transfers } = await shop.list(filter)
    assert.deepEqual(
      transfers.map(({ txid }) => txid),
      txids,
      JSON.stringify(filter),
    )
  }
})

test('a txid is found in upper case and with 0x, whatever its state', async () => {
  for (const txid of [paid.txid, early, big, odd, next, proofless, madeUp])
    for (const written of [txid, txid.toUpperCase(), `0x${txid}`, `0X${txid.toUpperCase()}`])
      assert.deepEqual(
        (await shop.list({ txid: written })).transfers.map(one => one.txid),
        [txid],
      )
  assert.deepEqual((await shop.list({ txid: 'ab'.repeat(32) })).transfers, [])
})

test("no filter and no cursor shows another merchant's transfers", async () => {
  const other = await openShop()
  const { addressId } = await other.address({ localusermark: 'alice' })
  const theirs = (await seedWaiting(pool, { addressId, reason: 'unclaimed', height: 8 })).txid
  await seedSeen(pool, { addressId: alice.addressId, height: 100, txid: 'cd'.repeat(32) })
  const { next: cursor } = await shop.list({ limit: '1' })
  const filters: Record<string, string>[] = [
    {},
    { localusermark: 'alice' },
    ...[paid.txid, early, big, proofless, madeUp, 'cd'.repeat(32)].map(txid => ({ txid })),
    ...[alice, bob].map(({ address }) => ({ address })),
    ...['credited', 'unclaimed', 'held', 'rejected'].map(state => ({ state })),
    { cursor: cursor! },
  ]
  for (const filter of filters) {
    const { transfers, seen } = await other.list(filter)
    assert.ok(
      transfers.every(({ txid }) => txid === theirs),
      JSON.stringify(filter),
    )
    assert.deepEqual(seen, [])
  }
  await pool.query('delete from seen_transfer')
})

test('pages of any size show every transfer once, in the order of the chain, what waits for proof at the same place included', async () => {
  const { list: page, ...many } = await openShop()
  const { addressId, address } = await many.address({ localusermark: 'many' })
  const expected: string[] = []
  for (const [height, txIndex, logIndex] of [
    [21, 0, 0],
    [21, 0, 1],
    [21, 4, 0],
    [22, 0, 0],
    [22, 1, 0],
    [40, 2, 3],
  ] as const) {
    const place = { addressId, height, txIndex, logIndex }
    expected.unshift((await seedWaiting(pool, { ...place, reason: 'unclaimed' })).txid)
    // Versions at one place: as two blocks of one height may have them.
    if (txIndex === 0) for (let i = 0; i < 2; i++) expected.unshift(await unproved(place))
  }
  const filters: Record<string, string>[] = [{}, { address }, { localusermark: 'many' }]
  for (const filter of filters) {
    for (const limit of [1, 2, 3, 500]) {
      const shown: string[] = []
      let cursor: string | null = null
      do {
        const asked: Record<string, string> = { ...filter, limit: String(limit), ...(cursor && { cursor }) }
        const { transfers, next: more } = await page(asked)
        assert.ok(transfers.length <= limit)
        shown.push(...transfers.map(({ txid }) => txid))
        cursor = more
        assert.ok(shown.length <= expected.length, 'the pages have an end')
      } while (cursor)
      assert.deepEqual(shown, expected, JSON.stringify({ ...filter, limit }))
    }
  }
})

test('what is seen comes with the first page, with its confirmations, until it is irreversible', async () => {
  const { list: page, ...seeing } = await openShop()
  const { addressId, address } = await seeing.address({ localusermark: 'quick' })
  const txid = 'ef'.repeat(32)
  await seedSeen(pool, { addressId, txid, height: 10, amount: 1_500_000n })
  await pool.query(`insert into chain_head (height, hash, block_time) values (14, 'h', now())`)
  const shown = { txid, address, localusermark: 'quick', amount: '1.5', confirmations: 4 }
  assert.deepEqual((await page()).seen, [shown])
  assert.deepEqual((await page({ txid: txid.toUpperCase() })).seen, [shown])
  assert.deepEqual((await page({ state: 'credited' })).seen, [])
  assert.deepEqual((await page({ cursor: '5-0-0-0' })).seen, [])
  await pool.query(`update chain_cursor set height = 10`)
  assert.deepEqual((await page()).seen, [], 'it is recorded, or not to be credited')
  await pool.query(`update chain_cursor set height = 1; delete from seen_transfer; delete from chain_head`)
})

test('addresses that belong to no user yet are not shown', async () => {
  const { list: page, ...restored } = await openShop()
  const { addressId, address } = await restored.address({ localusermark: '' })
  const { txid } = await seedWaiting(pool, { addressId, reason: 'unclaimed' })
  const filters: Record<string, string>[] = [{}, { txid }, { address }, { state: 'unclaimed' }]
  for (const filter of filters) assert.deepEqual((await page(filter)).transfers, [])
})

test('what is no txid, address, state, limit or cursor is refused', async () => {
  const bad: Record<string, string>[] = [
    { txid: 'ab'.repeat(31) },
    { txid: `0x0x${'ab'.repeat(32)}` },
    { address: '41'.repeat(21) },
    { address: "T' or true --" },
    { state: 'paid' },
    { limit: '501' },
    { limit: '0' },
    { cursor: '1-2-3' },
    { cursor: '4294967296-0-0-0' },
    { cursor: '1-0-0-9999999999999999999' },
  ]
  for (const filter of bad) {
    const answer = await api.ask(shop.caller, 'transfers', filter)
    assert.deepEqual([answer.httpStatus, answer.code], [400, 'bad_parameter'], JSON.stringify(filter))
    assert.match(answer.err!, new RegExp(`^${Object.keys(filter)[0]}: `))
  }
})

test("of a merchant whose transfers lie behind many of others', every transfer is found: on one page where it has few addresses, else over several", async () => {
  const crowd = await openShop()
  const { addressId } = await crowd.address()
  const { list: page, ...quiet } = await openShop()
  const { addressId: quietId } = await quiet.address()
  const old = await seedTransfers(pool, [{ addressId: quietId, height: 2_000 }])
  await seedWaiting(pool, { addressId: quietId, reason: 'unclaimed', height: 2_001 })
  const first = await unproved({ addressId: quietId, height: 1_999 })
  await crowdTransfers(addressId, 1_000_000, 41_000)
  const all = await page()
  assert.equal(all.transfers.length, 3)
  assert.equal(all.next, null)
  await manyAddresses(quiet.merchantId, 10_001)
  const shown: string[] = []
  let pages = 0
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    assert.ok(pages < 5, 'the pages have an end')
    const { transfers, next: more } = await page(cursor ? { cursor } : {})
    shown.push(...transfers.map(({ txid }) => txid))
    cursor = more
  }
  assert.deepEqual(
    shown,
    all.transfers.map(({ txid }) => txid),
  )
  assert.ok(pages >= 3)
  assert.deepEqual([shown[1], shown[2]], [old[0]!.txid, first])
})

test('a page of a merchant with many transfers reads few of them, far down too', async () => {
  const crowd = await openShop()
  const { addressId } = await crowd.address()
  await crowdTransfers(addressId, 2_000_000, 5_000)
  await pool.query('analyze transfer')
  const filters: Record<string, string>[] = [{}, { cursor: '2002000-0-0-0' }, { localusermark: 'u1' }]
  for (const filter of filters) {
    const before = await transfersRead()
    const { transfers } = await crowd.list({ limit: '10', ...filter })
    assert.equal(transfers.length, 10)
    assert.ok((await transfersRead()) - before < 200, JSON.stringify(filter))
  }
})

/** Transfers to one address, one in each block above a height. Nothing is written of what has become of them. */
async function crowdTransfers(addressId: bigint, above: number, count: number) {
  await pool.query(
    `insert into transfer
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_time, tx_index, block_hash)
     select encode(sha256(($1::bigint * 1000000 + n)::text::bytea), 'hex'), 0, $1, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 1,
            $2 + n, now(), 0, 'hash'
       from generate_series(1, $3) n`,
    [addressId, above, count],
  )
}

async function manyAddresses(merchantId: MerchantId, count: number) {
  await seedAddresses(
    pool,
    Array.from({ length: count }, () => ({ merchantId, isBase: false })),
  )
}

async function transfersRead(): Promise<number> {
  // The connection that read reports what it read after it was told to.
  await api.options.reads.query('select pg_stat_force_next_flush()')
  const { rows } = await pool.query(
    `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 as read
       from pg_stat_user_tables
      where relname = 'transfer'`,
  )
  return rows[0].read
}
