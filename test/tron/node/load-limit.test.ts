import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoadLimit } from '../../../src/tron/node/load-limit.ts'

function limit({ alone = false } = {}) {
  let nowMs = 0
  const load = createLoadLimit({
    ...{ inFlightMax: 16, deadlineMs: 8_000, isAlone: () => alone },
    clock: { now: () => new Date(nowMs) },
  })
  /** So many requests at once, which all end in the same way. */
  const round = (end: 'answered' | 'timed out' | 'failed', tookMs: number, count = load.inFlightMax) => {
    const ends = Array.from({ length: count }, () => load.begin())
    nowMs += tookMs
    for (const one of ends) one(end)
    return load.inFlightMax
  }
  return { load, round }
}

test('requests at once are halved at a timeout, however many time out together, and never fewer than one', () => {
  const { round } = limit()
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => round('timed out', 8_000)),
    [8, 4, 2, 1, 1],
  )
})

test('they grow by one after as many answers as are out at once, up to the most', () => {
  const { load, round } = limit()
  round('timed out', 8_000)
  round('timed out', 8_000)
  assert.equal(round('answered', 50, 3), 4)
  assert.equal(round('answered', 50, 1), 5)
  assert.equal(round('answered', 50), 6)
  for (let n = 0; n < 50; n++) round('answered', 50)
  assert.equal(load.inFlightMax, 16)
})

test('answers that come late, and failures of other kinds, say nothing of how many are too many', () => {
  const { round } = limit()
  round('timed out', 8_000)
  for (let n = 0; n < 10; n++) assert.equal(round('answered', 5_000), 8)
  for (let n = 0; n < 10; n++) assert.equal(round('failed', 10), 8)
})

test('a lone node is waited for longer after each timeout, up to a minute, and as before once it answers in time', () => {
  const { load, round } = limit({ alone: true })
  const deadlines = [1, 2, 3, 4].map(() => {
    round('timed out', load.deadlineMs)
    return load.deadlineMs
  })
  assert.deepEqual(deadlines, [16_000, 32_000, 60_000, 60_000])
  round('answered', 30_000)
  assert.equal(load.deadlineMs, 60_000)
  round('answered', 100)
  assert.equal(load.deadlineMs, 8_000)
})

test('a deadline that grew while the node was alone is as before when another one is back', () => {
  let alone = true
  const load = createLoadLimit({
    ...{ inFlightMax: 16, deadlineMs: 8_000, isAlone: () => alone },
    clock: { now: () => new Date(0) },
  })
  load.begin()('timed out')
  assert.equal(load.deadlineMs, 16_000)
  alone = false
  assert.equal(load.deadlineMs, 8_000)
})

test('with other nodes to ask the deadline stays', () => {
  const { load, round } = limit()
  round('timed out', 8_000)
  assert.equal(load.deadlineMs, 8_000)
})
