import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDayQuota } from '../../../src/tron/node/day-quota.ts'

const midnight = Date.UTC(2026, 10, 23)
const hourMs = 3_600_000

function quota(perDay: number | null, reservePerDay = 0, atMs = midnight) {
  let nowMs = atMs
  const day = createDayQuota({ perDay, reservePerDay, clock: { now: () => new Date(nowMs) } })
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { day, pass }
}

test('calls are counted by the day of UTC, and each day begins with a whole quota', () => {
  const { day, pass } = quota(10)
  for (let n = 0; n < 10; n++) day.count()
  assert.deepEqual([day.calls, day.left, day.dayEndsMs], [10, 0, midnight + 24 * hourMs])
  pass(24 * hourMs - 1)
  assert.equal(day.left, 0)
  pass(1)
  assert.deepEqual([day.calls, day.left], [0, 10])
  assert.deepEqual(day.takeUnsaved(), [
    { day: '2026-11-23', calls: 10 },
    { day: '2026-11-24', calls: 0 },
  ])
})

test('what was counted before a restart, and by others, counts; what is not saved yet is not lost', () => {
  const { day } = quota(100)
  day.count()
  const [taken] = day.takeUnsaved()
  day.count()
  day.learn('2026-11-23', 40 + taken!.calls)
  assert.equal(day.calls, 42)
  day.learn('2026-11-22', 99)
  assert.equal(day.calls, 42)
  const [again] = day.takeUnsaved()
  assert.equal(again!.calls, 1)
  day.giveBack('2026-11-23', 1)
  assert.deepEqual(day.takeUnsaved(), [{ day: '2026-11-23', calls: 1 }])
})

test('without a quota everything is spared, and counted all the same', () => {
  const { day } = quota(null)
  for (let n = 0; n < 1_000; n++) assert(day.maySpare())
  day.count()
  assert.deepEqual([day.left, day.calls], [null, 1])
})

test('display gets what crediting leaves, spread over the day, and crediting can go on to the end', () => {
  const { day, pass } = quota(50_000, 38_400)
  const spared: number[] = []
  for (let hour = 0; hour < 24; hour++) {
    let inHour = 0
    // Crediting asks 1600 times in an hour; display would as often as it may.
    for (let n = 0; n < 1_600; n++) {
      assert.notEqual(day.left, 0)
      day.count()
      while (day.maySpare()) {
        day.count()
        inHour++
      }
      pass(hourMs / 1_600)
    }
    spared.push(inHour)
  }
  for (const inHour of spared.slice(0, -1)) assert(inHour > 400 && inHour < 560, `${spared}`)
})

test('a quota that is not enough for crediting is left to it, to the last call', () => {
  const { day } = quota(20_000, 38_400)
  assert.equal(day.maySpare(), false)
  for (let n = 0; n < 20_000; n++) day.count()
  assert.equal(day.left, 0)
})

test('a clock that is set back by a little does not begin yesterday again', () => {
  const { day, pass } = quota(10, 0, midnight + 5)
  day.count()
  pass(-10)
  assert.equal(day.calls, 1)
})
