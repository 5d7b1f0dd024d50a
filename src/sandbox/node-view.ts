import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { type Clock, systemClock } from '../base/clock.ts'
import type { SandboxChain } from './chain/sandbox-chain.ts'
import { SandboxRefusal } from './chain/sandbox-refusal.ts'
import { controlRoutes } from './control/control-routes.ts'
import type { StartAnother } from './control/fault-routes.ts'
import type { Fault } from './faults/fault-schemas.ts'
import { NodeFaults } from './faults/node-faults.ts'
import { gridRoutes } from './node/grid-endpoint.ts'
import { CallCounts } from './node/node-door.ts'
import { nodeRoutes } from './node/node-routes.ts'

export interface NodeViewOptions {
  /** Default 127.0.0.1: its control API asks nobody who they are. */
  host?: string | undefined
  /** Default 0: any free one. */
  port?: number | undefined
  /** Faults it has from the start. */
  faults?: readonly Fault[] | undefined
  /** Decides which calls a fault with a probability strikes. Default 1. */
  faultSeed?: number | undefined
  /** What its rate limit counts by. */
  clock?: Clock | undefined
  /** Whether it has the control API. Default true; a test that controls it in its own process starts quicker without. */
  control?: boolean | undefined
  /** Told by its state: how often blocks come by themselves; null when they do not. */
  blockIntervalMs?: number | null | undefined
}

/** A node over a chain, with faults of its own. */
export interface NodeView {
  /** Everything is here: /wallet, /walletsolidity, /jsonrpc, TronGrid's /v1, and the control API under /sandbox. */
  url: string
  chain: SandboxChain
  faults: NodeFaults
  counts: CallCounts
  close(): Promise<void>
}

/** More than a gateway will ever be given. */
const othersMax = 8
/** Room for some thousand transactions given by their facts. */
const bodyMaxBytes = 16 * 1024 * 1024

/**
 * Starts a node over a chain that it may share with others: the control API of each acts on the same chain and on the
 * faults of that node alone.
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
    // What is said is what was meant: no text taken for a number, no unknown field passed over. Verbose, so that an error
    // brings the schema it is about; the discriminator tells which of the faults is meant.
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, verbose: true, discriminator: true },
    },
  })
  await app.register(nodeRoutes, { chain, faults, counts })
  await app.register(gridRoutes, { chain, faults, counts })
  const { control = true, blockIntervalMs = null } = options
  const others: NodeView[] = []
  const startAnother: StartAnother = async asked => {
    if (others.length >= othersMax) throw new SandboxRefusal(`at most ${othersMax} nodes beside this one`)
    const other = await startNodeView(chain, { host: options.host, clock, blockIntervalMs, ...asked })
    others.push(other)
    return other.url
  }
  if (control) await app.register(controlRoutes, { chain, faults, counts, blockIntervalMs, startAnother })
  await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
  const { address, family, port } = app.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  const close = async () => {
    for (const other of others) await other.close()
    await app.close()
  }
  return { url, chain, faults, counts, close }
}
