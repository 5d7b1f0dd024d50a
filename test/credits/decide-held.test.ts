import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import type { TransferId } from '../../src/base/ids.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { confirmByAny } from '../../src/credits/confirm-held.ts'
import { rejectHeld, releaseHeldByHand, reopenHeld } from '../../src/credits/decide-held.ts'
import type { HeldTransfer } from '../../src/credits/held-store.ts'
import { type Confirmation, releaseHeld } from '../../src/credits/release-held.ts'
import { rescan } from '../../src/credits/rescan.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { NodeError } from '../../src/tron/node/node-error.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  at,
  creditedChain,
  ledger,
  orderOf,
  waiting,
} from './credited-chain.ts'

// The blocks are served by `node`. What second nodes say is what a test gives.
const because = { actor: 'command line alice@host', reason: 'the explorer does not show it' }
const says = (answer: Confirmation) => async () => answer
const disagreed = says({ kind: 'disagreed', note: 'b has the block without this transfer' })
const agreed = says({ kind: 'agreed' })
const pay = (toBytes: Buffer, units: bigint) => [{ toBytes, units }]

/** u1 is paid 50, 500 (held) and 60 for an order of 110. */
async function chainWithHeld() {
  const it = await creditedChain('rejected', 100n)
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 110, 1)
  const blocks = [it.block(3, [pay(to, 50n), pay(to, 500n)]), it.block(6, [pay(to, 60n)])]
  await it.credit(blocks)
  return { ...it, to, blocks, id: await heldId(it.pool) }
}

async function heldId(pool: Pool): Promise<TransferId> {
  const { rows } = await pool.query(`select transfer_id as id from waiting_transfer where reason = 'held'`)
  return rows[0].id
}

async function reasons(pool: Pool): Promise<string[]> {
  return (await waiting(pool)).map(({ reason }) => reason)
}

async function credited(pool: Pool): Promise<bigint[]> {
  return (await pool.query('select amount from credit order by id')).rows.map(({ amount }) => amount)
}

/** The ledger's own checks hold. Its chain has no partitions, queue or delivery to be compared. */
async function assertAudit(pool: Pool, rejectedUnits: bigint): Promise<void> {
  const { checks, open, merchants } = await auditGateway(pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
  assert.equal(open.rejected.units, rejectedUnits)
  const { arrived, waiting, rejected, credited } = merchants[0]!
  assert.equal(rejected, rejectedUnits)
  assert.equal(arrived, waiting + rejected + credited)
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
}

async function events(pool: Pool) {
  const { rows } = await pool.query(
    `select actor, action, subject, reason from audit_event where chain_position > 1 order by id`,
  )
  return rows.map(({ actor, action, subject, reason }) => [actor, action, subject, reason])
}

test('a rejected transfer takes no money, what waited behind it is credited, and it is audited with who and why', async () => {
  const { pool, rules, id, credit, block, to } = await chainWithHeld()
  assert.deepEqual(await reasons(pool), ['held', 'behind'])
  assert.deepEqual(await rejectHeld(pool, rules, id, because, disagreed), {
    kind: 'done',
    state: 'rejected',
    credits: 1,
  })
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 110n, announced: 1n })
  assert.deepEqual(await waiting(pool), [])
  assert.deepEqual(await events(pool), [[because.actor, 'held.rejected', `transfer ${id}`, because.reason]])
  const { rows } = await pool.query(`select detail from audit_event where chain_position > 1`)
  assert.equal(rows[0].detail.nodes, 'b has the block without this transfer')
  assert.equal(rows[0].detail.amount, '500')
  await assertAudit(pool, 500n)
  // Later payments go on, and a second node is not asked about it again.
  await addOrder(pool, 'u1', 'o-2', 7, 8)
  await credit([block(9, [pay(to, 7n)])])
  assert.deepEqual(await credited(pool), [50n, 60n, 7n])
  assert.equal((await releaseHeld(pool, rules, () => assert.fail('asked'))).released, 0)
  await assertAudit(pool, 500n)
})

test('without the decision it waits for ever, and so does every later payment', async () => {
  const { pool, rules, credit, block, to } = await chainWithHeld()
  for (let second = 9; second < 30; second += 3) await credit([block(second, [pay(to, 1n)])])
  await releaseHeld(pool, rules, disagreed)
  assert.deepEqual(await credited(pool), [50n])
})

test('it is not rejected while a second node confirms it, or when none can be asked, unless that is said', async () => {
  const { pool, rules, id } = await chainWithHeld()
  const before = await ledger(pool)
  assert.deepEqual(await rejectHeld(pool, rules, id, because, agreed), { kind: 'confirmed' })
  for (const confirm of [
    says({ kind: 'unknown', note: 'not there yet' }),
    async () => Promise.reject(new NodeError('failed', 'not there yet')),
  ]) {
    assert.deepEqual(await rejectHeld(pool, rules, id, because, confirm), {
      kind: 'unanswered',
      note: 'not there yet',
    })
  }
  assert.deepEqual(await reasons(pool), ['held', 'behind'])
  assert.deepEqual(await ledger(pool), before)
  assert.deepEqual(await events(pool), [])
  assert.equal((await rejectHeld(pool, rules, id, because, null)).kind, 'done')
  const { rows } = await pool.query(
    `select detail ->> 'nodes' as nodes from audit_event where chain_position > 1`,
  )
  assert.deepEqual(rows, [{ nodes: 'not asked' }])
})

test('every second node is asked until one agrees, and the one that served the block is none', async () => {
  const { pool, rules, blocks, id } = await chainWithHeld()
  const held: HeldTransfer[] = []
  await rejectHeld(pool, rules, id, because, async one => {
    held.push(one)
    return { kind: 'unknown', note: '' }
  })
  const right = (node: string): SolidBlock => ({ ...blocks[0]!, node })
  const without = (node: string): SolidBlock => ({ ...blocks[0]!, node, transfers: [] })
  const ask = async (...shown: (SolidBlock | null)[]) => {
    const nodes = {
      async solidBlock(_: number, { not }: { not: string | readonly string[] }) {
        const next = shown.find(block => block === null || !not.includes(block.node))
        if (next === undefined) throw new NodeError('failed', 'there is no other node to ask')
        return next
      },
    }
    return await confirmByAny(nodes, held[0]!)
  }
  assert.equal((await ask(right('b'))).kind, 'agreed')
  assert.equal((await ask(without('b'), without('c'), right('d'))).kind, 'agreed')
  assert.deepEqual(await ask(without('b'), without('c')), {
    kind: 'disagreed',
    note: 'b has the block without this transfer; c has the block without this transfer',
  })
  assert.equal((await ask(without('b'), null)).kind, 'disagreed')
  assert.equal((await ask(null)).kind, 'unknown')
  await assert.rejects(ask(right('node')), /no other node/)
  // A source that leaves no node out is not asked for ever.
  const deaf = { solidBlock: async () => right('node') }
  assert.equal((await confirmByAny(deaf, held[0]!)).kind, 'unknown')
})

test('rejecting, reopening or releasing twice is harmless, and what is not so cannot be decided', async () => {
  const { pool, rules, id } = await chainWithHeld()
  const { rows } = await pool.query('select transfer_id as id from credit')
  const paid: TransferId = rows[0].id
  const already = (state: string) => ({ kind: 'already', state })
  const impossible = (state: string) => ({ kind: 'impossible', state })
  assert.deepEqual(await reopenHeld(pool, rules, id, because), already('held'))
  await rejectHeld(pool, rules, id, because, disagreed)
  assert.deepEqual(await rejectHeld(pool, rules, id, because, disagreed), already('rejected'))
  assert.deepEqual(await releaseHeldByHand(pool, rules, id, because), impossible('rejected'))
  await reopenHeld(pool, rules, id, because)
  assert.deepEqual(await reopenHeld(pool, rules, id, because), already('held'))
  await releaseHeldByHand(pool, rules, id, because)
  assert.deepEqual(await releaseHeldByHand(pool, rules, id, because), already('credited'))
  assert.deepEqual(await rejectHeld(pool, rules, id, because, null), impossible('credited'))
  assert.deepEqual(await reopenHeld(pool, rules, paid, because), impossible('credited'))
  const nobody = 999n as TransferId
  assert.deepEqual(await rejectHeld(pool, rules, nobody, because, null), impossible('unknown'))
  assert.deepEqual(await releaseHeldByHand(pool, rules, nobody, because), impossible('unknown'))
  assert.deepEqual(
    (await events(pool)).map(([, action]) => action),
    ['held.rejected', 'held.reopened', 'held.released'],
  )
  await assertAudit(pool, 0n)
})

test("released on the operator's word it is credited in chain order, as a second node's confirmation does it", async () => {
  const { pool, rules, id } = await chainWithHeld()
  const done = await releaseHeldByHand(pool, rules, id, because)
  assert.deepEqual(done, { kind: 'done', state: 'credited', credits: 2 })
  assert.deepEqual(await credited(pool), [50n, 500n, 60n])
  assert.deepEqual(await events(pool), [[because.actor, 'held.released', `transfer ${id}`, because.reason]])
  await assertAudit(pool, 0n)
})

test('reopened it is held again, blocks what comes, and once confirmed goes to an order as the orders are then', async () => {
  const { pool, rules, id, credit, block, to } = await chainWithHeld()
  await rejectHeld(pool, rules, id, because, disagreed)
  const before = (await ledger(pool)).filter(row => row.orderid !== null)
  assert.deepEqual(await reopenHeld(pool, rules, id, because), { kind: 'done', state: 'held', credits: 0 })
  assert.deepEqual(await reasons(pool), ['held'])
  await credit([block(9, [pay(to, 5n)])])
  assert.deepEqual(await reasons(pool), ['held', 'behind'])
  await assertAudit(pool, 0n)
  // It is due at once, and of the node that served it.
  const asked: string[] = []
  await releaseHeld(pool, rules, async ({ node }) => {
    asked.push(node)
    return { kind: 'agreed' }
  })
  assert.deepEqual(asked, ['node'])
  assert.deepEqual(await credited(pool), [50n, 60n, 500n, 5n])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 615n, announced: 6n })
  const after = await ledger(pool)
  for (const row of before) {
    assert.deepEqual(
      after.find(({ txid, log_index }) => txid === row.txid && log_index === row.log_index),
      row,
      'what was credited meanwhile stays',
    )
  }
  await assertAudit(pool, 0n)
})

test('unclaimed money behind a reopened transfer waits its turn, and both go to the order that comes', async () => {
  const { pool, rules, block, credit } = await creditedChain('unclaimed', 100n)
  const to = await addAddress(pool, 'u1')
  await credit([block(3, [pay(to, 500n)]), block(6, [pay(to, 5n)])])
  const id = await heldId(pool)
  await rejectHeld(pool, rules, id, because, disagreed)
  assert.deepEqual(await reasons(pool), ['unclaimed'])
  await reopenHeld(pool, rules, id, because)
  assert.deepEqual(await reasons(pool), ['held', 'behind'])
  await addOrder(pool, 'u1', 'o-1', 505, 8)
  await credit([block(9, [])])
  assert.deepEqual(await credited(pool), [])
  await releaseHeldByHand(pool, rules, id, because)
  assert.deepEqual(await credited(pool), [500n, 5n])
  await assertAudit(pool, 0n)
})

/** A source of blocks that were read again; `second`: from a second node as well. */
function source(blocks: readonly SolidBlock[], second: readonly SolidBlock[] | null) {
  return {
    async solidBlock(height: number, options?: { not: string | readonly string[] }) {
      if (!options?.not.includes('node')) return blocks[height - 1] ?? null
      if (!second || options.not.includes('b')) throw new NodeError('failed', 'there is no other node to ask')
      return { ...second[height - 1]!, node: 'b' }
    },
    distrust: (_: string, why: string) => assert.fail(why),
  }
}

test('a rescan takes up a rejected transfer only when a second node confirms it, and credits it once', async () => {
  const { pool, rules, id, blocks } = await chainWithHeld()
  await rejectHeld(pool, rules, id, because, disagreed)
  const range = { from: 1, to: 2 }
  const without = blocks.map(block => ({ ...block, transfers: block.transfers.slice(0, 1) }))
  const otherwise = blocks.map(block => ({ ...block, hash: 'f'.repeat(64) }))
  for (const second of [null, without, otherwise]) {
    assert.equal((await rescan(pool, rules, source(blocks, second), range)).takenUp, 0)
    await assertAudit(pool, 500n)
  }
  const done = await rescan(pool, rules, source(blocks, blocks), range, undefined, because)
  assert.deepEqual(done, { blocks: 2, recorded: 0, takenUp: 1, credited: 1, quarantined: 0 })
  assert.deepEqual(await credited(pool), [50n, 60n, 500n])
  assert.equal((await rescan(pool, rules, source(blocks, blocks), range)).takenUp, 0)
  assert.deepEqual(await credited(pool), [50n, 60n, 500n])
  assert.deepEqual(
    (await events(pool)).map(([, action]) => action),
    ['held.rejected', 'held.taken_up', 'blocks.rescanned'],
  )
  await assertAudit(pool, 0n)
})

test('a rescan whose blocks come from a second node needs no further one', async () => {
  const { pool, rules, id, blocks } = await chainWithHeld()
  await rejectHeld(pool, rules, id, because, disagreed)
  const elsewhere = source(
    blocks.map(block => ({ ...block, node: 'b' })),
    null,
  )
  assert.equal((await rescan(pool, rules, elsewhere, { from: 1, to: 2 })).takenUp, 1)
  assert.deepEqual(await credited(pool), [50n, 60n, 500n])
})

test('what was rejected between the confirmation and the release of the watcher is taken up and credited once', async () => {
  const { pool, rules, id } = await chainWithHeld()
  const done = await releaseHeld(pool, rules, async () => {
    assert.equal((await rejectHeld(pool, rules, id, because, disagreed)).kind, 'done')
    return { kind: 'agreed' }
  })
  assert.equal(done.released, 1)
  assert.deepEqual(await credited(pool), [50n, 60n, 500n])
  assert.deepEqual(
    (await events(pool)).map(([actor, action]) => [actor, action]),
    [
      [because.actor, 'held.rejected'],
      ['watcher', 'held.taken_up'],
    ],
  )
  await assertAudit(pool, 0n)
})

test('however rejecting, releasing, reopening and following race, each transfer is credited once or rejected', async () => {
  for (let round = 0; round < 8; round++) {
    const { pool, rules, id, credit, block, to } = await chainWithHeld()
    const next = block(9, [pay(to, 5n)])
    await Promise.all([
      rejectHeld(pool, rules, id, because, disagreed),
      ...(round % 2 ? [releaseHeld(pool, rules, agreed)] : []),
      ...(round % 3 ? [reopenHeld(pool, rules, id, because)] : []),
      rejectHeld(pool, rules, id, because, null),
      credit([next]),
    ])
    await assertNoneHomeless(pool)
    await assertTotalsAddUp(pool)
    await reopenHeld(pool, rules, id, because)
    await releaseHeldByHand(pool, rules, id, because)
    assert.deepEqual((await credited(pool)).toSorted(), [50n, 5n, 60n, 500n].toSorted())
    await assertAudit(pool, 0n)
  }
})

test('a decision that cannot be committed changes nothing', async () => {
  const { pool, rules, id } = await chainWithHeld()
  await pool.query(
    `create function away() returns trigger language plpgsql as
       $$ begin raise exception 'away' using errcode = '57P01'; end $$;
     create trigger away before insert on audit_event for each statement execute function away()`,
  )
  await assert.rejects(rejectHeld(pool, rules, id, because, disagreed), /away/)
  await assert.rejects(releaseHeldByHand(pool, rules, id, because), /away/)
  assert.deepEqual(await reasons(pool), ['held', 'behind'])
  assert.deepEqual(await credited(pool), [50n])
  assert.equal((await readCursor(pool))!.time.getTime(), at(6).getTime())
})

test('what cannot be credited behind a rejected transfer is quarantined, and the rejection stands', async () => {
  const { pool, rules, id } = await chainWithHeld()
  await pool.query('alter table credit add constraint refused check (amount <> 60)')
  assert.equal((await rejectHeld(pool, rules, id, because, disagreed)).kind, 'done')
  assert.deepEqual(await reasons(pool), ['quarantined'])
  await assertAudit(pool, 500n)
})
