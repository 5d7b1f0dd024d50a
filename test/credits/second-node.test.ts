import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { usdt } from '../../src/base/money.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { confirmByAny, confirmHeld } from '../../src/credits/confirm-held.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { CreditRules } from '../../src/credits/credit-rules.ts'
import type { HeldTransfer } from '../../src/credits/held-store.ts'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { startNodeView } from '../../src/sandbox/node-view.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, addressToBytes } from '../../src/tron/address.ts'
import { createNodePool } from '../../src/tron/pool/node-pool.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { alwaysOpen, seedAddress, seedOrder } from '../support/seed.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'
import { waiting } from './credited-chain.ts'

// Two sandbox nodes on one chain, each with faults of its own, asked over HTTP as the watcher asks them. What is followed
// comes from the first.
const first = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
const second = await startNodeView(first.chain)
after(async () => {
  await second.close()
  await first.close()
})
afterEach(() => {
  first.faults.clear()
  second.faults.clear()
})

const to = addressFromBytes(bytesFor('u1'))
const usdtContract = sandboxAddresses.usdt

test('the nodes of a host are no second opinion about each other, as long as there is another host', () => {
  const poolOf = (...hosts: string[]) =>
    createNodePool({
      nodes: hosts.map(host => ({ headUrl: `http://${host}`, solidUrl: `http://${host}` })),
      usdtContract,
      requestsPerSecond: 1,
      portsAreHosts: false,
      log: createLog('silent', 'test'),
    })
  const two = poolOf('a.example:1', 'b.example:1', 'a.example:2')
  assert.deepEqual(two.sameHost('a.example:2'), ['a.example:1', 'a.example:2'])
  assert.deepEqual(two.sameHost('b.example:1'), ['b.example:1'])
  assert.deepEqual(two.sameHost('gone.example'), ['gone.example'])
  assert.deepEqual(poolOf('a.example:1', 'a.example:2').sameHost('a.example:1'), ['a.example:1'])
})

test('a held transfer is asked about at another host, by the watcher and by an operator', async () => {
  const asked: unknown[] = []
  const nodes = {
    solidBlock: async (_: number, { not }: { not: string | readonly string[] }) => {
      asked.push([...not])
      return null
    },
    sameHost: (node: string) => [node, 'its neighbour'],
  }
  const held = { height: 5, node: 'it' } as HeldTransfer
  assert.equal((await confirmHeld(nodes, held)).kind, 'unknown')
  assert.equal((await confirmByAny(nodes, held)).kind, 'unknown')
  assert.deepEqual(asked, [
    ['it', 'its neighbour'],
    ['it', 'its neighbour'],
  ])
})

/** A database that follows the chain from now on, with quorum amount 100 USDT and one address with an open order. */
async function watcher() {
  const { pool } = await cloneDatabase()
  const nodes = createNodePool({
    nodes: [first, second].map(({ url }) => ({ headUrl: url, solidUrl: url })),
    usdtContract,
    genesisId: first.chain.genesisId,
    requestsPerSecond: 10_000,
    log: createLog('silent', 'test'),
  })
  after(() => nodes.close())
  const rules: CreditRules = {
    network: 'sandbox',
    genesisId: first.chain.genesisId,
    usdtContract,
    graceMs: 0,
    quorumAmount: usdt(100_000_000n),
  }
  await createCursor(pool, rules, await nodes.solidHead())
  await seedMerchant(pool, anyShop)
  const { addressId } = await seedAddress(pool, { bytes: addressToBytes(to) })
  await seedOrder(pool, { addressId, orderid: 'o-1', amount: 1n, ...alwaysOpen })
  const secondName = new URL(second.url).host
  return {
    pool,
    release: async () => {
      await pool.query('update waiting_transfer set checked_at = null')
      return await releaseHeld(pool, rules, held => confirmHeld(nodes, held))
    },
    /** Follows to the solidified head, from the first node. */
    async follow() {
      for (;;) {
        const cursor = (await readCursor(pool))!
        const block = await nodes.solidBlock(cursor.height + 1, { not: secondName })
        if (!block) return
        await creditBlocks(pool, rules, cursor, [block])
      }
    },
    credited: async () => (await pool.query('select amount from credit')).rows.map(row => row.amount),
  }
}

function pay(amount: bigint): string {
  const payment = makePayment(first.chain.stamp(), [{ to, amount: usdt(amount * 1_000_000n) }])
  first.chain.add([payment])
  first.chain.mine(2)
  return payment.id
}

test('a second node that shows the same block and log releases a held transfer', async () => {
  const { pool, follow, release, credited } = await watcher()
  pay(500n)
  await follow()
  assert.deepEqual(await credited(), [])
  assert.deepEqual(await release(), { released: 1, disagreed: 0, waiting: 0 })
  assert.deepEqual(await credited(), [500_000_000n])
  assert.deepEqual(await waiting(pool), [])
})

test('a second node that has not got there yet, or is away, is waited for', async () => {
  const { pool, follow, release, credited } = await watcher()
  second.faults.set({ kind: 'lag', blocks: 5 })
  pay(500n)
  await follow()
  assert.deepEqual(await release(), { released: 0, disagreed: 0, waiting: 1 })
  assert.match((await waiting(pool))[0]!.note!, /no other node has solidified block/)
  second.faults.clear()
  second.faults.set({ kind: 'unavailable' })
  assert.deepEqual(await release(), { released: 0, disagreed: 0, waiting: 1 })
  assert.notEqual((await waiting(pool))[0]!.note, null)
  assert.deepEqual(await credited(), [])
})

test('a transfer that the first node made up, or whose amount it made up, is never credited', async () => {
  const { pool, follow, release, credited } = await watcher()
  first.faults.set({ kind: 'forged-transfer', to, amount: '900000000' })
  pay(1n)
  await follow()
  first.faults.clear()
  first.faults.set({ kind: 'forged-amount', amount: '700000000' })
  pay(2n)
  await follow()
  first.faults.clear()
  const done = await release()
  assert.equal(done.released, 0)
  // Nobody signed for it, so it is not even recorded: it waits for proof.
  const { rows: made } = await pool.query(
    `select distinct amount from pending_proof where ended_at is null order by amount`,
  )
  assert.deepEqual(
    made.map(({ amount }) => amount),
    [700_000_000_000_000n, 900_000_000_000_000n],
  )
  assert.deepEqual(
    (await credited()).filter(amount => amount > 100_000_000n),
    [],
  )
  for (const row of await waiting(pool)) {
    if (row.reason === 'held') assert.match(row.note!, /without this transfer|shows amount/)
  }
})

test('a second node on another branch disagrees, and agrees once it is right again', async () => {
  const { pool, follow, release, credited } = await watcher()
  second.faults.set({ kind: 'other-hash' })
  pay(500n)
  await follow()
  assert.deepEqual(await release(), { released: 0, disagreed: 1, waiting: 0 })
  assert.match((await waiting(pool))[0]!.note!, / has [0-9a-f]{64} at /)
  second.faults.clear()
  assert.deepEqual(await release(), { released: 1, disagreed: 0, waiting: 0 })
  assert.deepEqual(await credited(), [500_000_000n])
})
