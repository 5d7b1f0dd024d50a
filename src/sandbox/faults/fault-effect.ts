import type { GridRow } from '../chain/grid-row.ts'
import type { Producer } from '../chain/producers.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'

export type Surface = 'head' | 'solid'

/** A call to a node: the part that decides whether a fault strikes it. */
export interface Question {
  path: string
  surface: Surface
  /** The block asked for; undefined when the call names none. */
  height: number | undefined
  /** The last block asked for, where it asks for several. */
  last?: number | undefined
}

/** A status and a body in place of an answer. */
export interface Refusal {
  status: number
  type: 'application/json' | 'text/html' | 'text/plain'
  body: string
  headers?: Record<string, string>
  /** Whether the node knows no such call: over gRPC a status of its own. */
  isUnknown?: boolean
  /** Whether the call failed in the node: over gRPC a status of its own. */
  isCrash?: boolean
}

/** Where an answer is written, over either transport. The node may be closed by then. */
export interface AnswerStream {
  /** Sends what stands before an answer of so many bytes. */
  begin(bytes: number): void
  /** @returns false when the connection takes no more for now. `onDrain` is called when it does. */
  write(part: Uint8Array): boolean
  end(): void
  onDrain(call: () => void): void
  onClose(call: () => void): void
  /** Resets the connection, for every call on it. */
  reset(): void
  /** What an answer may have in front that its readers pass over: `head`, then so many bytes of `fill`. */
  padding(bytes: number): { head: Buffer; fill: number }
}

/** The heights that the node shows. */
export interface Heights {
  head: number
  solid: number
}

/**
 * What a fault does to a call. Each hook is optional, and gets the node's value after the faults that were set earlier.
 */
export interface Effect {
  heights?(heights: Heights): Heights
  /** Changes a block as this node shows it; null for one it withholds. Called only for blocks within the fault's heights. */
  block?(block: SandboxBlock): SandboxBlock | null
  /** Makes up blocks on top of the newest block of the view that is asked. */
  onTop?(newest: SandboxBlock): readonly SandboxBlock[]
  /** Changes the newest block, where it is shown as such, and nowhere else. */
  newest?(newest: SandboxBlock): SandboxBlock
  /** Changes who is shown as elected, and with which keys. */
  elected?(elected: readonly Producer[]): readonly Producer[]
  refusal?(question: Question): Refusal | null
  /** Changes which block is answered with. */
  heightAnswered?(height: number): number
  /** Changes the answer. `nothing` is what the endpoint answers when it has none. */
  answer?(answer: unknown, call: { question: Question; nothing: unknown }): unknown
  /** Writes the answer, or does not. */
  deliver?(stream: AnswerStream, answer: Buffer): void
  logs?(logs: readonly unknown[]): readonly unknown[]
  balance?(address: string, units: bigint): bigint
  rows?(rows: readonly GridRow[], headHeight: number): readonly GridRow[]
  /** `empty`: every other page is empty and has a fingerprint. `last`: no page has a fingerprint. */
  page?: 'empty' | 'last'
}
