import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import type { Clock } from '../base/clock.ts'
import { UsageError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { controlRoutes } from './control-routes.ts'
import { nodeRoutes } from './node-routes.ts'
import { blockIntervalDefaultMs, SandboxChain } from './sandbox-chain.ts'

export interface SandboxNodeOptions {
  /** Default 127.0.0.1: its control API asks nobody who they are. */
  host?: string | undefined
  /** Default 0: any free one. */
  port?: number | undefined
  /** Milliseconds from block to block, at least 50. Default 3 s, as TRON's. */
  blockIntervalMs?: number | undefined
  solidificationDepth?: number | undefined
  /** Whether blocks come by themselves. Default true; without, `mine` makes them. */
  autoMine?: boolean | undefined
  genesisSeed?: string | undefined
  clock?: Clock | undefined
  log?: Logger | undefined
}

export interface SandboxNode {
  /** Head and solidified view are both here: /wallet and /walletsolidity, and the control API under /sandbox. */
  url: string
  chain: SandboxChain
  close(): Promise<void>
}

export const blockIntervalMinMs = 50
/** Room for some thousand transactions given by their facts. */
const bodyMaxBytes = 16 * 1024 * 1024

/**
 * Starts a TRON node to play with: a chain of its own behind java-tron's HTTP API.
 * @throws UsageError when the interval is too short or the depth no whole number.
 */
export async function startSandboxNode(options: SandboxNodeOptions = {}): Promise<SandboxNode> {
  const { autoMine = true, blockIntervalMs = blockIntervalDefaultMs, log } = options
  checkOptions(blockIntervalMs, options.solidificationDepth)
  const chain = new SandboxChain({ ...options, blockIntervalMs })
  const app = fastify({
    bodyLimit: bodyMaxBytes,
    forceCloseConnections: true,
    // What is said is what was meant: no text taken for a number, no unknown field passed over. Verbose, so that an error
    // brings the schema it is about.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, verbose: true } },
  })
  await app.register(nodeRoutes, { chain })
  await app.register(controlRoutes, { chain, blockIntervalMs: autoMine ? blockIntervalMs : null })
  await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
  const { address, family, port } = app.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  const timer = autoMine ? setInterval(() => mineOne(chain, log), blockIntervalMs) : undefined
  log?.info({ url, genesisId: chain.genesisId, height: chain.head.height }, 'sandbox.started')
  return {
    url,
    chain,
    close: async () => {
      clearInterval(timer)
      await app.close()
    },
  }
}

function mineOne(chain: SandboxChain, log: Logger | undefined): void {
  for (const { height, id, transactions } of chain.mine()) {
    log?.debug({ height, id, transactions: transactions.length }, 'sandbox.mined')
  }
}

function checkOptions(blockIntervalMs: number, solidificationDepth: number | undefined): void {
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
  if (problems.length > 0) throw new UsageError(problems)
}
