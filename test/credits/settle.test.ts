import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rescan } from '../../src/credits/rescan.ts'
import { settleDue } from '../../src/credits/settle.ts'
import { nextCheckMs, nextCheckOfRejectedMs } from '../../src/credits/settle-rules.ts'
import { type Pool, rows } from '../../src/db/pool.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
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
import { playedHosts, rulesFor } from './played-hosts.ts'

const unsigned = (block: SolidBlock): SolidBlock => ({
  ...block,
  transfers: block.transfers.map(transfer => ({ ...transfer, signed: false })),
})
const without = (block: SolidBlock): SolidBlock => ({ ...block, transfers: [] })
const unverified = (block: SolidBlock, why: SolidBlock['unverified'] = 'root'): SolidBlock => ({
  ...block,
  unverified: why,
})

/** u1 and u2, each with an order; host a follows, and shows the block of height 1 as given. */
async function followed(seed: string, hosts: number, alone?: bigint) {
  const it = await creditedChain(seed)
  it.rules.proof = rulesFor(hosts, alone)
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 1000, 1)
  const truth = unsigned(it.block(3, [[{ toBytes: to, units: 500n }]]))
  return {
    ...it,
    to,
    truth,
    follow: (block: SolidBlock) => it.credit([{ ...block, node: 'a' }]),
    settle: (shown: Parameters<typeof playedHosts>[0]) => {
      const nodes = playedHosts(shown)
      return settleDue(it.pool, it.rules, nodes).then(settled => ({ settled, asked: nodes.asked }))
    },
  }
}

/** Lets this much time pass for everything that waits. */
async function pass(pool: Pool, seconds: number): Promise<void> {
  for (const [table, columns] of [
    ['pending_proof', ['created_at', 'next_check_at', 'denied_since', 'ended_at', 'checked_at']],
    ['unverified_block', ['created_at', 'next_check_at', 'checked_at']],
  ] as const) {
    const moved = columns.map(column => `${column} = ${column} - interval '${seconds} s'`)
    await pool.query(`update ${table} set ${moved.join(', ')}`)
  }
}

/** The wait until what waits is read again, in seconds; null: not by itself. */
async function nextCheckS(pool: Pool): Promise<number | null> {
  const [next] = await rows<{ s: number | null }>(
    pool,
    `select round(extract(epoch from next_check_at - coalesce(checked_at, created_at)))::float8 as s
       from (select next_check_at, checked_at, created_at from pending_proof
              union all select next_check_at, checked_at, created_at from unverified_block) waits`,
  )
  return next!.s
}

const proofs = (pool: Pool) =>
  rows(
    pool,
    'select t.amount, p.proof, p.hosts from transfer t join transfer_proof p on p.transfer_id = t.id order by t.id',
  )

const states = (pool: Pool) =>
  rows<{ amount: bigint; state: string; because: string | null }>(
    pool,
    `select amount, coalesce(ended_as, 'waits') as state, ended_because as because from pending_proof order by id`,
  )

test('a second host that shows the same is asked first, and it is credited at once', async () => {
  const { pool, follow, settle, truth } = await followed('agreed', 2)
  await follow(truth)
  const { settled, asked } = await settle({ a: () => truth, b: () => truth })
  assert.deepEqual(asked, ['b'])
  assert.deepEqual(settled, [{ height: 1, recorded: 1, credits: 1, rejected: [], takenUp: 0 }])
  assert.deepEqual(await proofs(pool), [{ amount: 500n, proof: 'agreed', hosts: ['a', 'b'] }])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 500n, announced: 5n })
  assert.deepEqual(await states(pool), [{ amount: 500n, state: 'credited', because: null }])
  assert.deepEqual((await settle({ a: () => truth, b: () => truth })).settled, [])
})

test('a verified reading in which it is signed is enough, from whichever host', async () => {
  const { pool, follow, settle, truth } = await followed('verified', 2)
  await follow(unverified(truth))
  const signed = { ...truth, transfers: truth.transfers.map(transfer => ({ ...transfer, signed: true })) }
  await settle({ a: () => signed })
  assert.deepEqual(await proofs(pool), [{ amount: 500n, proof: 'signed', hosts: ['a'] }])
  assert.deepEqual(await rows(pool, 'select settled_as from unverified_block'), [{ settled_as: 'verified' }])
})

test('what is not decided is read again after 10 s and 30 s, then each minute, after an hour each ten', async () => {
  const { pool, follow, settle, truth } = await followed('schedule', 2)
  await follow(truth)
  assert.equal(await nextCheckS(pool), 0)
  const away = { a: () => truth, b: () => assert.fail('away') }
  const waits: number[] = []
  for (let round = 0; round < 5; round++) {
    const { settled } = await settle(away)
    assert.equal(settled.length, 1)
    const next = (await nextCheckS(pool))!
    waits.push(next)
    await pass(pool, next - 2)
    assert.deepEqual((await settle(away)).settled, [], 'not due yet')
    await pass(pool, 2)
  }
  assert.deepEqual(waits, [10, 20, 60, 60, 60])
  assert.equal(nextCheckMs(70, 3_600_000), 600_000)
  assert.deepEqual(await states(pool), [{ amount: 500n, state: 'waits', because: null }])
})

test('one host that denies it is not enough where it is shown by another: it goes on waiting', async () => {
  const { pool, follow, settle, truth } = await followed('one denies', 2)
  await follow(truth)
  for (let round = 0; round < 6; round++) {
    await settle({ a: () => truth, b: () => without(truth) })
    await pass(pool, 60)
  }
  assert.deepEqual(await states(pool), [{ amount: 500n, state: 'waits', because: null }])
})

test('two hosts that show the block without it reject it, and what waits behind it goes on', async () => {
  const { pool, follow, settle, truth, credit, block, to } = await followed('rejected', 3)
  await follow(truth)
  await credit([block(6, [[{ toBytes: to, units: 7n }]])])
  assert.deepEqual(await waiting(pool), [{ reason: 'behind', amount: 7n, note: null }])
  const { settled } = await settle({
    a: () => truth,
    b: () => without(truth),
    c: () => unverified(without(truth)),
  })
  assert.equal(settled[0]!.credits, 1)
  assert.deepEqual(await states(pool), [
    { amount: 500n, state: 'rejected', because: 'b and c show its block without it' },
  ])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 7n, announced: 0n })
  assert.deepEqual(await proofs(pool), [{ amount: 7n, proof: 'signed', hosts: ['node'] }])
  const [event] = await rows<{ actor: string; action: string }>(
    pool,
    `select actor, action from audit_event order by id desc limit 1`,
  )
  assert.deepEqual(event, { actor: 'watcher', action: 'proof.rejected' })
})

test('what two hosts leave out and a further one shows is proved, whoever is asked first', async () => {
  const { pool, follow, settle, truth } = await followed('a further host', 4)
  await follow(truth)
  const { asked } = await settle({
    a: () => truth,
    b: () => without(truth),
    c: () => without(truth),
    d: () => truth,
  })
  assert(asked.includes('d'))
  assert.deepEqual(await proofs(pool), [{ amount: 500n, proof: 'agreed', hosts: ['a', 'd'] }])
  assert.deepEqual((await orderOf(pool, 'o-1')).received, 500n)
})

test('a liar that tells the truth later denies it as well', async () => {
  const { pool, follow, settle, truth } = await followed('liar ends', 2)
  await follow(truth)
  await settle({ a: () => truth, b: () => without(truth) })
  await pass(pool, 10)
  await settle({ a: () => without(truth), b: () => without(truth) })
  assert.deepEqual((await states(pool))[0]!.state, 'rejected')
})

test('whoever shows another block, or logs that are not the block’s, denies nothing', async () => {
  const { pool, follow, settle, truth } = await followed('no denial', 5)
  await follow(truth)
  const other = { ...without(truth), hash: bytesFor('other').toString('hex').padEnd(64, '0') }
  for (let round = 0; round < 4; round++) {
    await settle({
      a: () => truth,
      b: () => other,
      c: () => unverified(without(truth), 'infos'),
      d: () => unverified(without(truth), 'unlogged'),
      e: () => unverified(without(truth), 'contradicted'),
    })
    await pass(pool, 60)
  }
  assert.deepEqual((await states(pool))[0]!.state, 'waits')
})

test('the only host rejects it by leaving it out twice in a row, a minute apart', async () => {
  const { pool, follow, settle, truth } = await followed('only', 1)
  await follow(truth)
  assert.deepEqual((await states(pool))[0]!.state, 'waits', 'above what one host is believed')
  const round = async (shown: SolidBlock, seconds: number) => {
    await settle({ a: () => shown })
    await pass(pool, seconds)
    return (await states(pool))[0]!.state
  }
  assert.equal(await round(without(truth), 10), 'waits')
  assert.equal(await round(without(truth), 20), 'waits')
  // It is there again: the minute begins anew.
  assert.equal(await round(truth, 60), 'waits')
  assert.equal(await round(without(truth), 60), 'waits')
  assert.equal(await round(without(truth), 60), 'rejected')
})

test('with one host configured what it shows again after a rejection waits again, and small sums are credited', async () => {
  const { pool, follow, settle, truth } = await followed('only again', 1)
  await follow(truth)
  for (const seconds of [10, 20, 60, 60]) {
    await settle({ a: () => without(truth) })
    await pass(pool, seconds)
  }
  assert.deepEqual((await states(pool))[0]!.state, 'rejected')
  await pass(pool, 600)
  await settle({ a: () => truth })
  assert.deepEqual(await states(pool), [{ amount: 500n, state: 'waits', because: null }])
  const small = await followed('only again, small', 1, 1000n)
  await small.follow(small.truth)
  assert.deepEqual(await proofs(small.pool), [{ amount: 500n, proof: 'alone', hosts: ['a'] }])
})

test('a rejection is not the last word: two hosts that show it, a rescan, or time', async () => {
  for (const how of ['time', 'rescan'] as const) {
    const { pool, rules, follow, settle, truth } = await followed(`taken up ${how}`, 3)
    await follow(truth)
    await settle({ a: () => truth, b: () => without(truth), c: () => without(truth) })
    assert.deepEqual((await states(pool))[0]!.state, 'rejected')
    const shown = { a: () => truth, b: () => truth, c: () => without(truth) }
    assert.deepEqual((await settle(shown)).settled, [], 'not at once')
    if (how === 'time') {
      await pass(pool, 600)
      assert.deepEqual((await settle(shown)).settled, [
        { height: 1, recorded: 1, credits: 1, rejected: [], takenUp: 1 },
      ])
    } else {
      const nodes = playedHosts({ c: () => without(truth), b: () => truth })
      const done = await rescan(
        pool,
        rules,
        {
          ...nodes,
          solidBlock: (height, options) => nodes.solidBlock(height, { not: options?.not ?? [] }),
          distrust: () => undefined,
        },
        { from: 1, to: 1 },
      )
      assert.deepEqual([done.recorded, done.credited, done.takenUp], [1, 1, 1])
    }
    assert.deepEqual(await states(pool), [{ amount: 500n, state: 'credited', because: null }])
    assert.deepEqual(await orderOf(pool, 'o-1'), { received: 500n, announced: 5n })
    await assertNoneHomeless(pool)
    await assertTotalsAddUp(pool)
  }
  assert.equal(nextCheckOfRejectedMs(0), 600_000)
  assert.equal(nextCheckOfRejectedMs(3_600_000), 3_600_000)
  assert.equal(nextCheckOfRejectedMs(86_400_000), null)
})

test('with CREDIT_ALONE_AMOUNT set, two hosts configured and one away: by one word after a minute', async () => {
  const { pool, follow, settle, truth } = await followed('away', 2, 500n)
  await follow(truth)
  const away = { a: () => truth, b: () => assert.fail('away') }
  await settle(away)
  await pass(pool, 59)
  await settle(away)
  assert.deepEqual((await states(pool))[0]!.state, 'waits')
  await pass(pool, 61)
  await settle(away)
  assert.deepEqual(await proofs(pool), [{ amount: 500n, proof: 'alone', hosts: ['a'] }])
})

test('a hidden transfer of an unverified block is recorded once a verified reading shows it', async () => {
  const { pool, follow, settle, truth } = await followed('hidden', 2)
  const signed = { ...truth, transfers: truth.transfers.map(transfer => ({ ...transfer, signed: true })) }
  const done = await follow(unverified(without(truth)))
  assert.deepEqual([done!.unverified, done!.transfers], [1, 0])
  assert.equal(await nextCheckS(pool), 0)
  assert.deepEqual((await settle({ a: () => unverified(without(truth)) })).settled[0]!.recorded, 0)
  await pass(pool, 10)
  const { settled, asked } = await settle({ a: () => unverified(without(truth)), b: () => signed })
  assert.deepEqual(settled, [{ height: 1, recorded: 1, credits: 1, rejected: [], takenUp: 0 }])
  assert.deepEqual(asked, ['a', 'b'])
  assert.deepEqual(await proofs(pool), [{ amount: 500n, proof: 'signed', hosts: ['b'] }])
  assert.deepEqual(await rows(pool, 'select settled_as from unverified_block'), [{ settled_as: 'verified' }])
})

test('an unverified block that two hosts show alike is settled; one that the only host shows for half a minute too', async () => {
  const two = await followed('alike', 2)
  await two.follow(unverified(without(two.truth), 'leaf'))
  await two.settle({
    a: () => unverified(two.truth, 'leaf'),
    b: () => unverified(without(two.truth), 'leaf'),
  })
  assert.deepEqual(await rows(two.pool, 'select settled_as from unverified_block'), [{ settled_as: null }])
  await pass(two.pool, 10)
  const both = () => unverified(two.truth, 'leaf')
  await two.settle({ a: both, b: both })
  assert.deepEqual(await rows(two.pool, 'select settled_as from unverified_block'), [
    { settled_as: 'agreed' },
  ])
  assert.deepEqual(await proofs(two.pool), [{ amount: 500n, proof: 'agreed', hosts: ['a', 'b'] }])

  for (const why of ['leaf', 'root', 'stranger', 'infos', 'unlogged', 'contradicted'] as const) {
    const one = await followed(`alone ${why}`, 1)
    await one.follow(unverified(without(one.truth), why))
    for (const seconds of [10, 20, 60, 60]) {
      await one.settle({ a: () => unverified(without(one.truth), why) })
      await pass(one.pool, seconds)
    }
    const settledAs = ['leaf', 'root', 'stranger'].includes(why) ? 'alone' : null
    assert.deepEqual(await rows(one.pool, 'select settled_as from unverified_block'), [
      { settled_as: settledAs },
    ])
  }
})

test('what waits in a block that is no longer followed is given up, and nothing past the cursor is settled', async () => {
  const { pool, follow, settle, truth } = await followed('rewound', 2)
  await follow(truth)
  await pool.query('update chain_cursor set height = 0, hash = (select parent_hash from chain_block)')
  assert.deepEqual((await settle({ a: () => truth, b: () => truth })).settled, [])
  await pool.query(`update chain_block set hash = repeat('e', 64)`)
  await pool.query(`update chain_cursor set height = 1, hash = repeat('e', 64)`)
  await settle({ a: () => truth, b: () => truth })
  assert.deepEqual(await states(pool), [
    { amount: 500n, state: 'rejected', because: 'its block is not the one that is followed' },
  ])
  assert.deepEqual(await proofs(pool), [])
})

test('two watchers and an operator at once: one credit', async () => {
  const { pool, rules, follow, truth } = await followed('at once', 2)
  await follow(truth)
  const nodes = () => playedHosts({ a: () => truth, b: () => truth })
  const source = () => ({
    solidBlock: (height: number) => nodes().solidBlock(height, { not: ['a'] }),
    distrust: () => undefined,
  })
  await Promise.all([
    settleDue(pool, rules, nodes()),
    settleDue(pool, rules, nodes()),
    rescan(pool, rules, source(), { from: 1, to: 1 }),
  ])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 500n, announced: 5n })
  assert.equal((await proofs(pool)).length, 1)
  await assertTotalsAddUp(pool)
  await assertChainOrder(pool)
})
