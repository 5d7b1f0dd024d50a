import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../src/base/errors.ts'
import { usdt } from '../../src/base/money.ts'
import { confirmHeld } from '../../src/credits/confirm-held.ts'
import { checkQuorum } from '../../src/credits/credit-rules.ts'
import type { HeldTransfer } from '../../src/credits/held-store.ts'
import { type Confirmation, releaseHeld } from '../../src/credits/release-held.ts'
import { releaseQuarantined, waitingCounts } from '../../src/credits/waiting-store.ts'
import { inTransaction } from '../../src/db/pool.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { NodeError } from '../../src/tron/node/node-error.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  creditedChain,
  ledger,
  orderOf,
  waiting,
} from './credited-chain.ts'

const agreed = async (): Promise<Confirmation> => ({ kind: 'agreed' })
const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** Two users; 100 units are above the quorum amount, and u1 is paid 50, 500 and 60, u2 70. */
async function chainWithHeld() {
  const it = await creditedChain('held', 100n)
  const [one, two] = [await addAddress(it.pool, 'u1'), await addAddress(it.pool, 'u2')]
  await addOrder(it.pool, 'u1', 'o-1', 610, 1)
  await addOrder(it.pool, 'u2', 'o-2', 70, 1)
  const blocks = [it.block(3, [pay(one, 50n), pay(one, 500n)]), it.block(6, [pay(one, 60n), pay(two, 70n)])]
  return { ...it, blocks, one, two }
}

test('above the quorum amount a transfer is held, later ones at its address wait behind it, other addresses go on', async () => {
  const { pool, credit, blocks } = await chainWithHeld()
  assert.deepEqual(await credit(blocks), {
    transfers: 4,
    credits: 2,
    callbacks: 0,
    unclaimed: 0,
    held: 1,
    quarantined: 0,
  })
  assert.deepEqual(await waiting(pool), [
    { reason: 'held', amount: 500n, note: null },
    { reason: 'behind', amount: 60n, note: null },
  ])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 50n, announced: 0n })
  assert.deepEqual(await orderOf(pool, 'o-2'), { received: 70n, announced: 0n })
  assert.deepEqual(await waitingCounts(pool), {
    unclaimed: { transfers: 0, units: 0n },
    held: { transfers: 1, units: 500n },
    quarantined: { transfers: 0, units: 0n },
    behind: { transfers: 1, units: 60n },
  })
})

test('the quorum amount itself is not above it', async () => {
  const { pool, block, credit } = await creditedChain('edge', 100n)
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 100, 1)
  assert.equal((await credit([block(3, [pay(to, 100n)])]))!.credits, 1)
})

test('once a second node agrees it is credited, and what waited behind it, in chain order', async () => {
  const { pool, rules, credit, blocks } = await chainWithHeld()
  await credit(blocks)
  const asked: HeldTransfer[] = []
  const done = await releaseHeld(pool, rules, async held => {
    asked.push(held)
    return { kind: 'agreed' }
  })
  assert.deepEqual(done, { released: 1, disagreed: 0, waiting: 0 })
  assert.deepEqual(
    asked.map(({ amount, hash, node }) => [amount, hash, node]),
    [[500n, blocks[0]!.hash, 'node']],
  )
  const { rows } = await pool.query('select amount, received from credit order by id')
  assert.deepEqual(rows.slice(-2), [
    { amount: 500n, received: 550n },
    { amount: 60n, received: 610n },
  ])
  assert.deepEqual(await waiting(pool), [])
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
  assert.deepEqual(await releaseHeld(pool, rules, agreed), { released: 0, disagreed: 0, waiting: 0 })
})

test('disagreement keeps it held, with what was said, and is asked about again later', async () => {
  const { pool, rules, credit, blocks } = await chainWithHeld()
  await credit(blocks)
  const disagree = async (): Promise<Confirmation> => ({ kind: 'disagreed', note: 'b shows amount 5' })
  assert.deepEqual(await releaseHeld(pool, rules, disagree), { released: 0, disagreed: 1, waiting: 0 })
  assert.deepEqual((await waiting(pool))[0], { reason: 'held', amount: 500n, note: 'b shows amount 5' })
  // Not at once: nothing is due.
  assert.deepEqual(await releaseHeld(pool, rules, agreed), { released: 0, disagreed: 0, waiting: 0 })
  await pool.query(
    `update waiting_transfer set checked_at = now() - interval '3 s', created_at = now() - interval '4 s'`,
  )
  assert.equal((await releaseHeld(pool, rules, agreed)).released, 1)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 610n, announced: 6n })
})

test('a confirmation that throws, or does not know yet, leaves it held, and the others are still asked about', async () => {
  const { pool, rules, credit, blocks, block, two } = await chainWithHeld()
  await credit([...blocks, block(9, [pay(two, 800n)])])
  const done = await releaseHeld(pool, rules, async ({ amount }) => {
    if (amount === 500n) throw new NodeError('later', 'node b asks to wait')
    return { kind: 'agreed' }
  })
  assert.deepEqual(done, { released: 1, disagreed: 0, waiting: 1 })
  assert.deepEqual((await waiting(pool))[0], { reason: 'held', amount: 500n, note: 'node b asks to wait' })
  assert.deepEqual(await orderOf(pool, 'o-2'), { received: 870n, announced: 8n })
})

test('a crash between the confirmation and its transaction loses nothing: it is held and asked about again', async () => {
  const { pool, rules, credit, blocks } = await chainWithHeld()
  await credit(blocks)
  const before = await ledger(pool)
  // The transaction fails for a passing reason, as it does when the database goes away.
  await pool.query(
    `create function away() returns trigger language plpgsql as
       $$ begin raise exception 'away' using errcode = '57P01'; end $$;
     create trigger away before insert on credit for each statement execute function away()`,
  )
  await assert.rejects(releaseHeld(pool, rules, agreed), /away/)
  assert.deepEqual(await ledger(pool), before)
  assert.deepEqual(
    (await waiting(pool)).map(row => row.reason),
    ['held', 'behind'],
  )
  await pool.query('drop trigger away on credit')
  assert.equal((await releaseHeld(pool, rules, agreed)).released, 1)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 610n, announced: 6n })
})

test('two who release the same transfer at once credit it once', async () => {
  const { pool, rules, credit, blocks } = await chainWithHeld()
  await credit(blocks)
  let both = 0
  let go: () => void = () => undefined
  const together = new Promise<void>(resolve => {
    go = resolve
  })
  const confirm = async (): Promise<Confirmation> => {
    if (++both === 2) go()
    await together
    return { kind: 'agreed' }
  }
  const done = await Promise.all([1, 2].map(() => releaseHeld(pool, rules, confirm)))
  assert.equal(done[0]!.released + done[1]!.released, 1)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 610n, announced: 6n })
})

test('released where nobody has ordered, it is unclaimed, and goes to the order that comes', async () => {
  const { pool, rules, block, credit } = await creditedChain('unclaimed', 100n)
  const to = await addAddress(pool, 'u1')
  await credit([block(3, [pay(to, 500n)]), block(6, [pay(to, 5n)])])
  await releaseHeld(pool, rules, agreed)
  assert.deepEqual(
    (await waiting(pool)).map(row => row.reason),
    ['unclaimed', 'unclaimed'],
  )
  await addOrder(pool, 'u1', 'o-1', 505, 8)
  assert.equal((await credit([block(9, [])]))!.credits, 2)
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 505n, announced: 5n })
})

test('of two held on one address the later waits for the earlier, though it is confirmed first', async () => {
  const { pool, rules, block, credit } = await creditedChain('two', 100n)
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1000, 1)
  await credit([block(3, [pay(to, 500n)]), block(6, [pay(to, 501n)])])
  const only = (units: bigint) => async (held: HeldTransfer) =>
    held.amount === units ? agreed() : { kind: 'unknown' as const, note: 'not yet' }
  await releaseHeld(pool, rules, only(501n))
  assert.deepEqual(
    (await waiting(pool)).map(row => row.reason),
    ['held', 'behind'],
  )
  await pool.query('update waiting_transfer set checked_at = null')
  await releaseHeld(pool, rules, only(500n))
  const { rows } = await pool.query('select amount from credit order by id')
  assert.deepEqual(rows, [{ amount: 500n }, { amount: 501n }])
})

test('a second node confirms by block id, transaction, position, sender, recipient and amount, and by nothing less', async () => {
  const { pool, rules, credit, blocks } = await chainWithHeld()
  await credit(blocks)
  const [held] = await new Promise<HeldTransfer[]>((resolve, reject) => {
    const asked: HeldTransfer[] = []
    releaseHeld(pool, rules, async one => {
      asked.push(one)
      return { kind: 'unknown', note: '' }
    }).then(() => resolve(asked), reject)
  })
  const shown = { ...blocks[0]!, node: 'b' }
  const index = shown.transfers.findIndex(({ amount }) => amount === 500n)
  const otherwise = (change: Partial<SolidBlock['transfers'][number]>): SolidBlock => ({
    ...shown,
    transfers: shown.transfers.with(index, { ...shown.transfers[index]!, ...change }),
  })
  const ask = (block: SolidBlock | null) => {
    const nodes = {
      solidBlock: async (height: number, { not }: { not: string | readonly string[] }) => {
        assert.deepEqual([height, not], [1, ['node']])
        return block
      },
    }
    return confirmHeld(nodes, held!)
  }
  assert.deepEqual(await ask(shown), { kind: 'agreed' })
  assert.equal((await ask(null)).kind, 'unknown')
  assert.equal((await ask({ ...shown, node: 'node' })).kind, 'unknown')
  for (const block of [
    { ...shown, hash: 'f'.repeat(64) },
    { ...shown, transfers: shown.transfers.toSpliced(index, 1) },
    otherwise({ amount: usdt(501n) }),
    otherwise({ toHex: bytesFor('stranger').toString('hex') }),
    otherwise({ fromHex: bytesFor('stranger').toString('hex') }),
    otherwise({ logIndex: 7 }),
    otherwise({ txid: 'f'.repeat(64) }),
  ]) {
    assert.equal((await ask(block)).kind, 'disagreed')
  }
})

test('with fewer than two nodes a quorum amount is refused', () => {
  assert.throws(() => checkQuorum(usdt(1n), 1), UsageError)
  checkQuorum(usdt(1n), 2)
  checkQuorum(null, 1)
})

test('retrying what is parked lets go of nothing that is held for a second node', async () => {
  const { pool, block, credit } = await creditedChain('held, not parked', 100n)
  const to = await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 500, 1)
  await credit([block(3, [pay(to, 500n)])])
  const { rows } = await pool.query('select id from transfer')
  assert.deepEqual(await inTransaction(pool, tx => releaseQuarantined(tx, rows[0].id)), [])
  assert.deepEqual(
    (await waiting(pool)).map(({ reason }) => reason),
    ['held'],
  )
})
