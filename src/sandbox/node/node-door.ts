import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { Effect, Surface } from '../faults/fault-effect.ts'
import type { NodeFaults } from '../faults/node-faults.ts'
import { type ChainView, viewChain } from './chain-view.ts'

/** A node: a chain that it may share, and its own faults and counts. */
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
  /** Returns the height that the call asks for, if it names one. */
  heightOf?: (parameters: Parameters) => number | undefined
  /** Returns the value to write as JSON. */
  answer: (call: Call) => unknown
  /** The answer when there is nothing. */
  nothing: unknown
}

/** Opens an endpoint whose calls the node's faults can strike. A GET takes its parameters from the query, a POST from the body. */
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

/** Counts the calls to a node, without those to its control API. */
export class CallCounts {
  calls = 0
  /** Calls that got a refusal instead of an answer. */
  refused = 0
  readonly byPath: Record<string, number> = {}

  count(path: string): void {
    this.calls++
    this.byPath[path] = (this.byPath[path] ?? 0) + 1
  }
}
