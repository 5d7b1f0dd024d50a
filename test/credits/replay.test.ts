import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importAddresses } from '../../src/addresses/import-address.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { callbackKey } from '../../src/callbacks/outbox/callback.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { CreditRules } from '../../src/credits/credit-rules.ts'
import { importFromBlock } from '../../src/credits/import-from-block.ts'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { firstPage } from '../../src/db/id-page.ts'

import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { listQuarantined } from '../../src/transfers/quarantine-store.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase, emptyDatabase } from '../support/database.ts'
import {
  addAddress,
  addMerchant,
  addOrder,
  assertChainOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  at,
  ledger,
  waiting,
} from './credited-chain.ts'
import { graceS, quorumAmount, type RandomRecharges, randomRecharges } from './random-recharges.ts'
import { restoreDatabase, type SavedDatabase, saveDatabase } from './saved-database.ts'

// A history is lived through once: orders come when their time has come, addresses are imported on the way, the merchant is
// disabled and enabled, the chain moves on while an import reads blocks again, large transfers are held and released, credits
// are refused by the database, parked and retried. Then the database is put back to what it was at some moment, is given the
// orders and addresses there were in the end, and reads the chain again from there, in other batches and with other delays.
// SEED=n runs one history again.
const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: 40 }, (_, n) => n + 1)

const { pool } = await cloneDatabase()

test(`${seeds.length} random histories replayed from earlier states: the same credits, keys and amounts`, async () => {
  for (const seed of seeds) {
    try {
      await runSeed(seed)
    } catch (error) {
      throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error })
    }
    await emptyDatabase(pool)
  }
})

async function runSeed(seed: number): Promise<void> {
  const history = randomRecharges(seed)
  const { random } = history
  const rules = await begin(history)
  creditedSoFar = []
  const saved = [await saveDatabase(pool), ...(await live(history, rules))]
  const end = await saveDatabase(pool)
  const expected = await ledger(pool)
  const left = await waiting(pool)
  assertKeys(expected, rules)
  for (const state of [saved[0]!, random.pick(saved)]) {
    await restoreDatabase(pool, state)
    creditedSoFar = await credited()
    await addWhatCameLater(history, rules, end)
    await follow(history, rules, random.pick([1, 3, 100]))
    assert.deepEqual(await ledger(pool), expected)
    assert.deepEqual(
      (await waiting(pool)).map(({ reason, amount }) => [reason, amount]),
      left.map(({ reason, amount }) => [reason, amount]),
    )
  }
}

async function begin({ users, blocks }: RandomRecharges): Promise<CreditRules> {
  const rules: CreditRules = {
    network: 'private',
    genesisId: blocks[0]!.parentHash,
    usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
    graceMs: graceS * 1000,
    quorumAmount: quorumAmount as CreditRules['quorumAmount'],
  }
  await createCursor(pool, rules, { height: 0, hash: rules.genesisId, time: at(0) })
  await addMerchant(pool)
  for (const { name, imports } of users) if (imports.length === 0) await addAddress(pool, name)
  return rules
}

/** @returns what the database was at some moments on the way. */
async function live(history: RandomRecharges, rules: CreditRules): Promise<SavedDatabase[]> {
  const { random, users, orders, blocks } = history
  const saved: SavedDatabase[] = []
  const imports = users.flatMap(user =>
    user.imports.map((one, i) => ({ ...one, name: user.name, known: i > 0 })),
  )
  let placed = 0
  let height = 0
  // An order is there before the chain can come to it, and that is all that is certain.
  const due = (next: number) =>
    orders.slice(placed).filter(({ second }) => at(second - graceS) <= blocks[next - 1]!.time)
  const followTo = async (next: number) => {
    for (const { user, orderid, units, second, windowS } of due(next)) {
      await addOrder(pool, user, orderid, units, second, windowS)
      placed++
    }
    await credit(history, rules, height, next)
    height = next
  }
  while (height < blocks.length) {
    const before = height
    const importing = imports.filter(({ after }) => after === height)
    const [only] = importing
    // No order can be made at an address before it is there.
    const mayMoveOn =
      importing.length === 1 && (only!.known || due(height + 1).every(({ user }) => user !== only!.name))
    const meanwhile = mayMoveOn && random.chance(0.7) ? () => followTo(height + 1) : async () => undefined
    for (const one of importing) await importFor(one, history, rules, meanwhile)
    if (height === before) {
      const stops = imports.map(({ after }) => after).filter(after => after > height)
      await followTo(Math.min(height + random.whole(1, 5), blocks.length, ...stops))
    }
    if (random.chance(0.4)) saved.push(await saveDatabase(pool))
  }
  await settle(rules)
  return saved
}

/**
 * An address that is credited already may have been paid before that: its import from there is refused.
 * @param meanwhile is done while the first block is read again, where blocks are.
 */
async function importFor(
  { name, fromBlock }: { name: string; fromBlock: number | null },
  history: RandomRecharges,
  rules: CreditRules,
  meanwhile?: () => Promise<void>,
): Promise<void> {
  const addresses = [addressFromBytes(bytesFor(name))]
  const request = { appid: 'VunTq7Zk2Lm9h1l8', localusermark: name, addresses }
  if (fromBlock === null) return void (await importAddresses(pool, request))
  const nodes = nodesOf(history, meanwhile)
  const isRefused = (error: Error) => /can only be settled by hand/.test(error.message)
  await importFromBlock(pool, rules, nodes, { ...request, fromBlock }).catch(error => {
    if (!isRefused(error)) throw error
  })
}

async function reread(history: RandomRecharges, rules: CreditRules, range: { from: number; to: number }) {
  await rescan(pool, rules, nodesOf(history), range)
}

function nodesOf({ blocks }: RandomRecharges, meanwhile: () => Promise<void> = async () => undefined) {
  let first: Promise<void> | null = null
  return {
    solidBlock: async (height: number) => {
      first ??= meanwhile()
      await first
      return blocks[height - 1] ?? null
    },
    distrust: (_: string, why: string) => assert.fail(why),
  }
}

/** The orders and addresses of the end, as they were made: nothing received yet. By hand, since they keep their ids. */
async function addWhatCameLater(history: RandomRecharges, rules: CreditRules, end: SavedDatabase) {
  const { rows: added } = await pool.query(
    `insert into deposit_address overriding system value
     select * from json_populate_recordset(null::deposit_address, $1)
         on conflict (id) do nothing
     returning watched_from as "watchedFrom"`,
    [end.get('deposit_address')?.rows ?? '[]'],
  )
  await pool.query(
    `insert into recharge_order overriding system value
     select (json_populate_record(o, '{"received": 0, "announced": 0}')).*
       from json_populate_recordset(null::recharge_order, $1) o
         on conflict (id) do nothing`,
    [end.get('recharge_order')?.rows ?? '[]'],
  )
  // What an import counts from before the cursor is read by a rescan, as it was then.
  const { height } = (await readCursor(pool))!
  for (const { watchedFrom } of added) {
    if (watchedFrom <= height) await reread(history, rules, { from: watchedFrom, to: height })
  }
  const { rows: earlier } = await pool.query(
    `select localusermark as name, later.watched_from as "fromBlock"
       from deposit_address
       join json_populate_recordset(null::deposit_address, $1) later using (id, localusermark)
      where deposit_address.watched_from > later.watched_from`,
    [end.get('deposit_address')?.rows ?? '[]'],
  )
  for (const one of earlier) await importFor(one, history, rules)
}

async function follow(history: RandomRecharges, rules: CreditRules, batchMax: number): Promise<void> {
  const { random, blocks } = history
  for (;;) {
    const { height } = (await readCursor(pool))!
    if (height === blocks.length) break
    await credit(history, rules, height, Math.min(height + random.whole(1, batchMax), blocks.length))
  }
  await settle(rules)
}

/** Credits the blocks after one height up to another, with everything that may delay a credit. */
async function credit({ random, blocks }: RandomRecharges, rules: CreditRules, after: number, to: number) {
  const before = creditedSoFar
  if (random.chance(0.3))
    await pool.query(`update merchant set disabled_at = $1`, [random.pick([at(0), null])])
  if (random.chance(0.3)) await refuse(random.pick(['none', 'amount % 3 = 0', 'amount > 500']))
  assert(await creditBlocks(pool, rules, (await readCursor(pool))!, blocks.slice(after, to)))
  if (random.chance(0.5)) await release(rules, random)
  if (random.chance(0.3)) await retryAll(rules)
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
  await assertChainOrder(pool)
  creditedSoFar = await credited()
  const now = new Map(creditedSoFar.map(row => [`${row.txid} ${row.log_index}`, row]))
  for (const row of before)
    assert.deepEqual(now.get(`${row.txid} ${row.log_index}`), row, 'what is credited stays')
}

let creditedSoFar: Awaited<ReturnType<typeof ledger>> = []

async function credited() {
  return (await ledger(pool)).filter(row => row.orderid !== null)
}

/** From now on the database refuses these credits, with a lasting SQLSTATE; those that are there already stay. */
async function refuse(which: string): Promise<void> {
  await pool.query('alter table credit drop constraint if exists refused')
  if (which !== 'none') {
    await pool.query(`alter table credit add constraint refused check (not (${which})) not valid`)
  }
}

/** What is held is asked about, whenever that was last, and the second node says one thing or another. */
async function release(rules: CreditRules, random: SeededRandom | null): Promise<number> {
  await pool.query('update waiting_transfer set checked_at = null')
  const { released } = await releaseHeld(pool, rules, async () => {
    const kind = random ? random.pick(['agreed', 'disagreed', 'unknown'] as const) : 'agreed'
    return kind === 'agreed' ? { kind } : { kind, note: kind }
  })
  return released
}

async function retryAll(rules: CreditRules): Promise<void> {
  for (const { id } of await listQuarantined(pool, firstPage(100))) await retryQuarantined(pool, rules, id)
}

/** At last nothing is refused, and the second node agrees to everything. */
async function settle(rules: CreditRules): Promise<void> {
  await refuse('none')
  await retryAll(rules)
  for (let page = 0; page < 10 && (await release(rules, null)) > 0; page++);
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
}

/** Every credit that announces something does so under the key of its own transfer. */
function assertKeys(rows: Awaited<ReturnType<typeof ledger>>, rules: CreditRules): void {
  for (const { key, txid, log_index } of rows.filter(row => row.key !== null)) {
    assert.equal(key, callbackKey(rules.genesisId, rules.usdtContract, txid, log_index))
  }
}
