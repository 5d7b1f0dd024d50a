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
  const attempt = (laneId: bigint, outcome: AttemptOutcome) => ({
    laneId: laneId as LaneId,
    outcome,
    status: null,
  })
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
      { laneId: 1n, answers: 1, failures: 2 },
      { laneId: 2n, answers: 0, failures: 1 },
    ],
  )
})
