import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { AnswerStream, Effect, Question, Refusal, Surface } from '../faults/fault-effect.ts'
import type { NodeFaults } from '../faults/node-faults.ts'
import { type ChainView, viewChain } from './chain-view.ts'
import type { KeptAnswers } from './kept-answers.ts'

/** A node: a chain that it may share, and its own faults and counts. */
export interface NodeParts {
  chain: SandboxChain
  faults: NodeFaults
  counts: CallCounts
  kept: KeptAnswers
}

export type Parameters = Record<string, unknown>

export interface Call {
  parameters: Parameters
  view: ChainView
  effects: readonly Effect[]
  chain: SandboxChain
  kept: KeptAnswers
  request: FastifyRequest
}

export interface Endpoint {
  method: ('GET' | 'POST')[]
  url: string
  surface: Surface
  /** Returns the height that the call asks for, if it names one. */
  heightOf?: (parameters: Parameters) => number | undefined
  /** Returns the last height that the call asks for, where it asks for several. */
  lastOf?: (parameters: Parameters) => number
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
  node: NodeParts,
  endpoint: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const path = request.url.split('?')[0]!
  node.counts.count(path)
  const parameters = ((request.method === 'GET' ? request.query : request.body) ?? {}) as Parameters
  const { surface, nothing } = endpoint
  const question = {
    path,
    surface,
    height: endpoint.heightOf?.(parameters),
    last: endpoint.lastOf?.(parameters),
  }
  const outcome = throughFaults(node, question, nothing, seen =>
    endpoint.answer({ ...seen, parameters, request }),
  )
  if ('refusal' in outcome) {
    const { status, type, headers = {}, body } = outcome.refusal
    return reply.code(status).type(type).headers(headers).send(body)
  }
  const written = node.kept.written(outcome.value) ?? Buffer.from(JSON.stringify(outcome.value))
  if (!outcome.deliver) return reply.type('application/json').send(written)
  reply.hijack()
  outcome.deliver(responseStream(reply.raw), written)
  return reply
}

/** Answers a call as the node's faults have it: with a refusal, or with a value and the fault that writes it, if one does. */
export function throughFaults(
  { chain, faults, counts, kept }: NodeParts,
  question: Question,
  nothing: unknown,
  answer: (seen: Pick<Call, 'chain' | 'view' | 'effects' | 'kept'>) => unknown,
): { refusal: Refusal } | { value: unknown; deliver: Effect['deliver'] } {
  const effects = faults.strike(question)
  for (const effect of effects) {
    const refusal = effect.refusal?.(question)
    if (!refusal) continue
    counts.refused++
    return { refusal }
  }
  let value = answer({ chain, view: viewChain(chain, effects, question.surface), effects, kept })
  for (const effect of effects) {
    if (effect.answer) value = effect.answer(value, { question, nothing })
  }
  return { value, deliver: effects.find(effect => effect.deliver)?.deliver }
}

function responseStream(response: ServerResponse): AnswerStream {
  return {
    begin: () => response.writeHead(200, { 'content-type': 'application/json' }),
    write: part => response.write(part),
    end: () => response.end(),
    onDrain: call => response.on('drain', call),
    onClose: call => response.once('close', call),
    reset: () => response.socket?.resetAndDestroy(),
    // Blanks.
    padding: () => ({ head: Buffer.alloc(0), fill: 0x20 }),
  }
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
