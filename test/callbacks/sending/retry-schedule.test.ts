import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decideRetry,
  parseRetryAfter,
  retryIntervalsMs,
} from '../../../src/callbacks/sending/retry-schedule.ts'

const hourMs = 3_600_000
const noJitter = () => 0.5

test('there are 15 attempts, the last 82 h 42 min after the first', () => {
  assert.equal(retryIntervalsMs.length, 15)
  const totalMs = retryIntervalsMs.reduce((sum, ms) => sum + ms, 0)
  assert.equal(Math.floor(totalMs / 60_000), 82 * 60 + 42)
})

test('each failure waits for its interval, and the fifteenth exhausts', () => {
  const waits = []
  for (let step = 0; ; step++) {
    const decision = decideRetry(step, { status: 500 }, noJitter)
    if (decision.kind === 'exhausted') break
    waits.push(decision.inMs)
  }
  assert.deepEqual(waits, retryIntervalsMs.slice(1))
})

test('the jitter is at most a tenth either way', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 13 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (step, random) => {
        const decision = decideRetry(step, {}, () => random)
        assert(decision.kind === 'retry')
        const intervalMs = retryIntervalsMs[step + 1]!
        assert(Math.abs(decision.inMs - intervalMs) <= intervalMs / 10 + 1)
      },
    ),
  )
})

test('410 exhausts at once, other statuses by the number of attempts only', () => {
  assert.deepEqual(decideRetry(0, { status: 410 }), { kind: 'exhausted' })
  for (const status of [301, 400, 404, 429, 500, 503, undefined]) {
    assert.equal(decideRetry(0, { status }).kind, 'retry', `${status}`)
    assert.equal(decideRetry(14, { status }).kind, 'exhausted', `${status}`)
  }
})

test('Retry-After lengthens the wait, up to a day, and never shortens it', () => {
  const inMs = (step: number, retryAfterMs: number) => {
    const decision = decideRetry(step, { status: 503, retryAfterMs }, noJitter)
    return decision.kind === 'retry' ? decision.inMs : null
  }
  assert.equal(inMs(0, 120_000), 120_000)
  assert.equal(inMs(0, 1_000), 5_000)
  assert.equal(inMs(0, 0), 5_000)
  assert.equal(inMs(0, 1_000 * 24 * hourMs), 24 * hourMs)
  assert.equal(inMs(13, 60_000), 12 * hourMs)
})

test('Retry-After is seconds or an HTTP date; anything else is ignored', () => {
  const now = new Date('2026-11-23T10:00:00Z')
  const cases: [string | undefined, number | undefined][] = [
    ['0', 0],
    ['120', 120_000],
    ['Mon, 23 Nov 2026 10:02:00 GMT', 120_000],
    ['Mon, 23 Nov 2026 09:00:00 GMT', 0],
    [undefined, undefined],
    ['', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['soon', undefined],
    ['99999999999999999999', undefined],
    ['2026-11-23', undefined],
    ['nonsense GMT', undefined],
  ]
  for (const [header, expected] of cases) assert.equal(parseRetryAfter(header, now), expected, `${header}`)
})
