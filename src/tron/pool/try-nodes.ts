import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../../base/errors.ts'
import { NodeError, withJitter } from '../node/node-error.ts'
import { isOnOtherChain, isUsable } from './node-health.ts'
import type { PooledNode } from './pooled-node.ts'

/** How often one question is asked in total, if there are fewer nodes than that. */
const attemptsMin = 3
/** No attempt begins later than this after the first failure. */
const retryForMs = 10_000
/** The longest rest that is waited out when no other node can be asked. */
const restMaxMs = 1_500
const pauseMs = 100

/**
 * Asks the best node and, if it fails, the next. A node is asked again only when there is no other, after a pause.
 * @param options.all the nodes that may be asked at all.
 * @param options.ranked the nodes of `all` that may be asked now, the best first.
 * @returns the answer, and the node that gave it.
 * @throws NodeError the last failure; `later` when all nodes ask to wait. UsageError when all serve another chain.
 */
export async function tryNodes<T>(options: {
  all: readonly PooledNode[]
  ranked: () => PooledNode[]
  call: (node: PooledNode) => Promise<T>
  now: () => number
  signal: AbortSignal
}): Promise<{ value: T; node: PooledNode }> {
  const { all, ranked, call, now, signal } = options
  const tried = new Set<PooledNode>()
  let failure: NodeError | null = null
  let refusal: NodeError | null = null
  let failedAtMs: number | null = null
  for (let attempt = 0; attempt < Math.max(attemptsMin, all.length); attempt++) {
    if (failedAtMs !== null && now() - failedAtMs > retryForMs) break
    const node = ranked().find(one => !tried.has(one)) ?? (await waitForRest(all, attempt, now, signal))
    if (signal.aborted) break
    if (!node) break
    tried.add(node)
    try {
      return { value: await call(node), node }
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      if (error.kind === 'failed') failure = error
      else refusal = error
      failedAtMs ??= now()
    }
  }
  if (signal.aborted) throw new NodeError('failed', 'the nodes were closed', { cause: failure })
  throw failureOf(all, failure ?? refusal, now())
}

/** Waits for the node whose rest ends first, if that is soon and not a suspension. @returns null when there is none. */
async function waitForRest(
  all: readonly PooledNode[],
  attempt: number,
  now: () => number,
  signal: AbortSignal,
): Promise<PooledNode | null> {
  const [soonest] = all
    .filter(
      ({ health }) => !isOnOtherChain(health, now()) && (health.state !== 'later' || isUsable(health, now())),
    )
    .sort((a, b) => a.health.untilMs - b.health.untilMs)
  if (!soonest) return null
  const waitMs = Math.max(soonest.health.untilMs - now(), withJitter(pauseMs * 2 ** attempt))
  if (waitMs > restMaxMs) return null
  await sleep(waitMs, undefined, { signal }).catch(() => undefined) // Aborted: the caller checks the signal.
  return isUsable(soonest.health, now()) ? soonest : null
}

function failureOf(all: readonly PooledNode[], failure: NodeError | null, nowMs: number): Error {
  const ours = all.filter(({ health }) => !isOnOtherChain(health, nowMs))
  if (all.length === 0) return new NodeError('failed', 'there is no other node to ask')
  if (ours.length === 0)
    return new UsageError(all.map(({ name, health }) => `TRON_NODES: ${name}: ${health.why}`))
  const resting = ours.filter(({ health }) => !isUsable(health, nowMs))
  const retryAfterMs =
    resting.length === ours.length ? Math.min(...ours.map(({ health }) => health.untilMs - nowMs)) : undefined
  if (resting.length === ours.length && ours.every(({ health }) => health.state === 'later')) {
    const why = ours.map(({ health }) => health.why).join('; ')
    return new NodeError('later', `every node asks to wait: ${why}`, { retryAfterMs })
  }
  const cause = failure ?? ours.map(({ health }) => health.lastError).find(error => error !== null)
  // Said once: the message is the failure's own.
  return new NodeError('failed', cause?.message ?? 'no node can be asked now', {
    retryAfterMs,
    // Tells that no node offers it. A limit is no such answer.
    status: cause?.kind === 'failed' ? cause.status : undefined,
    timedOut: failure?.timedOut ?? false,
    unfit: failure?.unfit,
    cause: cause?.cause,
  })
}
