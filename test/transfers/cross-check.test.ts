import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { usdt } from '../../src/base/money.ts'
import { makePayment } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { startNodeView } from '../../src/sandbox/node-view.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { createCrossCheck } from '../../src/transfers/cross-check.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import { networks } from '../../src/tron/network.ts'
import { createNodePool } from '../../src/tron/pool/node-pool.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'

const log = createLog('silent', 'test')

/** A chain with a block that pays twice the same and fails once, and two nodes over it. */
async function nodesAndCheck() {
  const { pool } = await cloneDatabase()
  const first = await startSandboxNode({ autoMine: false, solidificationDepth: 2 })
  const second = await startNodeView(first.chain)
  after(() => Promise.all([first.close(), second.close()]))
  const nodes = createNodePool({
    nodes: [first, second].map(({ url }) => ({ headUrl: url, solidUrl: url, jsonRpcUrl: url })),
    usdtContract: networks.sandbox.usdtContract!,
    requestsPerSecond: 1_000,
    log,
  })
  after(() => nodes.close())
  const payment = { to: addressFromBytes(bytesFor('u1')), amount: usdt(7_000_000n) }
  const { chain } = first
  chain.add([
    makePayment(chain.stamp(), [payment, payment], {}),
    makePayment(chain.stamp(), [payment], { fail: 'OUT_OF_TIME' }),
  ])
  chain.mine(1)
  const { height } = chain.head
  chain.mine(4)
  const block = await nodes.solidBlock(height)
  assert(block)
  const open = async () =>
    (await pool.query(`select kind, subject, detail from discrepancy where resolved_at is null`)).rows
  return { first, second, block, open, pool, crossCheck: createCrossCheck({ db: pool, nodes, log }) }
}

test('a block whose event index says the same is no discrepancy, a failed transaction that kept its logs included', async () => {
  const { crossCheck, block, open } = await nodesAndCheck()
  assert.deepEqual([block.transfers.length, block.undone.length], [2, 1])
  crossCheck.enqueue([block])
  await crossCheck.check()
  assert.deepEqual(await open(), [])
})

test('a node without the index says nothing', async () => {
  const { crossCheck, block, open, first, second } = await nodesAndCheck()
  for (const node of [first, second]) node.faults.set({ kind: 'logs-empty' })
  crossCheck.enqueue([block])
  await crossCheck.check()
  assert.deepEqual(await open(), [])
})

test('a block that the node does not have yet is asked for again, less and less often, and holds up no other', async () => {
  const { block, open, pool } = await nodesAndCheck()
  const late = { ...block, height: block.height + 1, transfers: [] }
  let nowMs = 0
  const asked: number[] = []
  let hasIt = false
  const crossCheck = createCrossCheck({
    db: pool,
    log,
    clock: { now: () => new Date(nowMs) },
    nodes: {
      logsOf: async ({ height }) => {
        asked.push(height)
        return height === late.height && !hasIt ? 'not yet' : { node: 'other', logs: block.transfers }
      },
    },
  })
  crossCheck.enqueue([late, block])
  for (let s = 0; s < 30; s++, nowMs += 1_000) await crossCheck.check()
  assert.deepEqual(
    asked,
    [late, block, late, late, late].map(({ height }) => height),
  )
  assert.deepEqual(await open(), [])
  hasIt = true
  for (let s = 0; s < 30; s++, nowMs += 1_000) await crossCheck.check()
  assert.equal(asked.length, 6)
  assert.equal((await open()).length, 1)
})

test('a block that no node ever has is left out in the end', async () => {
  const { block, pool } = await nodesAndCheck()
  let nowMs = 0
  let asked = 0
  const logsOf = async () => {
    asked++
    return 'not yet' as const
  }
  const crossCheck = createCrossCheck({
    db: pool,
    nodes: { logsOf },
    log,
    clock: { now: () => new Date(nowMs) },
  })
  crossCheck.enqueue([block])
  for (let s = 0; s < 3_600; s++, nowMs += 1_000) await crossCheck.check()
  assert.equal(asked, 9)
})

test('a transfer that the event index does not have is set down once, with all that is known', async () => {
  const { crossCheck, block, open } = await nodesAndCheck()
  const [transfer] = block.transfers
  const forged = { ...block, transfers: [...block.transfers, { ...transfer!, logIndex: 9 }] }
  for (let n = 0; n < 2; n++) {
    crossCheck.enqueue([forged])
    await crossCheck.check()
  }
  const [found, ...others] = await open()
  assert.equal(others.length, 0)
  assert.deepEqual([found.kind, found.subject], ['event_index', `${block.height}`])
  assert.equal(found.detail.missing.length, 1)
  assert.equal(found.detail.missing[0].amount, '7000000')
})

test('blocks wait while the nodes cannot be asked, and no more of them than a hundred', async () => {
  const { crossCheck, block, open, first, second } = await nodesAndCheck()
  const forged = { ...block, transfers: [] }
  crossCheck.enqueue([forged])
  for (const node of [first, second]) node.faults.set({ kind: 'reset', paths: ['/jsonrpc'] })
  await assert.rejects(crossCheck.check())
  for (const node of [first, second]) node.faults.clear()
  crossCheck.enqueue(Array.from({ length: 99 }, () => block))
  await crossCheck.check()
  assert.equal((await open()).length, 1)
})
