import type { Logger } from '../../base/log.ts'
import type { BlockRef } from '../block.ts'
import type { DayQuota } from '../node/day-quota.ts'
import type { NodeError } from '../node/node-error.ts'
import type { CallOutcome } from '../node/node-http.ts'
import type { TokenBucket } from '../node/token-bucket.ts'
import {
  type NodeHealth,
  newHealth,
  noteDistrust,
  noteFailure,
  noteQuotaUsed,
  noteSolidHead,
  noteSuccess,
  noteWrongChain,
} from './node-health.ts'
import { type createNodeMetrics, stateNumbers } from './node-metrics.ts'

/** Records the outcomes of a node's calls: in its health, its metrics, its rate, and a log line per change of state. */
export interface NodeRecord {
  readonly health: NodeHealth
  readonly counts: { calls: number; refused: number; disagreements: number }
  countCall(outcome: CallOutcome): void
  succeeded(): void
  failed(error: NodeError, startedAtMs: number): void
  distrusted(why: string): void
  onWrongChain(why: string): void
  /** @returns by how many blocks the node's solidified head stepped back. */
  sawSolidHead(solidHead: BlockRef): number
}

/** How long a rate that the node named is kept to. */
const slowedMs = 600_000
/** When it only said that there were too many requests, the rate is halved for a minute, but not below `perSecondMin`. */
const halvedMs = 60_000
const perSecondMin = 0.5

export function createNodeRecord(options: {
  name: string
  bucket: TokenBucket
  quota?: DayQuota | undefined
  log: Logger
  metrics: ReturnType<typeof createNodeMetrics>
  now: () => number
}): NodeRecord {
  const { name, bucket, quota, log, metrics, now } = options
  const health = newHealth(now())
  const counts = { calls: 0, refused: 0, disagreements: 0 }
  metrics.state.set({ node: name }, stateNumbers[health.state])

  const changing = (change: () => void) => {
    const { state } = health
    change()
    metrics.state.set({ node: name }, stateNumbers[health.state])
    if (health.state === state) return
    const line = { node: name, state: health.state, why: health.why, untilMs: health.untilMs }
    if (health.state === 'ok') log.info(line, 'node.state')
    else log.warn(line, 'node.state')
  }
  const usedUp = (dayEndsMs: number) => {
    changing(() => noteQuotaUsed(health, quota?.perDay ?? 0, dayEndsMs))
    bucket.suspend(dayEndsMs)
  }
  return {
    health,
    counts,
    countCall(outcome) {
      counts.calls++
      if (outcome === 'later') counts.refused++
      metrics.calls.inc({ node: name, outcome })
      if (quota?.left === 0) usedUp(quota.dayEndsMs)
    },
    succeeded: () => changing(() => noteSuccess(health, now())),
    failed(error, startedAtMs) {
      // Others may have used up what was left of its day.
      if (quota?.left === 0) usedUp(quota.dayEndsMs)
      // Without a status the bucket refused the call, and the node was not asked.
      if (error.kind === 'later' && error.status === undefined) return
      changing(() => noteFailure(health, error, { startedAtMs, nowMs: now() }))
      bucket.suspend(health.untilMs)
      const allowed = error.allowedPerSecond
      if (allowed === undefined) return
      if (allowed > 0) bucket.slowDown(allowed, now() + slowedMs)
      else bucket.slowDown(Math.max(perSecondMin, bucket.perSecond / 2), now() + halvedMs)
    },
    distrusted: why => changing(() => noteDistrust(health, why, now())),
    onWrongChain: why => changing(() => noteWrongChain(health, why, now())),
    sawSolidHead(solidHead) {
      metrics.solidHeight.set({ node: name }, solidHead.height)
      return noteSolidHead(health, solidHead, now())
    },
  }
}
