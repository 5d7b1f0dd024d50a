import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '../../../src/base/log.ts'
import { NodeError } from '../../../src/tron/node/node-error.ts'
import { createTokenBucket } from '../../../src/tron/node/token-bucket.ts'
import { createNodeMetrics } from '../../../src/tron/pool/node-metrics.ts'
import { createNodeRecord } from '../../../src/tron/pool/node-record.ts'

// What a node says about its limits, and the rate at which it is asked from then on.
function recordedNode(requestsPerSecond: number) {
  let nowMs = 1_900_000_000_000
  const now = () => nowMs
  const bucket = createTokenBucket({ requestsPerSecond, clock: { now: () => new Date(nowMs) } })
  const log = { info: () => undefined, warn: () => undefined } as unknown as Logger
  const record = createNodeRecord({ name: 'a', bucket, log, metrics: createNodeMetrics(undefined), now })
  const refuse = (allowedPerSecond: number | undefined) =>
    record.failed(
      new NodeError('later', 'wait', { status: 429, retryAfterMs: 1_000, allowedPerSecond }),
      nowMs,
    )
  return { bucket, refuse, pass: (ms: number) => (nowMs += ms) }
}

test('the rate that a node names is kept to for ten minutes', () => {
  const { bucket, refuse, pass } = recordedNode(200)
  refuse(10)
  assert.equal(bucket.perSecond, 10)
  pass(599_999)
  assert.equal(bucket.perSecond, 10)
  pass(1)
  assert.equal(bucket.perSecond, 200)
})

test('a node that only says there were too many requests is asked half as often for a minute, and never more seldom than every two seconds', () => {
  const { bucket, refuse, pass } = recordedNode(4)
  const rates: number[] = []
  for (let n = 0; n < 5; n++) {
    refuse(0)
    rates.push(bucket.perSecond)
  }
  assert.deepEqual(rates, [2, 1, 0.5, 0.5, 0.5])
  pass(60_000)
  assert.equal(bucket.perSecond, 4)
})

test('a suspension that is not about the rate leaves it as it was', () => {
  const { bucket, refuse } = recordedNode(4)
  refuse(undefined)
  assert.equal(bucket.perSecond, 4)
})
