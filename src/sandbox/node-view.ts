import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { type Clock, systemClock } from '../base/clock.ts'
import { listenProblem } from '../base/listen-problem.ts'
import type { SandboxChain } from './chain/sandbox-chain.ts'
import { SandboxRefusal } from './chain/sandbox-refusal.ts'
import { controlRoutes } from './control/control-routes.ts'
import type { StartAnother } from './control/fault-routes.ts'
import type { Fault } from './faults/fault-schemas.ts'
import { NodeFaults } from './faults/node-faults.ts'
import { gridRoutes } from './node/grid-endpoint.ts'
import { openGrpcDoor } from './node/grpc-door.ts'
import { KeptAnswers } from './node/kept-answers.ts'
import { CallCounts, type NodeParts } from './node/node-door.ts'
import { nodeRoutes } from './node/node-routes.ts'

export interface NodeViewOptions {
  /** Default 127.0.0.1: the control API has no authentication. */
  host?: string | undefined
  /** Default 0: any free port. */
  port?: number | undefined
  /** For gRPC. Default 0: any free port. */
  grpcPort?: number | undefined
  /** Faults set at the start. */
  faults?: readonly Fault[] | undefined
  /** Seed that decides which calls a fault with a probability strikes. Default 1. */
  faultSeed?: number | undefined
  /** For its rate limit. */
  clock?: Clock | undefined
  /** Whether it has the control API. Default true. A test that controls the node in its own process starts faster without. */
  control?: boolean | undefined
  /** Answers to give again. Default: its own. Nodes over one chain may share them. */
  kept?: KeptAnswers | undefined
  /** Reported by GET state: how often blocks are mined automatically; null when they are not. */
  blockIntervalMs?: number | null | undefined
}

/** A node over a chain that may be shared, with its own faults. */
export interface NodeView {
  /** Base of /wallet, /walletsolidity, /jsonrpc, TronGrid's /v1, and the control API under /sandbox. */
  url: string
  /** Base of protocol.Wallet and protocol.WalletSolidity: `grpc://host:port`. */
  grpcUrl: string
  chain: SandboxChain
  faults: NodeFaults
  counts: CallCounts
  close(): Promise<void>
}

/** More than any gateway is configured with. */
const othersMax = 8
/** Enough for a few thousand transactions given by their facts. */
const bodyMaxBytes = 16 * 1024 * 1024

/**
 * Starts a node over a chain that it may share with others. The control API of each node acts on the shared chain, and on
 * the faults of that node only.
 * @throws SandboxRefusal when a fault cannot be set.
 */
export async function startNodeView(chain: SandboxChain, options: NodeViewOptions = {}): Promise<NodeView> {
  const clock = options.clock ?? systemClock
  const faults = new NodeFaults({ chain, clock, seed: options.faultSeed ?? 1 })
  for (const fault of options.faults ?? []) faults.set(fault)
  const counts = new CallCounts()
  const app = fastify({
    bodyLimit: bodyMaxBytes,
    forceCloseConnections: true,
    // Strict: text is not taken for a number, and an unknown field is an error. Verbose, so that an error carries its schema
    // and `control-routes` can quote the description. The discriminator picks the schema of a fault by its kind.
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, verbose: true, discriminator: true },
    },
  })
  const kept = options.kept ?? new KeptAnswers()
  const parts: NodeParts = { chain, faults, counts, kept }
  await app.register(nodeRoutes, parts)
  await app.register(gridRoutes, parts)
  const { control = true, blockIntervalMs = null } = options
  const others: NodeView[] = []
  const startAnother: StartAnother = async asked => {
    if (others.length >= othersMax)
      throw new SandboxRefusal(`at most ${othersMax} nodes can be started beside this one`)
    const other = await startNodeView(chain, { host: options.host, clock, blockIntervalMs, kept, ...asked })
    others.push(other)
    return { url: other.url, grpcUrl: other.grpcUrl }
  }
  if (control) await app.register(controlRoutes, { ...parts, blockIntervalMs, startAnother })
  const wanted = { host: options.host ?? '127.0.0.1', port: options.port ?? 0 }
  await app.listen(wanted).catch(async error => {
    await app.close()
    throw listenProblem(error, { ...wanted, settings: { host: '--host', port: '--port' } })
  })
  const { address, family, port } = app.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  const forGrpc = { host: address, port: options.grpcPort ?? 0 }
  const grpc = await openGrpcDoor(parts, forGrpc).catch(async error => {
    await app.close()
    throw listenProblem(error, { ...forGrpc, settings: { host: '--host', port: '--grpc-port' } })
  })
  const close = async () => {
    for (const other of others) await other.close()
    await Promise.all([app.close(), grpc.close()])
  }
  return { url, grpcUrl: grpc.grpcUrl, chain, faults, counts, close }
}
