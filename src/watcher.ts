import { setTimeout as sleep } from 'node:timers/promises'
import type { NetworkName } from './base/config.ts'
import { UsageError } from './base/errors.ts'
import type { Logger } from './base/log.ts'
import { Counter, Gauge, type Registry } from './base/metrics.ts'
import { type ChainCursor, readCursor } from './blocks/chain-store.ts'
import { followChain } from './blocks/follow-chain.ts'
import { openChain } from './blocks/open-chain.ts'
import { type BlocksCredited, creditBlocks } from './credits/credit-blocks.ts'
import type { Pool } from './db/pool.ts'
import type { TronAddress } from './tron/address.ts'
import { networks } from './tron/network.ts'
import { createTronNode, type TronNode } from './tron/node-client.ts'

export interface WatcherOptions {
  pool: Pool
  network: NetworkName
  usdtContract: TronAddress
  nodes: readonly { headUrl: string; solidUrl: string }[]
  trongridApiKey: string | undefined
  /** First start only. */
  startBlock: number | undefined
  log: Logger
  registry: Registry
}

/** How soon a node is asked again while it cannot be reached at the start. */
const openRetryMs = 2_000
/** Public nodes count calls: rest for most of a block's 3 s. Nodes of one's own do not. */
const pace = { public: { restMs: 2_400, pollMs: 600 }, own: { restMs: 0, pollMs: 100 } }

/**
 * Opens the watcher: block -> transfer -> credit -> callback row. Resolves once it is running, before any node answers.
 * @returns `failed` rejects when it must not go on (another network's node or database); `stop` finishes the block in hand.
 */
export function startWatcher(options: WatcherOptions): { failed: Promise<never>; stop(): Promise<void> } {
  const stopping = new AbortController()
  const node = createTronNode({
    ...options.nodes[0]!,
    apiKey: options.trongridApiKey,
    usdtContract: options.usdtContract,
  })
  const running = watch(node, options, stopping.signal)
  return {
    failed: new Promise((_, reject) => running.catch(reject)),
    stop: async () => {
      stopping.abort()
      await running.catch(() => undefined) // Whoever waits for `failed` has heard of it.
      await node.close()
    },
  }
}

async function watch(node: TronNode, options: WatcherOptions, signal: AbortSignal): Promise<void> {
  const { pool, log, network } = options
  const { graceMs, genesisId } = networks[network]
  const chain = await openWhenReachable(node, options, signal)
  if (!chain) return
  const metrics = watcherMetrics(options.registry)
  metrics.height.set(chain.height)
  log.info({ network, height: chain.height, node: node.name }, 'watcher.following')
  await followChain({
    nodes: { ...node, distrust: () => undefined },
    pace: genesisId === null ? pace.own : pace.public,
    log,
    signal,
    readCursor: async () => {
      const cursor = await readCursor(pool)
      if (!cursor) throw new Error('chain_cursor is empty: it was there when the watcher started')
      return cursor
    },
    commit: async (from, blocks) => {
      const startedAt = performance.now()
      const done = await creditBlocks(pool, { ...chain, graceMs, quorumAmount: null }, from, blocks)
      const last = blocks.at(-1)!
      if (!done) {
        log.warn({ height: last.height }, 'blocks.lost_race')
        return false
      }
      metrics.count(last.height, last.time, done)
      const line = {
        height: last.height,
        blocks: blocks.length,
        ...done,
        durationMs: Math.round(performance.now() - startedAt),
      }
      if (done.transfers + done.credits + done.quarantined > 0) log.info(line, 'blocks.credited')
      else log.debug(line, 'blocks.credited')
      return true
    },
  })
}

/** A node or a database that cannot be reached at the start is waited for; one of another network ends the watcher. */
async function openWhenReachable(
  node: TronNode,
  options: WatcherOptions,
  signal: AbortSignal,
): Promise<ChainCursor | null> {
  const { pool, network, usdtContract, startBlock, log } = options
  while (!signal.aborted) {
    try {
      const chain = { network, genesisId: networks[network].genesisId, usdtContract }
      return await openChain({ pool, node, chain, startBlock, log })
    } catch (error) {
      if (error instanceof UsageError) throw error
      log.warn({ err: error, node: node.name, retryInMs: openRetryMs }, 'chain.unreachable')
      await sleep(openRetryMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    }
  }
  return null
}

function watcherMetrics(registry: Registry) {
  const registers = [registry]
  const height = new Gauge({
    name: 'gateway_cursor_height',
    help: 'Height of the last recorded block',
    registers,
  })
  const time = new Gauge({
    name: 'gateway_cursor_time_seconds',
    help: "The last recorded block's time",
    registers,
  })
  const counters = {
    transfers: new Counter({ name: 'gateway_transfers_total', help: 'Transfers recorded', registers }),
    credits: new Counter({ name: 'gateway_credits_total', help: 'Credits written', registers }),
    callbacks: new Counter({ name: 'gateway_callbacks_written_total', help: 'Callbacks owed', registers }),
    quarantined: new Counter({
      name: 'gateway_quarantined_total',
      help: 'Logs parked as undecodable',
      registers,
    }),
  }
  return {
    height,
    count(blockHeight: number, blockTime: Date, done: BlocksCredited) {
      height.set(blockHeight)
      time.set(blockTime.getTime() / 1000)
      for (const [name, counter] of Object.entries(counters)) counter.inc(done[name as keyof typeof counters])
    },
  }
}
