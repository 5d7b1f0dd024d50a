import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaneId } from '../../../src/base/ids.ts'
import { newsOfLanes, verdictOf } from '../../../src/callbacks/leasing/circuit.ts'
import type { AttemptOutcome } from '../../../src/callbacks/outbox/callback.ts'

test('an endpoint is judged by the status and outcome of an attempt', () => {
  const cases: [outcome: AttemptOutcome, status: number | null, verdict: string | null][] = [
    ['acknowledged', 200, 'answers'],
    // Without the acknowledgement word that the merchant wants.
    ['refused', 200, 'answers'],
    ['refused', 302, 'answers'],
    ['refused', 404, 'answers'],
    ['refused', 410, 'answers'],
    ['refused', 429, 'fails'],
    ['refused', 500, 'fails'],
    ['refused', 503, 'fails'],
    ['timeout', null, 'fails'],
    ['connect', null, 'fails'],
    ['dns', null, 'fails'],
    ['tls', null, 'fails'],
    ['reset', null, 'fails'],
    // Its body did not end in time.
    ['timeout', 200, 'fails'],
    ['bad_answer', null, 'fails'],
    // Nothing was sent.
    ['no_url', null, null],
    ['no_key', null, null],
    ['blocked', null, null],
  ]
  for (const [outcome, status, verdict] of cases) {
    assert.equal(verdictOf({ outcome, status }), verdict, `${outcome} ${status}`)
  }
})

test('failures in a row are counted from the last answer on, lane by lane', () => {
  assert.deepEqual(
    newsOfLanes([
      attempt(1n, 'timeout'),
      attempt(2n, 'timeout'),
      attempt(1n, 'acknowledged'),
      attempt(3n, 'blocked'),
      attempt(1n, 'connect'),
      attempt(1n, 'blocked'),
      attempt(1n, 'timeout'),
    ]),
    [
      { laneId: 1n, answers: 1, failures: 2, quick: 1, slow: true, overloaded: false },
      { laneId: 2n, answers: 0, failures: 1, quick: 0, slow: true, overloaded: false },
    ],
  )
})

test('only a quick acknowledgement counts towards a larger cap, and a slow answer or a failure makes it smaller', () => {
  const cases: [outcome: AttemptOutcome, durationMs: number, quick: number, slow: boolean][] = [
    ['acknowledged', 500, 1, false],
    ['acknowledged', 501, 0, false],
    ['acknowledged', 1_999, 0, false],
    ['acknowledged', 2_000, 0, true],
    ['refused', 1, 0, true],
    ['timeout', 1, 0, true],
  ]
  for (const [outcome, durationMs, quick, slow] of cases) {
    const [lane] = newsOfLanes([attempt(1n, outcome, durationMs)])
    assert.deepEqual([lane!.quick, lane!.slow], [quick, slow], `${outcome} after ${durationMs} ms`)
  }
  const notFound = { ...attempt(1n, 'refused'), status: 404 }
  assert.deepEqual(
    newsOfLanes([notFound]),
    [{ laneId: 1n, answers: 1, failures: 0, quick: 0, slow: false, overloaded: false }],
    'a refusal says nothing about the pace',
  )
  for (const [status, overloaded] of [
    [429, true],
    [503, true],
    [500, false],
  ] as const) {
    const [lane] = newsOfLanes([{ ...attempt(1n, 'refused'), status }])
    assert.deepEqual([lane!.overloaded, lane!.slow], [overloaded, true], `${status}`)
  }
})

function attempt(laneId: bigint, outcome: AttemptOutcome, durationMs = 1) {
  return { laneId: laneId as LaneId, outcome, status: null, durationMs }
}
