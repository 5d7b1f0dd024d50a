import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchDatabase } from '../../src/alarms/watch-database.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** A database and a receiver that are away or not, and a clock that is moved. */
function start() {
  let at = Date.UTC(2026, 10, 29)
  const state = { isAway: false, receives: true, isTeller: true }
  const tries: { event: string; id: string; sent: boolean; since: Date | null; until: Date | null }[] = []
  const asked = watchDatabase({
    isTeller: () => state.isTeller,
    now: () => at,
    retryMs: () => 10 * minuteMs,
    post: async ({ event, raisedAt: since, clearedAt: until }, id) => {
      tries.push({ event, id, sent: state.receives, since, until })
      return state.receives ? { ok: true } : { ok: false, reason: 'status 500', retryAfterS: null }
    },
  })
  const pass = async (ms: number, set: Partial<typeof state> = {}) => {
    Object.assign(state, set)
    for (const end = at + ms; at < end; at += minuteMs / 2) await asked(state.isAway)
  }
  return { tries, pass, sent: () => tries.filter(({ sent }) => sent).map(({ event }) => event) }
}

test('a database that is away is told of when the receiver works again, however late', async () => {
  const { tries, pass, sent } = start()
  await pass(5 * hourMs, { isAway: true, receives: false })
  assert(tries.length > 20)
  assert.equal(new Set(tries.map(({ id }) => id)).size, 1)
  await pass(11 * minuteMs, { receives: true })
  assert.deepEqual(sent(), ['raised'])
})

test('that it is back is told when the receiver works again, for a day', async () => {
  const { pass, sent } = start()
  await pass(5 * minuteMs, { isAway: true })
  await pass(5 * hourMs, { isAway: false, receives: false })
  assert.deepEqual(sent(), ['raised'])
  await pass(11 * minuteMs, { receives: true })
  assert.deepEqual(sent(), ['raised', 'cleared'])
  await pass(hourMs)
  await pass(5 * minuteMs, { isAway: true })
  await pass(25 * hourMs, { isAway: false, receives: false })
  await pass(hourMs, { receives: true })
  assert.deepEqual(sent(), ['raised', 'cleared', 'raised'])
})

test('an outage of which nothing could be sent is told once it is over; a short one is not', async () => {
  const { tries, pass, sent } = start()
  await pass(minuteMs / 2, { isAway: true })
  await pass(hourMs, { isAway: false })
  assert.equal(tries.length, 0)
  await pass(hourMs, { isAway: true, receives: false })
  await pass(hourMs, { isAway: false })
  await pass(hourMs, { receives: true })
  assert.deepEqual(sent(), ['cleared'])
  const { since, until } = tries.at(-1)!
  assert.equal(until!.valueOf() - since!.valueOf(), hourMs)
})

test('while it stays away it is repeated nine times', async () => {
  const { tries, pass, sent } = start()
  await pass(20 * 24 * hourMs, { isAway: true })
  assert.deepEqual(sent(), ['raised', ...Array(9).fill('repeated')])
  assert.equal(new Set(tries.map(({ id }) => id)).size, 10)
})

test('one that comes and goes is one outage while it is not back for two minutes, and is told every ten minutes at most', async () => {
  const { pass, sent } = start()
  for (let i = 0; i < 10; i++) {
    await pass(2 * minuteMs, { isAway: true })
    await pass(minuteMs, { isAway: false })
  }
  assert.deepEqual(sent(), ['raised'])
  for (let i = 0; i < 10; i++) {
    await pass(3 * minuteMs, { isAway: false })
    await pass(3 * minuteMs, { isAway: true })
  }
  assert(sent().length <= 1 + (60 / 10) * 2, sent().join())
})

test('only a process that led when it went tells of it, until the end', async () => {
  const { pass, sent } = start()
  await pass(hourMs, { isAway: true, isTeller: false })
  await pass(hourMs, { isAway: false })
  assert.deepEqual(sent(), [])
  await pass(minuteMs / 2, { isAway: true, isTeller: true })
  await pass(5 * minuteMs, { isTeller: false })
  await pass(5 * minuteMs, { isAway: false })
  assert.deepEqual(sent(), ['raised', 'cleared'])
})
