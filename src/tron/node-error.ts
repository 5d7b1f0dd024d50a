/**
 * A node gave no answer we can use. It says nothing about the block asked for: the same question, to this node or to
 * another, is asked again.
 * - `later`: the node is up and asks us to wait (a rate limit, a suspension, no resources now).
 * - `failed`: everything else: unreachable, late, unreadable, incomplete, contradicting itself.
 */
export class NodeError extends Error {
  readonly kind: 'later' | 'failed'
  /** How long the node said to wait, where it said so. */
  readonly retryAfterMs: number | undefined

  constructor(
    kind: NodeError['kind'],
    message: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'NodeError'
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs
  }
}
