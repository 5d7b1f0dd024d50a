import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { createLog } from '../../src/base/log.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { followChain } from '../../src/blocks/follow-chain.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { Pool } from '../../src/db/pool.ts'
import { networks } from '../../src/tron/network.ts'
import { createTronNode } from '../../src/tron/node/node-client.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'
import { seedNumberedAddresses, seedNumberedOrders } from '../support/seed-numbered.ts'

const oursPerBlock = 2
/** Assigned addresses that are paid, each with an open order; the rest are only watched. */
const paidAddresses = 1000
const usdtContract = networks.sandbox.usdtContract!

/** What following came to: blocks of 200 USDT transfers, of which two are ours, from a node that answers from memory. */
export interface FollowResult {
  addresses: number
  blocks: number
  blocksPerSecond: number
  callsPerBlock: number
  /** User and system time for each block, of the watcher's process and of the node's. */
  watcherCpuMs: number
  nodeCpuMs: number
  /** Resident memory of the watcher's process at the end, in MiB. */
  residentMiB: number
}

/**
 * Follows a number of blocks with a number of assigned addresses, then checks that every transfer to them is credited
 * and nothing else.
 */
export async function benchFollowing(pool: Pool, addresses: number, blocks: number): Promise<FollowResult> {
  await seed(pool, addresses, blocks)
  const nodeProcess = fork(join(import.meta.dirname, 'memory-node.ts'), [
    `${oursPerBlock}`,
    `${paidAddresses}`,
    `${blocks}`,
  ])
  const { port, first } = await new Promise<{ port: number; first: { height: number; hash: string } }>(
    resolve => nodeProcess.once('message', resolve as never),
  )
  const url = `http://127.0.0.1:${port}`
  const client = createTronNode({ headUrl: url, solidUrl: url, usdtContract })
  try {
    const genesisId = await client.genesisId()
    const pin = { network: 'sandbox', genesisId, usdtContract }
    await createCursor(pool, pin, { ...first, time: new Date(0) })
    const stop = new AbortController()
    const nodeBefore = await nodeFigures(url)
    const cpuBefore = process.cpuUsage()
    const startedAt = performance.now()
    await followChain({
      nodes: { ...client, distrust: () => undefined },
      pacing: { restMs: 0, pollMs: 10 },
      log: createLog('warn', 'bench'),
      signal: stop.signal,
      readCursor: async () => (await readCursor(pool))!,
      commit: async (from, batch) => {
        const done = await creditBlocks(pool, { ...pin, graceMs: 0, quorumAmount: null }, from, batch)
        if (batch.at(-1)!.height >= first.height + blocks) stop.abort()
        return done !== null
      },
    })
    const seconds = (performance.now() - startedAt) / 1000
    const residentMiB = Math.round(process.memoryUsage().rss / 1024 / 1024)
    const cpu = process.cpuUsage(cpuBefore)
    const node = await nodeFigures(url)
    await check(pool, blocks)
    return {
      addresses,
      blocks,
      blocksPerSecond: blocks / seconds,
      callsPerBlock: (node.calls - nodeBefore.calls) / blocks,
      watcherCpuMs: (cpu.user + cpu.system) / 1000 / blocks,
      nodeCpuMs: (node.cpuMs - nodeBefore.cpuMs) / blocks,
      residentMiB,
    }
  } finally {
    await client.close()
    nodeProcess.kill()
  }
}

/** What to print of it. */
export function followLine(result: FollowResult): string {
  return (
    `${result.addresses} addresses: ${result.blocksPerSecond.toFixed(0)} blocks/s of 200 USDT transfers, ` +
    `${result.callsPerBlock.toFixed(2)} calls a block, ${result.residentMiB} MiB resident; CPU ms a block: ` +
    `watcher ${result.watcherCpuMs.toFixed(2)}, node ${result.nodeCpuMs.toFixed(2)}`
  )
}

async function nodeFigures(url: string): Promise<{ calls: number; cpuMs: number }> {
  const response = await fetch(`${url}/bench/figures`, { method: 'POST', body: '{}' })
  return (await response.json()) as { calls: number; cpuMs: number }
}

async function seed(pool: Pool, addresses: number, blocks: number): Promise<void> {
  await seedMerchant(pool, anyShop)
  const chunk = 50_000
  for (let first = 0; first < addresses; first += chunk) {
    await seedNumberedAddresses(pool, { first, count: Math.min(chunk, addresses - first) })
  }
  const amount = BigInt(Math.ceil((blocks * oursPerBlock) / paidAddresses)) * 1_000_000n
  await seedNumberedOrders(pool, { first: 0, count: paidAddresses }, amount)
  await pool.query('vacuum analyze')
  await pool.query('checkpoint')
}

async function check(pool: Pool, blocks: number): Promise<void> {
  const { rows } = await pool.query(
    `select (select count(*) from credit) as credits, (select sum(amount) from credit)::bigint as amount,
            (select sum(received) from recharge_order)::bigint as received, (select count(*) from callback) as callbacks,
            (select count(*) from chain_block) as blocks`,
  )
  const credits = BigInt(blocks * oursPerBlock)
  assert.deepEqual(rows[0], {
    credits,
    amount: credits * 1_000_000n,
    received: credits * 1_000_000n,
    callbacks: credits,
    blocks: BigInt(blocks),
  })
}
