import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { type Pool, rows } from '../../src/db/pool.ts'
import type { SolidBlock, UsdtTransfer } from '../../src/tron/block.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertChainOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  creditedChain,
  orderOf,
  waiting,
} from './credited-chain.ts'
import { rulesFor } from './played-hosts.ts'

const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** The block as one that nobody signed for: its transfers are logs inside other contracts' calls. */
const unsigned = (block: SolidBlock): SolidBlock => ({
  ...block,
  transfers: block.transfers.map(transfer => ({ ...transfer, signed: false })),
})
const unverified = (block: SolidBlock): SolidBlock => ({ ...block, unverified: 'root' })
const changed = (block: SolidBlock, change: Partial<UsdtTransfer>): SolidBlock => ({
  ...block,
  transfers: block.transfers.map(transfer => ({ ...transfer, ...change })),
})

async function oneUser(seed: string, hosts: number, alone?: bigint) {
  const it = await creditedChain(seed)
  it.rules.proof = rulesFor(hosts, alone)
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 1000, 1)
  return { ...it, to }
}

async function proofsOf(pool: Pool) {
  return await rows<{ amount: bigint; proof: string; hosts: string[] }>(
    pool,
    `select t.amount, p.proof, p.hosts from transfer t left join transfer_proof p on p.transfer_id = t.id order by t.id`,
  )
}

async function pendingOf(pool: Pool) {
  return await rows<{ amount: bigint; hosts: string[]; state: string }>(
    pool,
    `select amount, hosts, coalesce(ended_as, 'waits') as state from pending_proof order by id`,
  )
}

test('what its sender signed in a verified block is credited, with that proof, however many hosts there are', async () => {
  for (const hosts of [1, 2]) {
    const { pool, block, credit, to } = await oneUser(`signed ${hosts}`, hosts, 0n)
    assert.equal((await credit([block(3, [pay(to, 500n)])]))!.credits, 1)
    assert.deepEqual(await proofsOf(pool), [{ amount: 500n, proof: 'signed', hosts: ['node'] }])
    assert.deepEqual(await pendingOf(pool), [])
  }
})

test('the same in a block that is not verified is one host’s word: with two hosts it waits, and nothing is recorded', async () => {
  const { pool, block, credit, to } = await oneUser('unverified', 2)
  const done = await credit([unverified(block(3, [pay(to, 1n)]))])
  assert.deepEqual(
    {
      transfers: done!.transfers,
      credits: done!.credits,
      unproved: done!.unproved,
      unverified: done!.unverified,
    },
    { transfers: 0, credits: 0, unproved: 1, unverified: 1 },
  )
  assert.deepEqual(await proofsOf(pool), [])
  assert.deepEqual(await pendingOf(pool), [{ amount: 1n, hosts: ['node'], state: 'waits' }])
})

test('with one host a log that nobody signed is credited up to the amount, and waits above it', async () => {
  const { pool, block, credit, to } = await oneUser('alone', 1)
  await credit([unsigned(block(3, [pay(to, 100n), pay(to, 101n), pay(to, 5n)]))])
  assert.deepEqual(await proofsOf(pool), [
    { amount: 100n, proof: 'alone', hosts: ['node'] },
    { amount: 5n, proof: 'alone', hosts: ['node'] },
  ])
  assert.deepEqual(await pendingOf(pool), [{ amount: 101n, hosts: ['node'], state: 'waits' }])
  // What comes after it in the chain waits behind it; what came before does not.
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 100n, announced: 1n })
  assert.deepEqual(await waiting(pool), [{ reason: 'behind', amount: 5n, note: null }])
})

test('later payments to its address wait behind it, also those of later batches; other addresses go on', async () => {
  const { pool, block, credit, to } = await oneUser('behind', 2)
  const two = await addAddress(pool, 'u2')
  await addOrder(pool, 'u2', 'o-2', 70, 1)
  await credit([block(3, [pay(to, 1n)])])
  await credit([unsigned(block(6, [pay(to, 2n)]))])
  await credit([block(9, [pay(to, 3n), pay(two, 70n)])])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 1n, announced: 0n })
  assert.deepEqual(await orderOf(pool, 'o-2'), { received: 70n, announced: 0n })
  assert.deepEqual(await waiting(pool), [{ reason: 'behind', amount: 3n, note: null }])
  await assertNoneHomeless(pool)
})

test('a false version never takes a true one’s place, whichever came first', async () => {
  for (const change of [
    { amount: usdt(7n) },
    { toHex: bytesFor('u2').toString('hex') },
    { fromHex: bytesFor('another payer').toString('hex') },
    { toHex: bytesFor('u2').toString('hex'), amount: usdt(7n) },
  ]) {
    const { pool, rules, block, credit, to } = await oneUser(`versions ${Object.keys(change)}`, 2)
    await addAddress(pool, 'u2')
    const truth = block(3, [pay(to, 500n)])
    await credit([unverified(changed(unsigned(truth), change))])
    assert.equal((await proofsOf(pool)).length, 0)
    const nodes = { solidBlock: async () => ({ ...truth, node: 'b' }), distrust: () => undefined }
    const done = await rescan(pool, rules, nodes, { from: 1, to: 1 })
    assert.equal(done.credited, 1)
    assert.deepEqual(await proofsOf(pool), [{ amount: 500n, proof: 'signed', hosts: ['b'] }])
    assert.deepEqual(
      (await pendingOf(pool)).map(({ state }) => state),
      ['rejected'],
    )
    assert.deepEqual(await orderOf(pool, 'o-1'), { received: 500n, announced: 5n })
    // And once the true one is recorded, the false one does not even wait.
    await rescan(
      pool,
      rules,
      { ...nodes, solidBlock: async () => ({ ...unverified(changed(truth, change)), node: 'c' }) },
      { from: 1, to: 1 },
    )
    assert.equal((await proofsOf(pool)).length, 1)
    assert.deepEqual(await waiting(pool), [])
    await assertTotalsAddUp(pool)
    await assertChainOrder(pool)
  }
})

test('above the quorum amount a signed one is held as before, and one that two hosts agreed on is not', async () => {
  const { pool, rules, block, credit, to } = await oneUser('quorum', 2)
  rules.quorumAmount = usdt(50n)
  await credit([block(3, [pay(to, 60n)])])
  assert.deepEqual(await waiting(pool), [{ reason: 'held', amount: 60n, note: null }])
  const it = await oneUser('quorum agreed', 2)
  it.rules.quorumAmount = usdt(50n)
  const shown = unsigned(it.block(3, [pay(it.to, 60n)]))
  await it.credit([shown])
  const nodes = { solidBlock: async () => ({ ...shown, node: 'b' }), distrust: () => undefined }
  assert.equal((await rescan(it.pool, it.rules, nodes, { from: 1, to: 1 })).credited, 1)
  assert.deepEqual(await proofsOf(it.pool), [{ amount: 60n, proof: 'agreed', hosts: ['b', 'node'] }])
  assert.deepEqual(await waiting(it.pool), [])
})
