import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import { blocksTogether } from '../../src/blocks/calls-a-day.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { createCountedSource } from '../../src/blocks/counted-source.ts'
import { followChain } from '../../src/blocks/follow-chain.ts'
import { createKnownProducers } from '../../src/blocks/known-producers.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { proofRules } from '../../src/credits/proof-policy.ts'
import type { Pool } from '../../src/db/pool.ts'
import { networks } from '../../src/tron/network.ts'
import { createNodePool, type NodePool } from '../../src/tron/pool/node-pool.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'
import { seedNumberedAddresses, seedNumberedOrders } from '../support/seed-numbered.ts'
import { startChild } from './child-process.ts'
import { oursPerBlock, paidAddresses } from './memory-chain.ts'
import { cpuMicros, serverPid } from './process-cpu.ts'

const { pacing, slotMs, usdtContract: sandboxToken } = networks.sandbox
const usdtContract = sandboxToken!
const log = createLog('warn', 'bench')

export type Transport = 'HTTP' | 'gRPC'

/**
 * What following came to: blocks of 200 USDT transfers, of which two are ours, from a node that answers from memory. Every
 * block is verified, and counted solid.
 */
export interface FollowResult {
  transport: Transport
  addresses: number
  blocks: number
  blocksPerSecond: number
  callsPerBlock: number
  /** User and system time for each block: of the watcher's process, of the node's, and of Postgres (NaN without /proc). */
  watcherCpuMs: number
  nodeCpuMs: number
  postgresCpuMs: number
  /** Resident memory of the watcher's process at the end, in MiB. */
  residentMiB: number
}

/**
 * Follows a number of blocks with a number of assigned addresses, as the watcher does, then checks that every transfer to them
 * is credited, on its sender's signature, and nothing else.
 */
export async function benchFollowing(
  pool: Pool,
  options: { transport: Transport; addresses: number; blocks: number },
): Promise<FollowResult> {
  const { transport, addresses, blocks } = options
  await seed(pool, addresses, blocks)
  const node = await startChild('memory-node.ts', [`${blocks}`])
  const { url, grpcUrl, first } = node.ready
  const nodeUrl = transport === 'HTTP' ? url : grpcUrl
  const producers = createKnownProducers({ pool, nodes: () => nodes, isPublic: slotMs !== null, log })
  const nodes: NodePool = createNodePool({
    nodes: [{ headUrl: nodeUrl, solidUrl: nodeUrl }],
    usdtContract,
    requestsPerSecond: pacing.requestsPerSecond,
    verifyHeader: producers.verifyHeader,
    log,
  })
  try {
    const pin = { network: 'sandbox', genesisId: await nodes.genesisId(), usdtContract }
    await createCursor(pool, pin, { ...first, time: new Date(0) })
    // Once in the life of a database, and not a part of following.
    assert(await producers.ask(), 'the node does not name its producers')
    const postgres = await serverPid(pool)
    const figures = async () => ({ ...(await nodeFigures(url)), postgresMs: cpuMicros(postgres) / 1000 })
    const before = await figures()
    const cpuBefore = process.cpuUsage()
    const startedAt = performance.now()
    await follow({ pool, nodes, producers, pin, last: first.height + blocks })
    const seconds = (performance.now() - startedAt) / 1000
    const residentMiB = Math.round(process.memoryUsage().rss / 1024 / 1024)
    const cpu = process.cpuUsage(cpuBefore)
    const after = await figures()
    await check(pool, blocks)
    return {
      transport,
      addresses,
      blocks,
      blocksPerSecond: blocks / seconds,
      callsPerBlock: (after.calls - before.calls) / blocks,
      watcherCpuMs: (cpu.user + cpu.system) / 1000 / blocks,
      nodeCpuMs: (after.cpuMs - before.cpuMs) / blocks,
      postgresCpuMs: (after.postgresMs - before.postgresMs) / blocks,
      residentMiB,
    }
  } finally {
    await nodes.close()
    node.stop()
  }
}

/** Follows and credits up to a height, on the way that src/watcher.ts takes. */
async function follow(options: {
  pool: Pool
  nodes: NodePool
  producers: ReturnType<typeof createKnownProducers>
  pin: { network: string; genesisId: string; usdtContract: typeof usdtContract }
  last: number
}): Promise<void> {
  const { pool, nodes, producers, pin, last } = options
  const stop = new AbortController()
  const counted = createCountedSource({
    ...{ nodes, producers, slotMs, pollMs: pacing.pollMs, clock: systemClock, log },
    patience: networks.mainnet.parking,
    together: () => blocksTogether,
    onUnlinked: error => assert.equal(error, null),
    onUncounted: isUncounted => assert(!isUncounted),
  })
  const rules = { ...pin, graceMs: 0, quorumAmount: null, proof: proofRules(nodes, null) }
  await Promise.all([
    counted.run(stop.signal),
    followChain({
      nodes: counted,
      pacing,
      log,
      signal: stop.signal,
      readCursor: async () => (await readCursor(pool))!,
      commit: async (from, batch) => {
        const done = await creditBlocks(pool, rules, from, batch)
        if (batch.at(-1)!.height >= last) stop.abort()
        return done !== null
      },
    }),
  ])
}

/** What to print of it. */
export function followLine(result: FollowResult): string {
  const { transport, addresses, blocksPerSecond, callsPerBlock, residentMiB } = result
  return (
    `${transport}, verified, ${addresses} addresses: ${blocksPerSecond.toFixed(0)} blocks/s of 200 USDT transfers, ` +
    `${callsPerBlock.toFixed(2)} calls a block, ${residentMiB} MiB resident; CPU ms a block: ` +
    `watcher ${result.watcherCpuMs.toFixed(2)}, node ${result.nodeCpuMs.toFixed(2)}, ` +
    `Postgres ${result.postgresCpuMs.toFixed(2)}`
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
  // Of a table that is known to be empty Postgres would scan all, for each row that refers to it, until it is analyzed again.
  await pool.query('vacuum analyze deposit_address, recharge_order')
  await pool.query('checkpoint')
}

async function check(pool: Pool, blocks: number): Promise<void> {
  const { rows } = await pool.query(
    `select (select count(*) from credit) as credits, (select sum(amount) from credit)::bigint as amount,
            (select sum(received) from recharge_order)::bigint as received, (select count(*) from callback) as callbacks,
            (select count(*) from transfer_proof where proof = 'signed') as signed,
            (select count(*) from unverified_block) as unverified,
            (select count(*) from chain_block) as blocks`,
  )
  const credits = BigInt(blocks * oursPerBlock)
  assert.deepEqual(rows[0], {
    credits,
    amount: credits * 1_000_000n,
    received: credits * 1_000_000n,
    callbacks: credits,
    signed: credits,
    unverified: 0n,
    blocks: BigInt(blocks),
  })
}
