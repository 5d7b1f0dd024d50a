import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHeadPace } from '../../src/blocks/head-pace.ts'

const slotMs = 3_000

/**
 * Follows a chain whose blocks can be read some time after their own, a number of them in one call.
 * @param options.made says which slots have a block. @param options.clockMs how wrong our clock is.
 */
function follow(options: {
  together: number
  calls: number
  lateMs: number
  clockMs?: number
  made?: (slot: number) => boolean
}) {
  const { together, calls, lateMs, clockMs = 0, made = () => true } = options
  let trueMs = 1_000_000 * slotMs
  const nowMs = () => trueMs + clockMs
  const pace = createHeadPace({ slotMs, pollMs: 1_000, nowMs })
  let tip = trueMs / slotMs
  const found: number[] = []
  for (let call = 0; call < calls; call++) {
    trueMs += pace.waitMs({ time: new Date(tip * slotMs) }, together)
    const there: number[] = []
    for (let slot = tip + 1; there.length < together && slot * slotMs + lateMs <= trueMs; slot++) {
      if (made(slot)) there.push(slot)
    }
    found.push(there.length)
    if (there.length === 0) {
      pace.missed()
      continue
    }
    tip = there.at(-1)!
    pace.came({ time: new Date(tip * slotMs) }, there.length === together)
  }
  return { found, behindMs: trueMs - tip * slotMs }
}

const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0)

for (const together of [1, 4]) {
  for (const clockMs of [0, 20_000, -20_000]) {
    test(`nearly every call finds ${together} at once, with a clock ${clockMs} ms off, however long it goes on`, () => {
      const { found, behindMs } = follow({ together, calls: 4_000, lateMs: 1_200, clockMs })
      const lately = found.slice(-1_000)
      // It tries now and then whether they can be read earlier.
      assert(sum(lately) > 0.8 * 1_000 * together, `${sum(lately)} blocks in 1000 calls`)
      assert(behindMs < 2 * slotMs, `${behindMs} ms behind`)
    })
  }
}

test('a block that claims to be of next month is not waited for that long', () => {
  const pace = createHeadPace({ slotMs, pollMs: 1_000, nowMs: () => 1_000_000 * slotMs })
  const future = { time: new Date(1_000_000 * slotMs + 30 * 86_400_000) }
  assert(pace.waitMs(future, 1) <= 2 * slotMs)
  pace.came(future, true)
  assert(pace.waitMs(future, 1) <= 2 * slotMs)
})

test('turns that producers miss do not make it later and later', () => {
  const { found, behindMs } = follow({
    together: 4,
    calls: 4_000,
    lateMs: 1_200,
    made: slot => slot % 7 !== 0,
  })
  assert(sum(found.slice(-1_000)) > 0.7 * 4_000, `${sum(found.slice(-1_000))} blocks in 1000 calls`)
  assert(behindMs < 3 * slotMs, `${behindMs} ms behind`)
})
