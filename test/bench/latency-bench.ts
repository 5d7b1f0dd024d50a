import assert from 'node:assert/strict'
import { usdt } from '../../src/base/money.ts'
import { callbackKey } from '../../src/callbacks/outbox/callback.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import type { TronAddress } from '../../src/tron/address.ts'
import { seedAddresses, seedOrders } from '../support/seed.ts'
import { startBuiltGateway } from './built-gateway.ts'
import { type BenchChild, sharedClockMs, startChild } from './child-process.ts'
import { checkReceived, openCourierSetup, untilRecorded } from './courier-setup.ts'

const endpoints = 100
const creditsPerBlock = 50
const blocks = { warm: 10, measured: 100 }
/** Not the 3 s of TRON, which would only make the bench longer; never in step with the watcher's polling. */
const blockMs = { least: 300, spread: 200 }
const amount = usdt(1_000_000n)

/** In milliseconds, over all callbacks: from the moment a node serves the solidified block until the receiver has it. */
export interface LatencyResult {
  callbacks: number
  p50Ms: number
  p99Ms: number
}

/** The whole gateway: a sandbox node, a watcher and a courier as production runs them, and fifty credits a block. */
export async function benchLatency(
  database: { pool: Pool; url: string },
  redisUrl: string | undefined,
): Promise<LatencyResult> {
  const node = await startSandboxNode({ autoMine: false })
  const receiver = await startChild('callback-receiver.ts', [`${endpoints}`, '0'])
  const setup = await openCourierSetup({ database, receiver, redisUrl })
  const watcher = await startBuiltGateway('watcher', {
    DATABASE_URL: database.url,
    TRON_NETWORK: 'sandbox',
    TRON_NODES: node.url,
  })
  try {
    const merchants = [...setup.merchants.values()]
    const depth = node.chain.solidificationDepth
    const addresses = await placeOrders(
      database.pool,
      merchants,
      (blocks.warm + blocks.measured) * creditsPerBlock,
    )
    await untilFollowed(database.pool)
    const servedAt = await mineAll(node, addresses, depth)
    const count = addresses.length
    await receiver.ask({ kind: 'expect', count })
    await untilRecorded(setup, merchants)
    await checkReceived(receiver, setup.merchants, count)
    const latencies = await measured(receiver, servedAt)
    const at = (share: number) => latencies[Math.floor(latencies.length * share)]!
    return { callbacks: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99) }
  } finally {
    await watcher.stop()
    await setup.courier.stop()
    receiver.stop()
    await node.close()
  }
}

/** Mines until every payment is solidified. @returns when the block of each callback was first served, by its key. */
async function mineAll(
  node: SandboxNode,
  addresses: readonly TronAddress[],
  depth: number,
): Promise<Map<string, number>> {
  const { chain } = node
  const servedAt = new Map<string, number>()
  for (let height = 0; height * creditsPerBlock < addresses.length + depth * creditsPerBlock; height++) {
    const paid = addresses.slice(height * creditsPerBlock, (height + 1) * creditsPerBlock)
    chain.add(paid.map(to => makePayment(chain.stamp(), [{ to, amount }])))
    chain.mine()
    const now = sharedClockMs()
    for (const { id } of chain.solid.transactions) {
      servedAt.set(callbackKey(chain.genesisId, sandboxAddresses.usdt, id, 0), now)
    }
    await new Promise(resolve => setTimeout(resolve, blockMs.least + Math.random() * blockMs.spread))
  }
  return servedAt
}

async function measured(receiver: BenchChild, servedAt: ReadonlyMap<string, number>): Promise<number[]> {
  const arrivals: { key: string; at: number }[] = await receiver.ask({ kind: 'arrivals' })
  for (const { key } of arrivals) assert(servedAt.has(key), 'a callback for a transfer that nobody made')
  return arrivals
    .slice(blocks.warm * creditsPerBlock)
    .map(({ key, at }) => at - servedAt.get(key)!)
    .toSorted((a, b) => a - b)
}

/** An open order on an address of its own for each payment, the merchants in turn. */
async function placeOrders(
  pool: Pool,
  merchants: readonly Merchant[],
  count: number,
): Promise<TronAddress[]> {
  const placed = await seedAddresses(
    pool,
    Array.from({ length: count }, (_, n) => ({
      merchantId: merchants[n % merchants.length]!.id,
      localusermark: `${n}`,
    })),
  )
  await seedOrders(
    pool,
    placed.map(({ addressId }, n) => ({ addressId, orderid: `o-${n}`, amount })),
  )
  await pool.query('vacuum analyze')
  return placed.map(({ address }) => address)
}

/** Only what is solidified after the cursor exists is credited. */
async function untilFollowed(pool: Pool): Promise<void> {
  while ((await pool.query(`select from chain_cursor`)).rowCount === 0) {
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
