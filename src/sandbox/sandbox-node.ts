import type { Clock } from '../base/clock.ts'
import { UsageError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { blockIntervalDefaultMs, SandboxChain, type SandboxChainOptions } from './chain/sandbox-chain.ts'
import type { Fault } from './faults/fault-schemas.ts'
import { type NodeView, startNodeView } from './node-view.ts'

export interface SandboxNodeOptions extends SandboxChainOptions {
  /** Default 127.0.0.1: the control API has no authentication. */
  host?: string | undefined
  /** Default 0: any free port. */
  port?: number | undefined
  /** For gRPC. Default 0: any free port. */
  grpcPort?: number | undefined
  /** Milliseconds from block to block, at least 50. Default 3 s, as on TRON. */
  blockIntervalMs?: number | undefined
  /** Whether blocks are mined at each interval. Default true. If false, only `mine` makes them. */
  autoMine?: boolean | undefined
  faults?: readonly Fault[] | undefined
  faultSeed?: number | undefined
  clock?: Clock | undefined
  log?: Logger | undefined
}

/** A chain and its first node. `startNodeView(node.chain)` starts another beside it. */
export type SandboxNode = NodeView

export const blockIntervalMinMs = 50

/**
 * Starts a simulated TRON node: a new chain behind java-tron's HTTP API.
 * @throws UsageError when the interval is too short or the depth is not a whole number.
 */
export async function startSandboxNode(options: SandboxNodeOptions = {}): Promise<SandboxNode> {
  const { autoMine = true, blockIntervalMs = blockIntervalDefaultMs, log } = options
  checkOptions(blockIntervalMs, options)
  const chain = new SandboxChain({ ...options, blockIntervalMs })
  const node = await startNodeView(chain, { ...options, blockIntervalMs: autoMine ? blockIntervalMs : null })
  const timer = autoMine ? setInterval(() => mineOne(chain, log), blockIntervalMs) : undefined
  const { url, grpcUrl } = node
  log?.info({ url, grpcUrl, genesisId: chain.genesisId, height: chain.head.height }, 'sandbox.started')
  return {
    ...node,
    close: async () => {
      clearInterval(timer)
      await node.close()
    },
  }
}

function mineOne(chain: SandboxChain, log: Logger | undefined): void {
  for (const { height, id, transactions } of chain.mine()) {
    log?.debug({ height, id, transactions: transactions.length }, 'sandbox.mined')
  }
}

function checkOptions(blockIntervalMs: number, options: SandboxNodeOptions): void {
  const { solidificationDepth, producers } = options
  const problems: string[] = []
  if (!Number.isInteger(blockIntervalMs) || blockIntervalMs < blockIntervalMinMs) {
    problems.push(
      `the block interval must be whole milliseconds, at least ${blockIntervalMinMs}, got ${blockIntervalMs}`,
    )
  }
  if (
    solidificationDepth !== undefined &&
    !(Number.isInteger(solidificationDepth) && solidificationDepth >= 0)
  ) {
    problems.push(`the solidification depth must be a whole number of blocks, got ${solidificationDepth}`)
  }
  if (producers !== undefined && !(Number.isInteger(producers) && producers >= 2)) {
    problems.push(`the producers must be a whole number, at least 2, got ${producers}`)
  }
  if (problems.length > 0) throw new UsageError(problems)
}
