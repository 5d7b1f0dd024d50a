import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { usdt } from '../../src/base/money.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { Pool } from '../../src/db/pool.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { openDiscrepancies } from '../../src/transfers/discrepancy-store.ts'
import { keepReconciling } from '../../src/transfers/keep-reconciling.ts'
import type { Comparison } from '../../src/transfers/reconcile-address.ts'
import { reconcileAddresses } from '../../src/transfers/reconcile-addresses.ts'
import { findWatched } from '../../src/transfers/reconcile-store.ts'
import { addressFromBytes, addressToBytes, type TronAddress } from '../../src/tron/address.ts'
import { createTronNode } from '../../src/tron/node/node-client.ts'
import { NodeError } from '../../src/tron/node/node-error.ts'
import { createTokenBucket } from '../../src/tron/node/token-bucket.ts'
import { createTronGridHistory, type TronGridHistory } from '../../src/tron/trongrid/trongrid-history.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { addressIdOf, seedAddress } from '../support/seed.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'
import { seedTransfer } from '../support/seed-transfer.ts'
import { waitUntil } from '../support/wait-until.ts'

// A sandbox node is both the chain that was followed and TronGrid. Blocks come when a test says so, a minute apart, so
// that what was paid at the start of a test is settled at its end.
const log = createLog('silent', 'test')
const quick: Comparison = { secondCheckMs: 1 }
let nowMs = Date.UTC(2026, 10, 1)
let sandbox: SandboxNode
let history: TronGridHistory

before(async () => {
  sandbox = await startSandboxNode({
    autoMine: false,
    solidificationDepth: 1,
    clock: { now: () => new Date(nowMs) },
  })
  history = createTronGridHistory({
    baseUrl: sandbox.url,
    usdtContract: sandboxAddresses.usdt,
    pace: createTokenBucket({ requestsPerSecond: 10_000 }),
  })
})
after(async () => {
  await history.close()
  await sandbox.close()
})
afterEach(() => sandbox.faults.clear())

function mine(payments: readonly { to: TronAddress; units: bigint }[] = [], from?: TronAddress): void {
  if (payments.length > 0) {
    const transfers = payments.map(({ to, units }) => ({ to, amount: usdt(units) }))
    sandbox.chain.add([makePayment(sandbox.chain.stamp(), transfers, { from })])
  }
  nowMs += 60_000
  sandbox.chain.mine()
}

let names = 0

/** A database that follows the sandbox's chain from now on, with one address of its own. */
async function following() {
  const { pool } = await cloneDatabase()
  const address = addressFromBytes(bytesFor(`address ${names++}`))
  const node = createTronNode({
    headUrl: sandbox.url,
    solidUrl: sandbox.url,
    usdtContract: sandboxAddresses.usdt,
  })
  after(() => node.close())
  const rules = {
    network: 'sandbox',
    genesisId: sandbox.chain.genesisId,
    usdtContract: sandboxAddresses.usdt,
    graceMs: 0,
    quorumAmount: null,
  }
  await createCursor(pool, rules, await node.solidHead())
  await seedMerchant(pool, anyShop)
  await watch(pool, address)
  return {
    pool,
    address,
    /** Follows to the solidified head; `skip`: blocks are recorded without their transfers. */
    async follow({ skip = false } = {}) {
      for (;;) {
        const cursor = (await readCursor(pool))!
        const block = await node.solidBlock(cursor.height + 1)
        if (!block) return
        await creditBlocks(pool, rules, cursor, [skip ? { ...block, transfers: [] } : block])
      }
    },
    reconcile: async (comparison: Comparison = quick) =>
      reconcileAddresses(pool, history, await findWatched(pool, [address]), comparison, log),
  }
}

async function watch(pool: Pool, address: TronAddress): Promise<void> {
  await seedAddress(pool, { bytes: addressToBytes(address) })
}

async function discrepancies(pool: Pool) {
  const { rows } = await pool.query(
    'select kind, subject, detail, resolved_at is null as open from discrepancy order by id',
  )
  return rows
}

test('what agrees is no discrepancy: paid twice alike in a transaction, with zero amounts, before the start and after the cursor', async () => {
  const { pool, address, follow, reconcile } = await following()
  mine([
    { to: address, units: 5n },
    { to: address, units: 5n },
    { to: address, units: 0n },
  ])
  mine()
  mine()
  await follow()
  mine([{ to: address, units: 9n }])
  mine()
  mine()
  assert.deepEqual(await reconcile(), { addresses: 1, transfers: 3, differences: 0 })
  assert.deepEqual(await discrepancies(pool), [])
})

test('a transfer that we lack is found, stays one discrepancy, is never credited, and resolved once it is there', async () => {
  const { pool, address, follow, reconcile } = await following()
  mine([{ to: address, units: 5_000_000n }])
  mine()
  mine()
  await follow({ skip: true })
  assert.equal((await reconcile()).differences, 1)
  assert.equal((await reconcile()).differences, 1)
  const [found, ...others] = await discrepancies(pool)
  assert.deepEqual(others, [])
  assert.deepEqual(
    [found.kind, found.subject, found.detail.count, found.open],
    ['missing_transfer', address, 1, true],
  )
  assert.equal(found.detail.transfers[0].usdt, '5')
  assert.equal(await openDiscrepancies(pool), 1)
  assert.equal((await pool.query('select from transfer')).rowCount, 0)
  // A look at a part of its time finds nothing, and says nothing of the rest.
  await reconcile({ ...quick, since: new Date(nowMs) })
  assert.equal(await openDiscrepancies(pool), 1)
  const { txid, from, time } = found.detail.transfers[0]
  await seedTransfer(pool, {
    addressId: await addressIdOf(pool, { address }),
    txid,
    from,
    amount: 5_000_000n,
    blockTime: new Date(time),
  })
  assert.equal((await reconcile()).differences, 0)
  assert.equal(await openDiscrepancies(pool), 0)
})

test('a transfer that they lack is found once it is old enough and still lacking at a second look', async () => {
  const { pool, address, follow, reconcile } = await following()
  mine([{ to: address, units: 5n }])
  mine([{ to: address, units: 6n }])
  mine()
  await follow()
  sandbox.faults.set({ kind: 'rows-missing', every: 1 })
  // Younger than their index may be late.
  assert.equal((await reconcile()).differences, 0)
  for (let i = 0; i < 12; i++) mine()
  await follow()
  assert.equal((await reconcile()).differences, 1)
  assert.deepEqual(
    (await discrepancies(pool)).map(row => [row.kind, row.detail.count, row.open]),
    [['extra_transfer', 2, true]],
  )
  sandbox.faults.clear()
  assert.equal((await reconcile()).differences, 0)
  assert.equal(await openDiscrepancies(pool), 0)
})

test('a page that ends early is looked at twice, and is no discrepancy when it is whole the second time', async () => {
  const { pool, address, follow, reconcile } = await following()
  mine([{ to: address, units: 5n }])
  for (let i = 0; i < 15; i++) mine()
  await follow()
  sandbox.faults.set({ kind: 'rows-missing', every: 1, paths: ['/v1/*'], times: 1 })
  assert.equal((await reconcile()).differences, 0)
  assert.deepEqual(await discrepancies(pool), [])
})

test('money paid out, and money from before the start, make no balance wrong', async () => {
  const address = addressFromBytes(bytesFor(`address ${names}`))
  mine([{ to: address, units: 1_000n }])
  mine()
  mine()
  const { pool, follow, reconcile } = await following()
  mine([{ to: address, units: 70n }])
  mine([{ to: sandboxAddresses.payer, units: 1_020n }], address)
  mine()
  mine()
  await follow()
  assert.deepEqual(await reconcile(), { addresses: 1, transfers: 1, differences: 0 })
  assert.deepEqual(await discrepancies(pool), [])
})

test('an address that holds more than anybody knows of is a discrepancy', async () => {
  const { pool, address, follow, reconcile } = await following()
  mine([{ to: address, units: 2_500_000n }])
  for (let i = 0; i < 3; i++) mine()
  await follow({ skip: true })
  sandbox.faults.set({ kind: 'rows-missing', every: 1 })
  assert.equal((await reconcile()).differences, 1)
  assert.deepEqual(
    (await discrepancies(pool)).map(row => [row.kind, row.subject, row.detail]),
    [['balance_excess', address, { usdt: '2.5' }]],
  )
})

test('before anything is recorded there is nothing to compare', async () => {
  const { reconcile } = await following()
  assert.deepEqual(await reconcile(), { addresses: 0, transfers: 0, differences: 0 })
})

test('a source that cannot be asked is an error, and no discrepancy', async () => {
  const { pool, address, follow } = await following()
  mine([{ to: address, units: 5n }])
  mine()
  mine()
  await follow()
  const away: TronGridHistory = {
    // biome-ignore lint/correctness/useYield: it fails before the first row.
    async *received() {
      throw new NodeError('failed', 'away')
    },
    balanceOf: async () => usdt(0n),
    close: async () => undefined,
  }
  const watched = await findWatched(pool, [address])
  await assert.rejects(reconcileAddresses(pool, away, watched, quick, log), NodeError)
  assert.deepEqual(await discrepancies(pool), [])
})

test('the loop goes round all addresses and begins again, until it is told to stop', async () => {
  const { pool, address, follow } = await following()
  mine([{ to: address, units: 5n }])
  mine()
  mine()
  await follow({ skip: true })
  const stopping = new AbortController()
  const running = keepReconciling({
    pool,
    baseUrl: sandbox.url,
    apiKey: undefined,
    usdtContract: sandboxAddresses.usdt,
    addressesPerHour: 3_600_000,
    log,
    signal: stopping.signal,
    // It begins at the very end.
    random: () => 0.999,
  })
  await waitUntil('the difference is found', async () => (await openDiscrepancies(pool)) === 1)
  stopping.abort()
  await running
})
