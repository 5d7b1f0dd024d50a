import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { usdt } from '../../src/base/money.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { rescan } from '../../src/credits/rescan.ts'
import { settleDue } from '../../src/credits/settle.ts'
import { type Pool, rows, run } from '../../src/db/pool.ts'
import { type SeededRandom, seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { SolidBlock, UsdtTransfer } from '../../src/tron/block.ts'
import { bytesFor, makeBlock } from '../support/chain-blocks.ts'
import {
  addAddress,
  addOrder,
  assertChainOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  type CreditedChain,
  creditedChain,
  ledger,
} from './credited-chain.ts'
import { playedHosts, rulesFor, type Shows } from './played-hosts.ts'

// Random chains: some transfers are signed, the others are logs inside other contracts' calls; a reading may be unverified
// although it is true; one host may lie, persistently or until it tells the truth; hosts are away, and the database too. Blocks
// are followed in random batches from random hosts, and settled at random moments.
//
// At any moment: nothing false is credited beyond what the policy allows one host's word, and each transfer once. In the end:
// nothing true is lost, and nothing made up waits. With honest hosts alone: the same credits as if all had been signed.

const users = ['u1', 'u2', 'u3']
const runs = 20

interface World {
  random: SeededRandom
  truth: SolidBlock[]
  /** By height, what the liar shows of it; none where it tells the truth. */
  lies: Map<number, SolidBlock>
  hosts: string[]
  liar: string | null
  aloneMax: bigint
}

for (const lying of [false, true]) {
  test(`random hosts, ${lying ? 'one of them a liar' : 'all of them honest'}`, async () => {
    for (let seed = 1; seed <= runs; seed++) {
      try {
        await oneHistory(seed, lying)
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
      }
    }
  })
}

async function oneHistory(seed: number, lying: boolean): Promise<void> {
  const random = seededRandom(seed * 2 + Number(lying))
  const it = await creditedChain(`proofs ${seed}`)
  const count = lying ? random.whole(2, 3) : random.whole(1, 3)
  // A single host is believed up to everything here: what it may not be believed is in the policy's table.
  const alone = count === 1 ? 10_000n : random.pick([undefined, undefined, 0n, 300n])
  it.rules.proof = rulesFor(count, alone)
  const aloneMax = count === 1 ? 10_000n : (alone ?? 0n)
  const hosts = ['a', 'b', 'c'].slice(0, count)
  const truth = await prepare(it, random, seed)
  const liar = lying ? random.pick(hosts) : null
  const lies = new Map(
    truth
      .filter(() => liar !== null && random.chance(0.6))
      .map(block => [block.height, lieAbout(random, block)]),
  )
  const world: World = { random, truth, lies, hosts, liar, aloneMax }
  await follow(it, world)
  // At last everybody is there and tells the truth, and time passes.
  lies.clear()
  for (let round = 0; round < 6; round++) {
    await settleDue(it.pool, it.rules, playedHosts(viewsOf(world, false)), { pageMax: 100 })
    await passTime(it.pool, 700)
  }
  const source = playedHosts(viewsOf(world, false))
  const last = { from: 1, to: truth.length }
  await rescan(
    it.pool,
    it.rules,
    {
      solidBlock: (height, o) => source.solidBlock(height, { not: o?.not ?? [] }),
      distrust: () => undefined,
    },
    last,
  )
  await check(it, world)
  const { rows: open } = await it.pool.query(`select from pending_proof where ended_at is null`)
  assert.deepEqual(open, [], 'nothing waits for proof')
  await assertNothingLost(it.pool, world)
  if (!lying) await assertAsIfSigned(it, seed, truth)
}

async function prepare(it: CreditedChain, random: SeededRandom, seed: number): Promise<SolidBlock[]> {
  await furnish(it, seed)
  return Array.from({ length: random.whole(3, 10) }, (_, n) => {
    const transactions = Array.from({ length: random.whole(0, 3) }, () =>
      Array.from({ length: random.whole(1, 2) }, () => ({
        toBytes: bytesFor(random.pick([...users, 'stranger'])),
        units: BigInt(random.whole(1, 900)),
      })),
    )
    const block = it.block((n + 1) * 3, transactions)
    const direct = transactions.map(payments => payments.length === 1 && random.chance(0.5))
    return { ...block, transfers: block.transfers.map(one => ({ ...one, signed: direct[one.txIndex]! })) }
  })
}

async function furnish(it: CreditedChain, seed: number): Promise<void> {
  const random = seededRandom(seed)
  for (const user of users) await addAddress(it.pool, user)
  for (let n = 0; n < 8; n++) {
    await addOrder(
      it.pool,
      random.pick(users),
      `o-${n}`,
      random.whole(1, 900),
      random.whole(0, 30),
      random.whole(1, 40),
    )
  }
}

/** One of the lies a node can tell. What a header commits to cannot be changed and stay verified; logs can. */
function lieAbout(random: SeededRandom, block: SolidBlock): SolidBlock {
  const [signed, unsigned] = [true, false].map(is => block.transfers.filter(one => one.signed === is))
  const change = (
    one: UsdtTransfer | undefined,
    how: Partial<UsdtTransfer>,
    why: SolidBlock['unverified'],
  ) =>
    one
      ? { ...block, unverified: why, transfers: block.transfers.map(t => (t === one ? { ...t, ...how } : t)) }
      : forged(random, block)
  const hide = (one: UsdtTransfer | undefined, why: SolidBlock['unverified']) =>
    one
      ? { ...block, unverified: why, transfers: block.transfers.filter(t => t !== one) }
      : forged(random, block)
  const how = { amount: usdt(BigInt(random.whole(901, 999))) }
  const elsewhere = {
    toHex: bytesFor(random.pick(users)).toString('hex'),
    amount: usdt(BigInt(random.whole(901, 999))),
  }
  const kinds: (() => SolidBlock)[] = [
    () => forged(random, block),
    () => ({ ...forged(random, block, true), unverified: 'root' }),
    () => hide(unsigned?.[0], null),
    () => hide(signed?.[0], random.pick(['unlogged', 'root', 'infos'] as const)),
    () => change(unsigned?.[0], how, null),
    () => change(unsigned?.[0], elsewhere, null),
    () => change(signed?.[0], { ...how, signed: false }, 'contradicted'),
    () => ({ ...block, transfers: [], unverified: 'empty-under-root' }),
  ]
  return random.pick(kinds)()
}

function forged(random: SeededRandom, block: SolidBlock, signed = false): SolidBlock {
  const [model] = makeBlock(`forged ${random.whole(1, 1_000_000)}`, null, block.time, [
    [{ toBytes: bytesFor(random.pick(users)), units: BigInt(random.whole(1, 999)) }],
  ]).transfers
  return { ...block, transfers: [...block.transfers, { ...model!, txIndex: block.transactionCount, signed }] }
}

function viewsOf(world: World, mayFail: boolean): Record<string, Shows> {
  const { random, truth, lies, liar } = world
  const views: Record<string, Shows> = {}
  for (const host of random.shuffled(world.hosts)) {
    const isAway = mayFail && random.chance(0.25)
    views[host] = height => {
      if (isAway) throw new Error(`${host} is away`)
      const block = truth[height - 1] ?? null
      if (host === liar) return lies.get(height) ?? block
      // What JSON cannot say is no lie.
      return block && mayFail && random.chance(0.3) ? { ...block, unverified: 'leaf' } : block
    }
  }
  return views
}

async function follow(it: CreditedChain, world: World): Promise<void> {
  const { random, truth, lies } = world
  for (let stuck = 0; ; stuck++) {
    const cursor = (await readCursor(it.pool))!
    if (cursor.height === truth.length) return
    assert(stuck < 200, 'following goes on')
    const nodes = playedHosts(viewsOf(world, true))
    const batch: SolidBlock[] = []
    for (
      let height = cursor.height + 1;
      height <= truth.length && batch.length < random.whole(1, 4);
      height++
    ) {
      const block = await nodes.solidBlock(height, { not: [] }).catch(() => null)
      if (!block) break
      batch.push(block)
    }
    if (batch.length > 0) await maybeAway(it.pool, random, () => it.credit(batch))
    for (let times = random.whole(0, 2); times > 0; times--) {
      await maybeAway(it.pool, random, () => settleDue(it.pool, it.rules, playedHosts(viewsOf(world, true))))
      await passTime(it.pool, random.pick([1, 10, 61]))
    }
    if (random.chance(0.1)) lies.clear()
    await check(it, world)
  }
}

/** Now and then the database goes away in the middle of the work: nothing of it may be there. */
async function maybeAway(pool: Pool, random: SeededRandom, work: () => Promise<unknown>): Promise<void> {
  const table = random.pick(['transfer_proof', 'pending_proof', 'credit', 'waiting_transfer'])
  if (!random.chance(0.15)) {
    await work()
    return
  }
  await run(
    pool,
    `create or replace function away() returns trigger language plpgsql as
       $$ begin raise exception 'away' using errcode = '57P01'; end $$;
     create trigger away before insert or update on ${table} for each row execute function away()`,
  )
  await work().catch(error => assert.match((error as Error).message, /away/))
  await run(pool, `drop trigger away on ${table}`)
}

async function passTime(pool: Pool, seconds: number): Promise<void> {
  const by = `interval '${seconds} s'`
  await run(
    pool,
    `update pending_proof
        set created_at = created_at - ${by}, next_check_at = next_check_at - ${by}, denied_since = denied_since - ${by},
            ended_at = ended_at - ${by}`,
  )
  await run(
    pool,
    `update unverified_block set created_at = created_at - ${by}, next_check_at = next_check_at - ${by}`,
  )
}

const nameOf = (t: UsdtTransfer) => `${t.txid} ${t.logIndex} ${t.toHex} ${t.amount}`

async function recordedNames(
  pool: Pool,
): Promise<{ name: string; place: string; amount: bigint; proof: string }[]> {
  return rows(
    pool,
    `select t.txid || ' ' || t.log_index || ' ' || encode(a.address_bytes, 'hex') || ' ' || t.amount as name,
            t.txid || ' ' || t.log_index as place, t.amount, p.proof
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
       join transfer_proof p on p.transfer_id = t.id`,
  )
}

async function check(it: CreditedChain, { truth, aloneMax }: World): Promise<void> {
  const real = new Set(truth.flatMap(block => block.transfers.map(nameOf)))
  for (const { name, amount, proof } of await recordedNames(it.pool)) {
    if (real.has(name)) continue
    assert.equal(proof, 'alone', `${name} is made up`)
    assert(amount <= aloneMax, `${name} is made up and above what one host is believed`)
  }
  await assertNoneHomeless(it.pool)
  await assertTotalsAddUp(it.pool)
  const { checks } = await auditGateway(it.pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
}

async function assertNothingLost(pool: Pool, { truth }: World): Promise<void> {
  const recorded = await recordedNames(pool)
  const names = new Set(recorded.map(({ name }) => name))
  // Where an operator allows one host's word, a false version may have been credited in a true one's place.
  const places = new Set(recorded.filter(({ proof }) => proof === 'alone').map(({ place }) => place))
  const ours = new Set(users.map(user => bytesFor(user).toString('hex')))
  for (const transfer of truth.flatMap(block => block.transfers)) {
    if (!ours.has(transfer.toHex)) continue
    const isThere = names.has(nameOf(transfer)) || places.has(`${transfer.txid} ${transfer.logIndex}`)
    assert(isThere, `${nameOf(transfer)} is lost`)
  }
}

/** Whatever had to wait for proof: the same credits, and in the chain's order. */
async function assertAsIfSigned(
  it: CreditedChain,
  seed: number,
  truth: readonly SolidBlock[],
): Promise<void> {
  await assertChainOrder(it.pool)
  const plain = await creditedChain(`proofs ${seed}`)
  await furnish(plain, seed)
  await plain.credit(
    truth.map(block => ({ ...block, transfers: block.transfers.map(one => ({ ...one, signed: true })) })),
  )
  assert.deepEqual(await ledger(it.pool), await ledger(plain.pool))
}
