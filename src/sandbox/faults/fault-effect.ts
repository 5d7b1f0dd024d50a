import type { ServerResponse } from 'node:http'
import type { GridRow } from '../chain/grid-row.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'

export type Surface = 'head' | 'solid'

/** A call of a node, as far as faults look at it. */
export interface Question {
  path: string
  surface: Surface
  /** The block asked for; undefined when the call names none. */
  height: number | undefined
}

/** Not an answer: a status and a body in its place. */
export interface Refusal {
  status: number
  type: 'application/json' | 'text/html' | 'text/plain'
  body: string
  headers?: Record<string, string>
}

/** How far the node believes the chain to be. */
export interface Heights {
  head: number
  solid: number
}

/**
 * What a fault does to a call it strikes, where it does something. Each hook gets what the node would have said, faults
 * set before it included.
 */
export interface Effect {
  heights?(heights: Heights): Heights
  /** A block as this node has it; only blocks within the fault's heights are passed. */
  block?(block: SandboxBlock): SandboxBlock
  refusal?(question: Question): Refusal | null
  /** The block that is answered with when another is asked for. */
  heightAnswered?(height: number): number
  /** `nothing` is what the endpoint says when it has none. */
  answer?(answer: unknown, call: { question: Question; nothing: unknown }): unknown
  /** Writes the answer, or does not; it may be called after the node was closed. */
  deliver?(response: ServerResponse, text: string): void
  logs?(logs: readonly unknown[]): readonly unknown[]
  balance?(address: string, units: bigint): bigint
  rows?(rows: readonly GridRow[], headHeight: number): readonly GridRow[]
  /** `empty`: every other page is, with a fingerprint; `last`: none has a fingerprint. */
  page?: 'empty' | 'last'
}
