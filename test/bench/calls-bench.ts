import assert from 'node:assert/strict'
import { createLog } from '../../src/base/log.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { callsADay } from '../../src/blocks/calls-a-day.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { readProducers } from '../../src/blocks/producer-store.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { type Network, networks } from '../../src/tron/network.ts'
import { type RunningWatcher, startWatcher } from '../../src/watcher.ts'
import { seedAddress } from '../support/seed.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type PacedChain, startPacedChain } from './paced-chain.ts'

/** Of the main network, for which the figures are printed. */
const blocksADay = 28_800
const slotMs = 3_000
/** The pace of a public network, so many times as fast. */
const scale = 10
/** Blocks at the head before it is counted: by then the watcher has learned when blocks come. */
const warmBlocks = 30
/** How far the cursor is behind the head when all is credited that can be. */
const solidWithin = 19
const deadlineMs = 300_000

/** What following at the head costs two nodes. */
export interface HeadCalls {
  blocks: number
  perBlock: number
  /** By node, in the order of preference at the start. */
  perBlockByNode: number[]
  /** With what is asked by the clock, at its true pace. */
  perDay: number
}

/**
 * Follows the head with the watcher itself, two nodes configured, at ten times the pace of a public network, and counts the
 * calls that arrive at the nodes. Then every payment up to the cursor is recorded, as signed.
 */
export async function benchHeadCalls(
  database: { pool: Pool; url: string },
  options: { seen: boolean; paidEvery: number; blocks: number },
): Promise<HeadCalls> {
  const { seen, paidEvery, blocks } = options
  const network = publicNetwork(scale)
  const paced = await startPaced(database.pool, { slotMs: network.slotMs!, behindMs: 0, paidEvery })
  const leasePool = createPool(database.url, { max: 1 })
  try {
    return await withNetwork(network, async () => {
      const watcher = watch(database.pool, leasePool, paced, { seen })
      try {
        await producersKnown(database.pool)
        paced.run()
        const { chain } = paced
        const headAt = (height: number) =>
          waitUntil(`block ${height}`, () => chain.head.height >= height, deadlineMs, 5)
        await headAt(chain.head.height + warmBlocks)
        const before = { height: chain.head.height, calls: paced.calls() }
        await headAt(before.height + blocks)
        const made = chain.head.height - before.height
        const perBlockByNode = paced.calls().map((calls, i) => (calls - before.calls[i]!) / made)
        await caughtUp(database.pool, paced)
        await watcher.stop()
        await check(database.pool, paced)
        const perBlock = perBlockByNode.reduce((sum, one) => sum + one, 0)
        const { clocks, survey } = callsADay({ network, seen, crossChecked: false, nodes: paced.urls.length })
        return {
          blocks: made,
          perBlock,
          perBlockByNode,
          perDay: Math.round(perBlock * blocksADay + clocks + survey),
        }
      } finally {
        await watcher.stop()
      }
    })
  } finally {
    await leasePool.end()
    await paced.close()
  }
}

/**
 * Lets a watcher that knows its chain come back after a number of blocks, at the true pace of a public network and with so
 * many requests a second to each node, sightings on.
 * @returns seconds until all is credited that is solid by then.
 */
export async function benchBacklog(
  database: { pool: Pool; url: string },
  options: { blocks: number; requestsPerSecond: number; nodes: number },
): Promise<number> {
  const { blocks, requestsPerSecond } = options
  const paced = await startPaced(database.pool, { slotMs, behindMs: blocks * slotMs, paidEvery: 10 })
  const leasePool = createPool(database.url, { max: 1 })
  const urls = paced.urls.slice(0, options.nodes)
  try {
    return await withNetwork(publicNetwork(1), async () => {
      const earlier = watch(database.pool, leasePool, { urls }, { seen: true, requestsPerSecond: 1_000 })
      await producersKnown(database.pool)
      await caughtUp(database.pool, paced)
      await earlier.stop()
      paced.mine(blocks)
      paced.run()
      const startedAt = performance.now()
      const watcher = watch(database.pool, leasePool, { urls }, { seen: true, requestsPerSecond })
      try {
        await caughtUp(database.pool, paced)
        const seconds = (performance.now() - startedAt) / 1000
        await watcher.stop()
        await check(database.pool, paced)
        return seconds
      } finally {
        await watcher.stop()
      }
    })
  } finally {
    await leasePool.end()
    await paced.close()
  }
}

/** What to print of it. */
export function callsLine({ blocks, perBlock, perBlockByNode, perDay }: HeadCalls): string {
  const byNode = perBlockByNode.map(one => one.toFixed(2)).join(' + ')
  return `${perBlock.toFixed(2)} calls a block (by node ${byNode}), ${perDay} a day; over ${blocks} blocks`
}

function publicNetwork(timesAsFast: number): Network {
  const { requestsPerSecond, restMs, pollMs, seenMs } = networks.nile.pacing
  const pacing = {
    requestsPerSecond: requestsPerSecond * timesAsFast,
    restMs: restMs / timesAsFast,
    pollMs: pollMs / timesAsFast,
    seenMs: seenMs / timesAsFast,
  }
  return { ...networks.sandbox, slotMs: slotMs / timesAsFast, pacing }
}

/** Gives the sandbox the facts of a public network: the watcher reads them there, and takes no others. */
async function withNetwork<T>(network: Network, work: () => Promise<T>): Promise<T> {
  const { sandbox } = networks
  networks.sandbox = network
  try {
    return await work()
  } finally {
    networks.sandbox = sandbox
  }
}

async function startPaced(
  pool: Pool,
  options: { slotMs: number; behindMs: number; paidEvery: number },
): Promise<PacedChain> {
  await seedMerchant(pool, anyShop)
  const { address } = await seedAddress(pool)
  return await startPacedChain({ ...options, to: address })
}

function watch(
  pool: Pool,
  leasePool: Pool,
  { urls }: Pick<PacedChain, 'urls'>,
  { seen, requestsPerSecond }: { seen: boolean; requestsPerSecond?: number },
): RunningWatcher {
  const watcher = startWatcher({
    ...{ pool, leasePool, network: 'sandbox', usdtContract: networks.sandbox.usdtContract!, nodes: urls },
    ...{ trongridApiKey: undefined, requestsPerSecond, startBlock: undefined, quorumAmount: null, seen },
    ...{ reconcile: null, log: createLog('warn', 'bench'), registry: createMetrics() },
  })
  watcher.failed.catch(error => {
    throw error
  })
  return watcher
}

/** Once in the life of a database, and not a part of what is measured. */
async function producersKnown(pool: Pool): Promise<void> {
  await waitUntil('the producers', async () => (await readProducers(pool)).size > 0, deadlineMs, 50)
}

async function caughtUp(pool: Pool, { chain }: PacedChain): Promise<void> {
  const isThere = async () => ((await readCursor(pool))?.height ?? 0) >= chain.head.height - solidWithin
  await waitUntil('the solidified head', isThere, deadlineMs, 50)
}

async function check(pool: Pool, { paid }: PacedChain): Promise<void> {
  const { startHeight, height } = (await readCursor(pool))!
  const { rows } = await pool.query(
    `select count(*) as recorded, count(*) filter (where p.proof = 'signed') as signed
       from transfer t left join transfer_proof p on p.transfer_id = t.id`,
  )
  const due = BigInt(paid.filter(at => at > startHeight && at <= height).length)
  assert.deepEqual(rows[0], { recorded: due, signed: due })
}
