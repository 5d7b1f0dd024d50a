import type { BlockRef } from '../block.ts'
import type { NodeError } from '../node/node-error.ts'

/**
 * - `later`: it asked us to wait, and is not called until then.
 * - `failing`: it gave no usable answer several times running, and is tried again from time to time.
 * - `distrusted`: it answers, but something it said did not fit; asked only when no other can be.
 */
export type NodeState = 'ok' | 'later' | 'failing' | 'distrusted'

/** What is known of one node. Changed by the functions below alone. */
export interface NodeHealth {
  state: NodeState
  /** Why, in a sentence; empty while all is well. */
  why: string
  /** Not called before; 0 while it may be. */
  untilMs: number
  distrustedUntilMs: number
  /** It showed another chain: until then asked for nothing, and then for its genesis before anything else. 0 while it did not. */
  wrongChainUntilMs: number
  /** Without a good answer between them. */
  failures: number
  laters: number
  lastError: NodeError | null
  /** The newest solidified block it showed. */
  solidHead: BlockRef | null
  /** When that head was last a higher one than before. */
  progressAtMs: number
}

/** A single failure is retried elsewhere; this many running, and the node rests. */
const failuresMax = 2
const failingMs = { first: 500, last: 30_000 }
/** Where a node says "wait" and not how long. */
const laterMs = { first: 1_000, last: 30_000 }
const distrustMs = 600_000
/** One wrong answer, of a balancer say, must not cost a node for good. */
const wrongChainMs = 60_000
/** Behind a balancer heights step back by a block or two; further back, somebody has lost blocks. */
export const stepBackMax = 3

export function newHealth(nowMs: number): NodeHealth {
  return {
    state: 'ok',
    why: '',
    untilMs: 0,
    distrustedUntilMs: 0,
    wrongChainUntilMs: 0,
    failures: 0,
    laters: 0,
    lastError: null,
    solidHead: null,
    progressAtMs: nowMs,
  }
}

export function isOnOtherChain(health: NodeHealth, nowMs: number): boolean {
  return nowMs < health.wrongChainUntilMs
}

export function isUsable(health: NodeHealth, nowMs: number): boolean {
  return !isOnOtherChain(health, nowMs) && nowMs >= health.untilMs
}

export function isTrusted(health: NodeHealth, nowMs: number): boolean {
  return !isOnOtherChain(health, nowMs) && nowMs >= health.distrustedUntilMs
}

export function noteSuccess(health: NodeHealth, nowMs: number): void {
  health.failures = 0
  health.laters = 0
  // An answer to what was asked before the node told us to wait is not its leave to go on.
  if (nowMs < health.untilMs) return
  health.untilMs = 0
  if (isOnOtherChain(health, nowMs)) return
  health.state = isTrusted(health, nowMs) ? 'ok' : 'distrusted'
  if (health.state === 'ok') health.why = ''
}

/** @param startedAtMs of the call: many that were out together are one failure. */
export function noteFailure(
  health: NodeHealth,
  error: NodeError,
  { startedAtMs, nowMs }: { startedAtMs: number; nowMs: number },
): void {
  health.lastError = error
  if (error.kind === 'later') {
    const waitMs = error.retryAfterMs ?? backOff(laterMs, health.laters)
    if (nowMs >= health.untilMs) health.laters++
    rest(health, 'later', error.message, nowMs + withJitter(waitMs))
    return
  }
  if (startedAtMs < health.untilMs) return
  // Waiting out the deadline time and again would cost more than the others can make up for.
  health.failures = error.timedOut ? Math.max(health.failures + 1, failuresMax) : health.failures + 1
  if (health.failures < failuresMax) return
  rest(
    health,
    'failing',
    error.message,
    nowMs + withJitter(backOff(failingMs, health.failures - failuresMax)),
  )
}

export function noteDistrust(health: NodeHealth, why: string, nowMs: number): void {
  health.distrustedUntilMs = nowMs + distrustMs
  if (nowMs < health.untilMs) return
  health.state = 'distrusted'
  health.why = why
}

export function noteWrongChain(health: NodeHealth, why: string, nowMs: number): void {
  Object.assign(health, { wrongChainUntilMs: nowMs + wrongChainMs, state: 'distrusted', why })
}

/** @returns by how many blocks the node stepped back, 0 when it did not. */
export function noteSolidHead(health: NodeHealth, head: BlockRef, nowMs: number): number {
  const back = (health.solidHead?.height ?? head.height) - head.height
  if (!health.solidHead || back < 0) health.progressAtMs = nowMs
  health.solidHead = head
  return Math.max(0, back)
}

/** Longer than said, never shorter: many who were sent away together must not come back together. */
export function withJitter(ms: number): number {
  return Math.ceil(ms * (1 + Math.random() / 5))
}

function rest(health: NodeHealth, state: NodeState, why: string, untilMs: number): void {
  // A shorter wait does not cut a longer one short.
  if (untilMs < health.untilMs) return
  Object.assign(health, { state, why, untilMs })
}

function backOff({ first, last }: { first: number; last: number }, times: number): number {
  return Math.min(first * 2 ** Math.min(times, 16), last)
}
