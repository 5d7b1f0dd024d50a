import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../../src/base/log.ts'
import { usdt } from '../../src/base/money.ts'
import { createCursor } from '../../src/blocks/chain-store.ts'
import { makePayment } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { followSeen } from '../../src/transfers/follow-seen.ts'
import { forgetSightings } from '../../src/transfers/seen-store.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import { networks } from '../../src/tron/network.ts'
import { createNodePool } from '../../src/tron/pool/node-pool.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedAddress } from '../support/seed.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'
import { seedTransfer } from '../support/seed-transfer.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = createLog('silent', 'test')
const usdtContract = networks.sandbox.usdtContract!
const mine = bytesFor('u1')

/** A chain that solidifies ten blocks behind, its head followed; one address is ours. */
async function followedHead() {
  const { pool } = await cloneDatabase()
  const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 10 })
  after(() => sandbox.close())
  const { chain } = sandbox
  const solid = { height: chain.solid.height, hash: chain.solid.id, time: new Date(chain.solid.timeMs) }
  await createCursor(pool, { network: 'sandbox', genesisId: chain.genesisId, usdtContract }, solid)
  await seedMerchant(pool, anyShop)
  const { addressId } = await seedAddress(pool, { bytes: mine })
  const nodes = createNodePool({
    nodes: [{ headUrl: sandbox.url, solidUrl: sandbox.url }],
    usdtContract,
    requestsPerSecond: 1_000,
    log,
  })
  const stopping = new AbortController()
  const running = followSeen({
    pool,
    nodes,
    intervalMs: 5,
    wait: ms => sleep(ms),
    log,
    signal: stopping.signal,
  })
  const stop = async () => {
    stopping.abort()
    await running
  }
  after(async () => {
    await stop()
    await nodes.close()
  })
  const pay = (units: bigint) => {
    const transaction = makePayment(chain.stamp(), [{ to: addressFromBytes(mine), amount: usdt(units) }], {})
    chain.add([transaction])
    return transaction.id
  }
  const seen = async () => {
    const { rows } = await pool.query(
      `select s.txid, s.amount, s.block_height as height, h.height - s.block_height as confirmations
         from seen_transfer s, chain_head h order by s.block_height, s.txid`,
    )
    return rows
  }
  const untilHead = () =>
    waitUntil('the head', async () => {
      const { rows } = await pool.query('select hash from chain_head')
      return rows[0]?.hash === chain.head.id
    })
  const seenAt = async (txid: string): Promise<Date> => {
    const { rows } = await pool.query('select seen_at from seen_transfer where txid = $1', [txid])
    return rows[0].seen_at
  }
  return { pool, chain, addressId, pay, seen, seenAt, untilHead, stop }
}

test("a payment at the head is seen with its confirmations, a stranger's is not", async () => {
  const { chain, pay, seen, untilHead } = await followedHead()
  const txid = pay(5n)
  chain.add([makePayment(chain.stamp(), [{ to: addressFromBytes(bytesFor('other')), amount: usdt(9n) }], {})])
  chain.mine(1)
  const { height } = chain.head
  await untilHead()
  assert.deepEqual(await seen(), [{ txid, amount: 5n, height, confirmations: 0 }])
  chain.mine(2)
  await untilHead()
  assert.deepEqual(await seen(), [{ txid, amount: 5n, height, confirmations: 2 }])
})

test('after a fork a payment that moved is seen where it is now, one that was dropped is not seen', async () => {
  const { chain, pay, seen, seenAt, untilHead } = await followedHead()
  const [moved, dropped] = [pay(5n), pay(6n)]
  chain.mine(3)
  await untilHead()
  assert.equal((await seen()).length, 2)
  const movedSeenAt = await seenAt(moved)
  chain.fork(3, { drop: [dropped] })
  await untilHead()
  const found = chain.blockOf(moved)
  assert.deepEqual(
    (await seen()).map(({ txid, height }) => ({ txid, height })),
    [{ txid: moved, height: found!.height }],
  )
  assert.deepEqual(await seenAt(moved), movedSeenAt)
})

test('what is solidified, and recorded by then, is seen no longer, and it is kept when it was first seen', async () => {
  const { pool, chain, addressId, pay, seen, seenAt, untilHead } = await followedHead()
  const recorded = pay(5n)
  pay(6n)
  chain.mine(1)
  await untilHead()
  assert.equal((await seen()).length, 2)
  const firstSeenAt = await seenAt(recorded)
  chain.mine(12)
  const { transferId } = await seedTransfer(pool, { addressId, txid: recorded, amount: 5n })
  await pool.query('update chain_cursor set height = $1', [chain.solid.height])
  chain.mine(1)
  await waitUntil('the sighting is over', async () => (await seen()).length === 0)
  const { rows } = await pool.query('select txid, first_seen_at, transfer_id from report.transfers')
  assert.deepEqual(rows, [{ txid: recorded, first_seen_at: firstSeenAt, transfer_id: transferId }])
})

test('when sightings are no longer kept, it is kept when what is recorded was first seen', async () => {
  const { pool, addressId, pay, seenAt, untilHead, chain, stop } = await followedHead()
  const txid = pay(5n)
  chain.mine(1)
  await untilHead()
  await stop()
  const firstSeenAt = await seenAt(txid)
  const { transferId } = await seedTransfer(pool, { addressId, txid, amount: 5n })
  for (const _twice of [1, 2]) await forgetSightings(pool)
  const { rows } = await pool.query('select * from first_seen')
  assert.deepEqual(rows, [{ transfer_id: transferId, seen_at: firstSeenAt }])
})

test('a head that leaps does not leave more behind than is looked at', async () => {
  const { pool, chain, pay, untilHead } = await followedHead()
  for (let n = 0; n < 150; n++) {
    pay(BigInt(n + 1))
    chain.mine(1)
  }
  await untilHead()
  const { rows } = await pool.query('select count(*)::int as n from seen_transfer')
  assert(rows[0].n <= 100)
})
