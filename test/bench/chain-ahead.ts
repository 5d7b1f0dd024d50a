import { readFileSync, writeFileSync } from 'node:fs'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import type { Pool } from '../../src/db/pool.ts'
import { networks } from '../../src/tron/network.ts'
import { createTronNode } from '../../src/tron/node/node-client.ts'
import { seedNumberedAddresses, seedNumberedOrders } from '../support/seed-numbered.ts'
import { type BuiltGateway, startBuiltGateway } from './built-gateway.ts'
import { type BenchChild, startChild } from './child-process.ts'
import { paidAddresses } from './memory-chain.ts'
import { cpuMicros } from './process-cpu.ts'

/** A chain far ahead of the cursor: a node that answers from memory, every block 200 USDT transfers, two of them ours. */
export interface ChainAhead {
  pool: Pool
  url: string
  node: BenchChild
  nodeUrl: string
  firstHeight: number
}

/** What a catch-up came to. Microseconds of CPU, NaN where there is no /proc. */
export interface Progress {
  blocks: number
  /** The longest time in which the cursor did not move. */
  stoodMs: number
  watcherMicros: number
  nodeMicros: number
}

/** More than any measurement gets through. */
const blocksBehind = 100_000
const usdtContract = networks.sandbox.usdtContract!

/** Opens it on an empty database, with a cursor and nobody to pay yet. */
export async function openChainAhead({ pool, url }: { pool: Pool; url: string }): Promise<ChainAhead> {
  const node = await startChild('memory-node.ts', [`${blocksBehind}`])
  const nodeUrl = node.ready.url
  const client = createTronNode({ headUrl: nodeUrl, solidUrl: nodeUrl, usdtContract })
  const pin = { network: 'sandbox', genesisId: await client.genesisId(), usdtContract }
  await client.close()
  await createCursor(pool, pin, { ...node.ready.first, time: new Date(0) })
  return { pool, url, node, nodeUrl, firstHeight: node.ready.first.height }
}

/** The addresses that the node's blocks pay to, each with an order that stays open, for the one merchant there is. */
export async function placePaidOrders(pool: Pool): Promise<void> {
  const paid = { first: 0, count: paidAddresses }
  await seedNumberedAddresses(pool, paid)
  await seedNumberedOrders(pool, paid, 1_000_000_000_000n)
  await pool.query('vacuum analyze')
}

/**
 * Does some work beside a catch-up: starts a watcher, compiled and a service of its own as in production, waits until it
 * is well under way, and stops it when the work is done.
 * @param light gives it a thirty-second of the CPU weight that other services have.
 */
export async function besideCatchUp<T>(
  chain: ChainAhead,
  { light }: { light: boolean },
  work: () => Promise<T>,
): Promise<T & Progress> {
  const { pool, url, node, nodeUrl } = chain
  const { height } = (await readCursor(pool))!
  const env = { DATABASE_URL: url, TRON_NETWORK: 'sandbox', TRON_NODES: nodeUrl, SEEN: 'off' }
  const watcher = await startBuiltGateway('watcher', env, { ownSession: true })
  try {
    while ((await readCursor(pool))!.height < height + 200) await pause(50)
    if (light) lighten(watcher)
    const observer = observeCursor(pool)
    const [watcherBefore, nodeBefore] = [cpuMicros(watcher.pid), cpuMicros(node.pid)]
    const done = await work()
    const watcherMicros = cpuMicros(watcher.pid) - watcherBefore
    const nodeMicros = cpuMicros(node.pid) - nodeBefore
    return { ...done, ...(await observer.stop()), watcherMicros, nodeMicros }
  } finally {
    await watcher.stop()
  }
}

/** Whether this kernel weighs sessions against each other, as control groups do with services. See sched(7), autogroup. */
export function canLighten(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'utf8').trim() === '1'
  } catch {
    return false // Not Linux, or built without it.
  }
}

/** Nice 15 for the whole session weighs 36 where the others weigh 1024: `cpu_shares: 32`, as near as that goes. */
function lighten(watcher: BuiltGateway): void {
  writeFileSync(`/proc/${watcher.pid}/autogroup`, '15')
}

/** Looks at the cursor until it is stopped. */
function observeCursor(pool: Pool): { stop(): Promise<Pick<Progress, 'blocks' | 'stoodMs'>> } {
  let over = false
  const observed = (async () => {
    const first = (await readCursor(pool))!.height
    let [height, movedAt, stoodMs] = [first, performance.now(), 0]
    while (!over) {
      await pause(100)
      const now = (await readCursor(pool))!.height
      stoodMs = Math.max(stoodMs, performance.now() - movedAt)
      if (now > height) [height, movedAt] = [now, performance.now()]
    }
    return { blocks: height - first, stoodMs }
  })()
  return {
    stop: () => {
      over = true
      return observed
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
