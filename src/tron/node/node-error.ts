import type { SolidBlock } from '../block.ts'
import type { SentHeader } from '../verify/sent-block.ts'

/**
 * A node gave no usable answer. That says nothing about the block asked for: the same question is asked again, of this
 * node or of another.
 * - `later`: the node is up and asks us to wait (a rate limit, a suspension, no resources now).
 * - `failed`: everything else: unreachable, too late, unreadable, incomplete, contradicting itself.
 */
export class NodeError extends Error {
  readonly kind: 'later' | 'failed'
  /** How long the node asked us to wait, if it said so. Of several nodes: until the first may be asked again. */
  readonly retryAfterMs: number | undefined
  /**
   * The HTTP status of a refusal, over gRPC the one that means the same; undefined when the call itself failed or its answer
   * was unusable.
   */
  readonly status: number | undefined
  /** Requests a second the node said it allows, if it said so; 0 when it only said there were too many. */
  readonly allowedPerSecond: number | undefined
  /** It did not answer in time. */
  readonly timedOut: boolean
  /** It can never serve us by the URLs that are set: an operator has to change TRON_NODES. */
  readonly wrongSetting: boolean
  /** It gave the block, and its infos did not come. */
  readonly lacksInfos: boolean
  /** What of the block could be read, when it came with infos that are not its own. Not to be taken while another node can be asked. */
  readonly unfit: (Omit<SolidBlock, 'node'> & { header: SentHeader | null }) | undefined

  constructor(
    kind: NodeError['kind'],
    message: string,
    options: {
      retryAfterMs?: number | undefined
      status?: number | undefined
      allowedPerSecond?: number | undefined
      timedOut?: boolean
      wrongSetting?: boolean
      lacksInfos?: boolean
      unfit?: NodeError['unfit']
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
    this.wrongSetting = options.wrongSetting ?? false
    this.lacksInfos = options.lacksInfos ?? false
    this.unfit = options.unfit
  }
}

/** Turns whatever a call failed with into a NodeError. @param where which node, and what it was asked. */
export function nodeErrorAt(where: string, cause: unknown, more: { lacksInfos?: boolean } = {}): NodeError {
  const message = `${where}: ${(cause as Error).message}`
  if (!(cause instanceof NodeError)) return new NodeError('failed', message, { cause })
  const { kind, retryAfterMs, status, allowedPerSecond, timedOut, wrongSetting, lacksInfos, unfit } = cause
  return new NodeError(kind, message, {
    retryAfterMs,
    status,
    allowedPerSecond,
    timedOut,
    wrongSetting,
    lacksInfos,
    unfit,
    ...more,
    // What it says is in the message. Its own cause may say more.
    cause: cause.cause,
  })
}

/** The status of a method, or a whole service, that a node does not have over gRPC. */
export const notImplemented = 501

/** Tells whether a node refused an optional endpoint because it does not offer it, and not for a passing reason. */
export function isNotOffered(error: unknown): boolean {
  if (!(error instanceof NodeError) || error.kind === 'later') return false
  const { status } = error
  return (
    status !== undefined && (status === 200 || status === notImplemented || (status >= 400 && status < 500))
  )
}

/** Lengthens a wait by up to a fifth and never shortens it, so that calls refused together do not return together. */
export function withJitter(ms: number): number {
  return Math.ceil(ms * (1 + Math.random() / 5))
}
