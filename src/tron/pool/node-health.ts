import type { BlockRef } from '../block.ts'
import { type NodeError, withJitter } from '../node/node-error.ts'

/**
 * - `later`: it asked us to wait, and is not called until then.
 * - `failing`: it gave no usable answer several times in a row, and is tried again at growing intervals.
 * - `distrusted`: it answers, but something it said did not fit. It is asked only when no other can be.
 */
export type NodeState = 'ok' | 'later' | 'failing' | 'distrusted'

/** What is known of one node. Only the functions below change it. */
export interface NodeHealth {
  state: NodeState
  /** Why, in a sentence; empty in state `ok`. */
  why: string
  /** It is not called before this time; 0 while it may be called. */
  untilMs: number
  distrustedUntilMs: number
  /** It showed another chain: until then it is not asked, and then for its genesis first. 0 if it did not. */
  wrongChainUntilMs: number
  /** In a row, without a good answer between them. */
  failures: number
  laters: number
  lastError: NodeError | null
  /** Its newest solidified block. */
  solidHead: BlockRef | null
  /** When that head last rose. */
  progressAtMs: number
}

/** A single failure is retried elsewhere. After this many in a row the node rests. */
const failuresMax = 2
const failingMs = { first: 500, last: 30_000 }
/** For a node that asks us to wait without saying how long. */
const laterMs = { first: 1_000, last: 30_000 }
const distrustMs = 600_000
/** Not permanent: a load balancer may have sent one call to a node of another chain. */
const wrongChainMs = 60_000
/** Behind a load balancer heights step back by a block or two. A larger step means lost blocks. */
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
  // This call may have begun before the node asked us to wait, so its success does not end the wait.
  if (nowMs < health.untilMs) return
  health.untilMs = 0
  if (isOnOtherChain(health, nowMs)) return
  health.state = isTrusted(health, nowMs) ? 'ok' : 'distrusted'
  if (health.state === 'ok') health.why = ''
}

/** Records a failure. @param startedAtMs of the call: calls that were in flight together count as one failure. */
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
  // A timeout counts double: to wait out the deadline a second time would take too long.
  health.failures = error.timedOut ? Math.max(health.failures + 1, failuresMax) : health.failures + 1
  if (health.failures < failuresMax) return
  rest(
    health,
    'failing',
    error.message,
    nowMs + withJitter(backOff(failingMs, health.failures - failuresMax)),
  )
}

/** Lets a node rest until the day ends: it may not be asked more often today. */
export function noteQuotaUsed(health: NodeHealth, perDay: number, dayEndsMs: number): void {
  rest(health, 'later', `its quota of ${perDay} requests a day is used up`, dayEndsMs)
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

/** Records a node's solidified head. @returns by how many blocks it stepped back, 0 when it did not. */
export function noteSolidHead(health: NodeHealth, head: BlockRef, nowMs: number): number {
  const back = (health.solidHead?.height ?? head.height) - head.height
  if (!health.solidHead || back < 0) health.progressAtMs = nowMs
  health.solidHead = head
  return Math.max(0, back)
}

function rest(health: NodeHealth, state: NodeState, why: string, untilMs: number): void {
  // A shorter wait does not replace a longer one.
  if (untilMs < health.untilMs) return
  Object.assign(health, { state, why, untilMs })
}

function backOff({ first, last }: { first: number; last: number }, times: number): number {
  return Math.min(first * 2 ** Math.min(times, 16), last)
}
