import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { Effect, Surface } from '../faults/fault-effect.ts'
import type { NodeFaults } from '../faults/node-faults.ts'
import { type ChainView, viewChain } from './chain-view.ts'

/** A node: a chain it shares with others, and what is its own. */
export interface NodeParts {
  chain: SandboxChain
  faults: NodeFaults
  counts: CallCounts
}

export type Parameters = Record<string, unknown>

export interface Call {
  parameters: Parameters
  view: ChainView
  effects: readonly Effect[]
  chain: SandboxChain
  request: FastifyRequest
}

export interface Endpoint {
  method: ('GET' | 'POST')[]
  url: string
  surface: Surface
  /** The block asked for, where the call names one. */
  heightOf?: (parameters: Parameters) => number | undefined
  /** A value to be written as JSON. */
  answer: (call: Call) => unknown
  /** What it says when there is nothing. */
  nothing: unknown
}

/** Opens an endpoint through which the node's faults strike. A GET's parameters are its query's, a POST's its body's. */
export function openEndpoint(app: FastifyInstance, node: NodeParts, endpoint: Endpoint): void {
  app.route({
    method: endpoint.method,
    url: endpoint.url,
    handler: (request, reply) => answer(node, endpoint, request, reply),
  })
}

async function answer(
  { chain, faults, counts }: NodeParts,
  endpoint: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const path = request.url.split('?')[0]!
  counts.count(path)
  const parameters = ((request.method === 'GET' ? request.query : request.body) ?? {}) as Parameters
  const { surface, nothing } = endpoint
  const question = { path, surface, height: endpoint.heightOf?.(parameters) }
  const effects = faults.strike(question)
  for (const effect of effects) {
    const refusal = effect.refusal?.(question)
    if (!refusal) continue
    counts.refused++
    return reply
      .code(refusal.status)
      .type(refusal.type)
      .headers(refusal.headers ?? {})
      .send(refusal.body)
  }
  let value = endpoint.answer({ parameters, view: viewChain(chain, effects), effects, chain, request })
  for (const effect of effects) {
    if (effect.answer) value = effect.answer(value, { question, nothing })
  }
  const text = JSON.stringify(value)
  const deliver = effects.find(effect => effect.deliver)?.deliver
  if (!deliver) return reply.type('application/json').send(text)
  reply.hijack()
  deliver(reply.raw, text)
  return reply
}

/** How often a node was called, its control API apart. */
export class CallCounts {
  calls = 0
  /** Calls that got a refusal in place of an answer. */
  refused = 0
  readonly byPath: Record<string, number> = {}

  count(path: string): void {
    this.calls++
    this.byPath[path] = (this.byPath[path] ?? 0) + 1
  }
}
