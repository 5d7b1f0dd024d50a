/**
 * A node gave no answer we can use. It says nothing about the block asked for: the same question, to this node or to
 * another, is asked again.
 * - `later`: the node is up and asks us to wait (a rate limit, a suspension, no resources now).
 * - `failed`: everything else: unreachable, late, unreadable, incomplete, contradicting itself.
 */
export class NodeError extends Error {
  readonly kind: 'later' | 'failed'
  /** How long the node said to wait, where it said so; of several nodes, until the first may be asked again. */
  readonly retryAfterMs: number | undefined
  /** The HTTP status of a refusal; undefined where the call itself failed, or an answer came that is no good. */
  readonly status: number | undefined
  /** Requests a second the node said it allows, where it said so; 0 where it only said there were too many. */
  readonly allowedPerSecond: number | undefined
  /** It did not answer in time. */
  readonly timedOut: boolean

  constructor(
    kind: NodeError['kind'],
    message: string,
    options: {
      retryAfterMs?: number | undefined
      status?: number | undefined
      allowedPerSecond?: number | undefined
      timedOut?: boolean
      cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'NodeError'
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs
    this.status = options.status
    this.allowedPerSecond = options.allowedPerSecond
    this.timedOut = options.timedOut ?? false
  }
}

/** Whether an endpoint that not every node has was refused as such, and not for a passing reason. */
export function isNotOffered(error: unknown): boolean {
  if (!(error instanceof NodeError) || error.kind === 'later') return false
  return error.status !== undefined && (error.status === 200 || (error.status >= 400 && error.status < 500))
}
