import type { NodeBlock, NodeTransactionInfo } from './node-answers.ts'
import type { Turn } from './token-bucket.ts'

/**
 * One view of a node, its head or the solidified chain, over HTTP or gRPC. Every answer is checked field by field. Whether
 * it answers the question is the caller's to check: the height that was asked for, infos that fit their block.
 */
export interface WalletView {
  /** Reads a block by its height, whole. @returns null while the node lacks it. */
  block(height: number, turn?: Turn): Promise<NodeBlock | null>
  /** Reads a block without its transactions. @throws NodeError `isNotOffered` at nodes that have no such call. */
  header(height: number): Promise<NodeBlock | null>
  /** Reads the newest block, whole. @returns null when the node has none. */
  newest(turn?: Turn): Promise<NodeBlock | null>
  /** Reads the newest block without its transactions. @throws NodeError `isNotOffered` at nodes that have no such call. */
  newestHeader(turn?: Turn): Promise<NodeBlock | null>
  /** Reads consecutive blocks, whole, in one call: fewer when it lacks the last. @throws NodeError `isNotOffered`. */
  blocks(from: number, count: number): Promise<NodeBlock[]>
  /**
   * Reads what became of a block's transactions. Ahead of other requests unless it is for display, so that a block begun is
   * finished first.
   */
  infos(height: number, turn?: Turn): Promise<NodeTransactionInfo[]>
  /** Reads what became of one transaction. @returns null when it is in no block of this view. */
  info(txid: string, turn?: Turn): Promise<NodeTransactionInfo | null>
}

/** Both views of one node. */
export interface WalletViews {
  head: WalletView
  solid: WalletView
  /** Reads the addresses of the producers that make blocks now: 42 hex digits. @throws NodeError `isNotOffered`. */
  producers(): Promise<string[]>
  /** Reads the addresses of the keys that may sign for a producer. */
  signersOf(producer: string): Promise<string[]>
  /** Whether it has a view that says what is solid. Known after `check`. */
  hasSolid(): boolean
  /** Asks what has to be known of the node before it is used. @throws NodeError `wrongSetting` if it can never serve. */
  check(): Promise<void>
  /** Closes the connections. Calls in flight fail. */
  close(): Promise<void>
}
