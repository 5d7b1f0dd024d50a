import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createMetrics } from '../src/base/metrics.ts'
import { usdt } from '../src/base/money.ts'
import { readCursor } from '../src/blocks/chain-store.ts'
import { createPool, rows } from '../src/db/pool.ts'
import { makePayment } from '../src/sandbox/chain/sandbox-transactions.ts'
import type { Fault } from '../src/sandbox/faults/fault-schemas.ts'
import { type NodeView, startNodeView } from '../src/sandbox/node-view.ts'
import { startSandboxNode } from '../src/sandbox/sandbox-node.ts'
import { networks } from '../src/tron/network.ts'
import { startWatcher } from '../src/watcher.ts'
import { cloneDatabase } from './support/database.ts'
import { recordLog } from './support/recorded-log.ts'
import { alwaysOpen, seedAddress, seedOrder } from './support/seed.ts'
import { anyShop, seedMerchant } from './support/seed-merchant.ts'
import { waitUntil } from './support/wait-until.ts'

// A whole watcher over one node or two that cannot print a block, for good.

type Transport = 'http' | 'grpc'
type Part = 'block' | 'header' | 'infos'

interface World {
  transports: readonly Transport[]
  /** Whether solidity is counted, or a node's word is taken. */
  counted?: boolean
}

/** A user with an address and an order, paid 1 in the block that no node of `struck` prints, and 2 in the one after it. */
async function watched(
  { transports, counted = false }: World,
  parts: readonly Part[],
  struck = transports.length,
) {
  const { pool, url } = await cloneDatabase()
  await seedMerchant(pool, anyShop)
  const { address, addressId } = await seedAddress(pool)
  await seedOrder(pool, { addressId, amount: 10_000_000n, ...alwaysOpen })
  const first = await startSandboxNode(
    counted
      ? { autoMine: false, solidifiedBy: 'producers' }
      : { autoMine: false, producers: 9, solidificationDepth: 2 },
  )
  const views: NodeView[] = [first]
  while (views.length < transports.length)
    views.push(await startNodeView(first.chain, { blockIntervalMs: null }))
  const { chain } = first
  const start = chain.solid.height + 1
  const pay = (units: bigint) => {
    chain.add([makePayment(chain.stamp(), [{ to: address, amount: usdt(units) }])])
    chain.mine(1)
  }
  chain.mine(counted ? 25 : 3)
  const height = chain.head.height + 1
  const fault: Fault = { kind: 'unprintable', parts: [...parts], heights: { from: height, to: height } }
  for (const view of views.slice(0, struck)) view.faults.set(fault)
  const leasePool = createPool(url, { max: 1 })
  const recorded = recordLog()
  const registry = createMetrics()
  const watcher = startWatcher({
    ...{ pool, leasePool, network: 'sandbox', usdtContract: networks.sandbox.usdtContract! },
    nodes: views.map((view, i) => {
      const nodeUrl = transports[i] === 'http' ? view.url : view.grpcUrl
      return { headUrl: nodeUrl, solidUrl: nodeUrl }
    }),
    ...{ trongridApiKey: undefined, requestsPerSecond: undefined, startBlock: start, quorumAmount: null },
    ...{ seen: false, reconcile: null, log: recorded.log, registry },
    parking: { answeredMs: 1_000, awayMs: 15_000 },
  })
  after(async () => {
    await watcher.stop()
    await leasePool.end()
    await Promise.all(views.map(view => view.close()))
  })
  await waitUntil('following', async () => ((await readCursor(pool))?.height ?? 0) >= start, 20_000)
  pay(1_000_000n)
  pay(2_000_000n)
  chain.mine(counted ? 30 : 6)
  const passed = (what = height) =>
    waitUntil(`block ${what} is passed`, async () => (await readCursor(pool))!.height >= what, 180_000)
  const credits = () =>
    rows<{ amount: bigint; height: number; proof: string }>(
      pool,
      `select c.amount, t.block_height - ${height} as height, p.proof
         from credit c join transfer t on t.id = c.transfer_id join transfer_proof p on p.transfer_id = t.id
        order by c.id`,
    )
  const checkNow = () =>
    pool.query(
      `with u as (update unverified_block set next_check_at = now() where settled_at is null),
            p as (update pending_proof set next_check_at = now() where ended_at is null)
       update parked_block set next_check_at = now() where read_at is null`,
    )
  return { pool, chain, views, height, watcher, registry, recorded, passed, credits, checkNow, pay }
}

const one = (count: number, transport: Transport) => Array.from({ length: count }, () => transport)

const parkings: Record<Transport, [nodes: number, counted: boolean, parts: Part[]][]> = {
  http: [
    [2, true, ['block', 'infos']],
    [1, false, ['block', 'infos', 'header']],
  ],
  grpc: [
    [1, false, ['block', 'infos']],
    [1, true, ['infos']],
  ],
}

describe('blocks that no node can print', { concurrency: 3 }, () => {
  for (const transport of ['http', 'grpc'] as const) {
    for (const nodes of [1, 2]) {
      for (const counted of [(nodes === 2) === (transport === 'grpc')]) {
        const where = `${nodes} over ${transport}, ${counted ? 'counted' : "by a node's word"}`
        test(`by its header and infos one is followed unverified, and what it pays is credited: ${where}`, async () => {
          const it = await watched({ transports: one(nodes, transport), counted }, ['block'])
          await it.passed(it.height + 1)
          await waitUntil('both are credited', async () => {
            await it.checkNow()
            return (await it.credits()).length === 2
          })
          const proof = nodes === 1 ? 'alone' : 'agreed'
          assert.deepEqual(
            (await it.credits()).map(({ amount, height }) => [amount, height]),
            [
              [1_000_000n, 0],
              [2_000_000n, 1],
            ],
          )
          assert.equal((await it.credits())[0]!.proof, proof)
          assert.deepEqual(
            await rows(it.pool, `select height, why from unverified_block where height >= ${it.height}`),
            [{ height: it.height, why: 'header-only' }],
          )
          assert.deepEqual(await rows(it.pool, 'select height from parked_block'), [])
        })
      }
    }
    for (const [nodes, counted, parts] of parkings[transport]) {
      const where = `${nodes} over ${transport}, ${counted ? 'counted' : "by a node's word"}`
      test(`one without ${parts.join(', ')} is parked, read later, and credited once: ${where}`, async () => {
        const it = await watched({ transports: one(nodes, transport), counted }, parts)
        await it.passed(it.height + 1)
        const { id } = it.chain.block(it.height)!
        assert.deepEqual(await rows(it.pool, 'select height, hash, read_at from parked_block'), [
          { height: it.height, hash: id, read_at: null },
        ])
        await waitUntil('the alarm', () => it.watcher.alarms().includes('parked'))
        await waitUntil('the later payment', async () => (await it.credits()).length === 1)
        assert.equal(it.recorded.lines('block.parked').length, 1)
        const raised = it.recorded.lines('alarm.raised').filter(({ alarm }) => alarm === 'parked')
        assert.deepEqual(
          raised.map(({ height, lowest = height }) => lowest),
          [it.height],
        )
        for (const view of it.views) view.faults.clear()
        await waitUntil('it is read', async () => {
          await it.checkNow()
          return (await it.credits()).length === 2
        })
        assert.deepEqual(
          (await it.credits()).map(({ amount, height, proof }) => [amount, height, proof]),
          [
            [2_000_000n, 1, 'signed'],
            [1_000_000n, 0, 'signed'],
          ],
        )
        const [block] = await rows<{ time: Date; transactions: number }>(
          it.pool,
          `select block_time as time, transaction_count as transactions from chain_block where height = ${it.height}`,
        )
        assert.equal(block!.time.getTime(), it.chain.block(it.height)!.timeMs)
        assert.equal(block!.transactions, 1)
        await waitUntil('the alarm is over', () => !it.watcher.alarms().includes('parked'), 15_000)
      })
    }
  }

  test('what one of two hosts can print is followed as that shows it, and nothing is parked', async () => {
    const it = await watched({ transports: ['http', 'grpc'] }, ['block', 'infos', 'header'], 1)
    await it.passed(it.height + 1)
    assert.deepEqual(
      (await it.credits()).map(({ amount, proof }) => [amount, proof]),
      [
        [1_000_000n, 'signed'],
        [2_000_000n, 'signed'],
      ],
    )
    assert.deepEqual(await rows(it.pool, 'select height from parked_block'), [])
    assert.deepEqual(
      await rows(it.pool, `select height from unverified_block where height = ${it.height}`),
      [],
    )
  })

  test('while one host refuses a block and the other is away, it is waited for', async () => {
    const it = await watched({ transports: ['http', 'http'] }, ['block', 'infos'], 1)
    it.views[1]!.faults.set({ kind: 'reset' })
    it.pay(3_000_000n)
    it.chain.mine(6)
    await it.passed(it.height - 1)
    await new Promise(resolve => setTimeout(resolve, 3_500))
    if ((await readCursor(it.pool))!.height < it.height) it.views[1]!.faults.clear()
    await it.passed(it.height + 1)
    assert.deepEqual(await rows(it.pool, 'select height from parked_block'), [])
  })
})
