import type { Logger } from '../../base/log.ts'
import type { BlockRef } from '../block.ts'
import type { NodeError } from '../node/node-error.ts'
import type { CallOutcome } from '../node/node-http.ts'
import type { TokenBucket } from '../node/token-bucket.ts'
import {
  type NodeHealth,
  newHealth,
  noteDistrust,
  noteFailure,
  noteSolidHead,
  noteSuccess,
  noteWrongChain,
} from './node-health.ts'
import { type createNodeMetrics, stateNumbers } from './node-metrics.ts'

/** What a node's calls come to: its health, one log line per change of state, its metrics, and its pace. */
export interface NodeRecord {
  readonly health: NodeHealth
  readonly counts: { calls: number; refused: number; disagreements: number }
  called(outcome: CallOutcome): void
  succeeded(): void
  failed(error: NodeError, startedAtMs: number): void
  distrusted(why: string): void
  onWrongChain(why: string): void
  /** @returns by how many blocks its solidified head stepped back. */
  showed(solidHead: BlockRef): number
}

/** How long a node's word about how often it may be asked is kept. */
const slowedMs = 600_000
/** Where it said only that it was too often, the pace is halved for a minute, down to this. */
const halvedMs = 60_000
const perSecondMin = 0.5

export function createNodeRecord(options: {
  name: string
  bucket: TokenBucket
  log: Logger
  metrics: ReturnType<typeof createNodeMetrics>
  now: () => number
}): NodeRecord {
  const { name, bucket, log, metrics, now } = options
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
  return {
    health,
    counts,
    called(outcome) {
      counts.calls++
      if (outcome === 'later') counts.refused++
      metrics.calls.inc({ node: name, outcome })
    },
    succeeded: () => changing(() => noteSuccess(health, now())),
    failed(error, startedAtMs) {
      // Sent away by the bucket, before anything was asked.
      if (error.kind === 'later' && error.status === undefined) return
      changing(() => noteFailure(health, error, { startedAtMs, nowMs: now() }))
      bucket.suspend(health.untilMs)
      const said = error.allowedPerSecond
      if (said === undefined) return
      if (said > 0) bucket.slowDown(said, now() + slowedMs)
      else bucket.slowDown(Math.max(perSecondMin, bucket.perSecond / 2), now() + halvedMs)
    },
    distrusted: why => changing(() => noteDistrust(health, why, now())),
    onWrongChain: why => changing(() => noteWrongChain(health, why, now())),
    showed(solidHead) {
      metrics.solidHeight.set({ node: name }, solidHead.height)
      return noteSolidHead(health, solidHead, now())
    },
  }
}
