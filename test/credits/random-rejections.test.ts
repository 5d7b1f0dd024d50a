import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import type { TransferId } from '../../src/base/ids.ts'
import { chooseOrder, claimUnclaimed, type PayableOrder } from '../../src/credits/attribution.ts'
import { rejectHeld, releaseHeldByHand, reopenHeld } from '../../src/credits/decide-held.ts'
import { rejectQuarantined, reopenQuarantined } from '../../src/credits/decide-quarantined.ts'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { firstPage } from '../../src/db/id-page.ts'
import type { Pool } from '../../src/db/pool.ts'
import { listQuarantined } from '../../src/transfers/quarantine-store.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  type CreditedChain,
  creditedChain,
  ledger,
} from './credited-chain.ts'

// Above 500 units a transfer is held. Of those, even amounts are made up: second nodes deny them until the end, and an
// operator rejects them at one moment or another. Multiples of 7 can never be credited: those are rejected from the
// quarantine. At any moment the credits of an address are those of its first transfers in chain order, as if the rejected
// ones had never been there. In the end some rejections prove wrong.

const users = ['u1', 'u2', 'u3']
const quorumAmount = 500n
const isMadeUp = (amount: bigint) => amount > quorumAmount && amount % 2n === 0n
const neverFits = (amount: bigint) => amount % 7n === 0n
const because = { actor: 'command line alice@host', reason: 'random' }

const units = fc.integer({ min: 1, max: 900 })
const act = fc.constantFrom('nothing', 'nothing', 'reject', 'reject', 'reopen', 'reject and reopen')
const history = fc.record({
  orders: fc.array(
    fc.record({ user: fc.nat(2), units, second: fc.nat(60), windowS: fc.integer({ min: 1, max: 40 }) }),
    { minLength: 2, maxLength: 8 },
  ),
  blocks: fc.array(
    fc.array(fc.array(fc.record({ user: fc.nat(2), units }), { minLength: 1, maxLength: 3 }), {
      maxLength: 3,
    }),
    { minLength: 1, maxLength: 15 },
  ),
  /** Per batch: how many blocks, what is done about each that waits, and whether second nodes are asked. */
  batches: fc.array(
    fc.record({
      blocks: fc.integer({ min: 1, max: 5 }),
      held: fc.array(act, { minLength: 1, maxLength: 5 }),
      quarantined: fc.array(act, { minLength: 1, maxLength: 5 }),
      asks: fc.boolean(),
    }),
    { minLength: 15, maxLength: 15 },
  ),
  /** What becomes of each rejected transfer in the end. */
  wrong: fc.array(fc.constantFrom('stays', 'release', 'confirmed', 'rescan'), { minLength: 1, maxLength: 6 }),
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never

test('credits are those of the transfers that are not rejected, in chain order, whatever is rejected and reopened when', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(history, async random => {
      const seed = `rejections ${run++}`
      const plain = await creditedChain(seed)
      for (const block of await prepare(plain, random)) {
        const transfers = block.transfers.filter(({ amount }) => !isMadeUp(amount) && !neverFits(amount))
        await plain.credit([{ ...block, transfers }])
      }
      const expected = await creditsByUser(plain.pool)

      const it = await creditedChain(seed, quorumAmount)
      const chain = await prepare(it, random)
      await it.pool.query('alter table credit add constraint refused check (amount % 7 <> 0)')
      for (let done = 0, n = 0; done < chain.length; n++) {
        const { blocks, held, quarantined, asks } = random.batches[n]!
        await it.credit(chain.slice(done, done + blocks))
        done += blocks
        if (asks) await askSecondNodes(it)
        await decideHeld(it, held)
        await decideQuarantined(it, quarantined)
        for (const [user, credits] of await creditsByUser(it.pool)) {
          assert.deepEqual(credits, expected.get(user)!.slice(0, credits.length), `${user}, block ${done}`)
        }
        await assertAudit(it.pool)
      }
      // At last everything is decided. What is let go may turn out not to fit, and is rejected in the next round.
      for (let round = 0; round < 200 && (await isWaitingForUs(it.pool)); round++) {
        await askSecondNodes(it)
        await decideHeld(it, ['reject'])
        await decideQuarantined(it, ['reject'])
      }
      assert.deepEqual(await creditsByUser(it.pool), expected)
      await assertAudit(it.pool)
      await takeUpSome(it, chain, random.wrong)
    }),
    { numRuns: 12, endOnFailure: true, includeErrorInReport: true },
  )
})

async function prepare(it: CreditedChain, { orders, blocks }: History): Promise<SolidBlock[]> {
  for (const user of users) await addAddress(it.pool, user)
  for (const [n, order] of orders.entries()) {
    await addOrder(it.pool, users[order.user]!, `o-${n}`, order.units, order.second, order.windowS)
  }
  return blocks.map((transactions, n) =>
    it.block(
      (n + 1) * 3,
      transactions.map(payments =>
        payments.map(p => ({ toBytes: bytesFor(users[p.user]!), units: BigInt(p.units) })),
      ),
    ),
  )
}

async function askSecondNodes({ pool, rules }: CreditedChain): Promise<void> {
  await pool.query('update waiting_transfer set checked_at = null')
  await releaseHeld(pool, rules, async ({ amount }) => answerTo(amount), 100)
}

const answerTo = (amount: bigint) =>
  isMadeUp(amount) ? { kind: 'disagreed' as const, note: 'made up' } : { kind: 'agreed' as const }

/** Rejects what is made up, and reopens; a second node keeps what is real from being rejected. */
async function decideHeld({ pool, rules }: CreditedChain, acts: readonly string[]): Promise<void> {
  const { rows } = await pool.query(
    `select transfer_id as id from waiting_transfer where reason = 'held'
      union all
     select transfer_id from rejection where quarantine_id is null
      order by id`,
  )
  for (const [n, { id }] of rows.entries()) {
    const what = acts[n % acts.length]!
    if (what.startsWith('reject')) {
      await rejectHeld(pool, rules, id, because, async ({ amount }) => answerTo(amount))
    }
    if (what.endsWith('reopen')) await reopenHeld(pool, rules, id, because)
  }
}

async function decideQuarantined({ pool, rules }: CreditedChain, acts: readonly string[]): Promise<void> {
  const { rows: rejected } = await pool.query(
    'select quarantine_id as id from rejection where quarantine_id is not null order by id',
  )
  for (const [n, { id }] of [...(await listQuarantined(pool, firstPage(100))), ...rejected].entries()) {
    const what = acts[n % acts.length]!
    if (what.startsWith('reject')) await rejectQuarantined(pool, rules, id, because)
    if (what.endsWith('reopen')) await reopenQuarantined(pool, rules, id, because)
  }
}

async function isWaitingForUs(pool: Pool): Promise<boolean> {
  return (await pool.query(`select from waiting_transfer where reason <> 'unclaimed'`)).rowCount! > 0
}

/** The credits of each user's transfers, in chain order. */
async function creditsByUser(pool: Pool): Promise<Map<string, unknown[]>> {
  const { rows: places } = await pool.query(
    `select t.txid, t.log_index, a.localusermark
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
      order by t.block_height, t.tx_index, t.log_index`,
  )
  const rows = new Map((await ledger(pool)).map(row => [`${row.txid} ${row.log_index}`, row]))
  const found = new Map<string, unknown[]>(users.map(user => [user, []]))
  for (const { txid, log_index, localusermark } of places) {
    const row = rows.get(`${txid} ${log_index}`)!
    if (row.orderid !== null) found.get(localusermark)!.push(row)
  }
  return found
}

/** Rejections that prove wrong: each transfer is credited once, to the order that attribution gives it now. */
async function takeUpSome(it: CreditedChain, chain: readonly SolidBlock[], wrong: readonly string[]) {
  const { pool, rules } = it
  const { rows } = await pool.query(
    `select r.transfer_id as id, t.block_height as height, t.amount
       from rejection r join transfer t on t.id = r.transfer_id
      where r.quarantine_id is null order by r.id`,
  )
  for (const [n, { id, height, amount }] of rows.entries()) {
    const how = wrong[n % wrong.length]!
    // A rescan of its block may have taken it up with another.
    const { rowCount } = await pool.query('select from rejection where transfer_id = $1', [id])
    if (how === 'stays' || rowCount === 0) continue
    const before = await creditRows(pool)
    const order = await orderFor(it, id)
    if (how === 'rescan') {
      const nodes = {
        solidBlock: async (at: number) => ({ ...chain[at - 1]!, node: 'b' }),
        distrust: (_: string, why: string) => assert.fail(why),
      }
      await rescan(pool, rules, nodes, { from: height, to: height })
      await rescan(pool, rules, nodes, { from: height, to: height })
    } else {
      await reopenHeld(pool, rules, id, because)
      if (how === 'release') await releaseHeldByHand(pool, rules, id, because)
      else await releaseHeld(pool, rules, async () => ({ kind: 'agreed' }), 100)
    }
    // What does not fit holds up the next one at its address, and a rescan of a block may take up both.
    for (let round = 0; round < 20 && (await isWaitingForUs(pool)); round++) {
      await decideQuarantined(it, ['reject'])
    }
    const after = await creditRows(pool)
    assert.deepEqual(after.slice(0, before.length), before, 'what is credited stays')
    const one = after.filter(row => row.transfer_id === id)
    // Several of one block may pay one order in turn: then only that it is credited once is certain.
    const alone = after.length - before.length <= 1
    if (order === null || neverFits(amount)) assert.deepEqual(one, [])
    else if (alone)
      assert.deepEqual(
        one.map(row => row.order_id),
        [order],
      )
    else assert.equal(one.length, 1)
    await assertAudit(pool)
  }
}

async function creditRows(pool: Pool) {
  return (await pool.query('select transfer_id, order_id, amount from credit order by id')).rows
}

async function orderFor({ pool, rules }: CreditedChain, id: TransferId) {
  const { rows } = await pool.query<PayableOrder & { time: Date; paid: bigint; until: Date }>(
    `select o.id, o.amount, o.received, o.created_at as "createdAt", o.expires_at as "expiresAt",
            t.block_time as "time", t.amount as "paid", (select block_time from chain_cursor) as "until"
       from transfer t join recharge_order o on o.deposit_address_id = t.deposit_address_id
      where t.id = $1 order by o.created_at, o.id`,
    [id],
  )
  const [first] = rows
  if (!first) return null
  const transfer = { amount: first.paid as PayableOrder['amount'], time: first.time }
  const order = chooseOrder(transfer, rows, rules.graceMs) ?? claimUnclaimed(rows, first.until, rules.graceMs)
  return order?.id ?? null
}

async function assertAudit(pool: Pool): Promise<void> {
  const { checks } = await auditGateway(pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
}
