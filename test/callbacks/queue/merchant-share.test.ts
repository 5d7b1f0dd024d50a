import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mayTakeMore, mayTakeOneMore } from '../../../src/callbacks/queue/merchant-share.ts'

/** Merchants that want all they may have, taking in any order, some giving back. @returns what each holds in the end. */
function takeAll(count: number, merchants: number, order: readonly number[]): number[] {
  const held = Array<number>(merchants).fill(0)
  const free = () => count - held.reduce((sum, one) => sum + one, 0)
  for (const step of order) {
    const merchant = step % merchants
    if (step % 5 === 0 && held[merchant]! > 0) held[merchant]!--
    else if (mayTakeOneMore(held[merchant]!, free())) held[merchant]!++
  }
  // Until nobody may take more, and those above the others' give way: each slot is given back sometime.
  for (let round = 0; round < 4 * count; round++) {
    const most = held.indexOf(Math.max(...held))
    if (held[most]! > 0 && round < 3 * count) held[most]!--
    const least = held.indexOf(Math.min(...held))
    if (mayTakeOneMore(held[least]!, free())) held[least]!++
  }
  return held
}

test('one merchant alone takes three quarters, of any number of slots', () => {
  for (const [count, most] of [
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
    [10, 7],
    [16, 12],
    [512, 384],
    [1024, 768],
  ] as const) {
    let held = 0
    while (mayTakeOneMore(held, count - held)) held++
    assert.equal(held, most, `of ${count}`)
  }
})

test('whoever takes in whatever order, nobody is above three quarters, and nothing is taken twice', () => {
  const orders = fc.array(fc.nat(10_000), { maxLength: 400 })
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 128 }),
      fc.integer({ min: 1, max: 12 }),
      orders,
      (count, n, order) => {
        const held = Array<number>(n).fill(0)
        for (const step of order) {
          const merchant = step % n
          const free = count - held.reduce((sum, one) => sum + one, 0)
          if (step % 7 === 0 && held[merchant]! > 0) held[merchant]!--
          else if (mayTakeOneMore(held[merchant]!, free)) {
            const others = count - free - held[merchant]!
            held[merchant]!++
            assert(held[merchant]! <= Math.max(1, 0.75 * (count - others)))
            // What is left is for a merchant that has none, unless it was such a one that took the last.
            assert(free > 1 || held[merchant] === 1)
          } else if (held[merchant] === 0) assert.equal(free, 0)
          assert(held[merchant]! <= Math.max(1, 0.75 * count))
        }
      },
    ),
  )
})

test('merchants that want everything come to equal shares, and leave one part in 3n + 1', () => {
  const orders = fc.array(fc.nat(10_000), { maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), orders, (n, order) => {
      const held = takeAll(512, n, order)
      const free = 512 - held.reduce((sum, one) => sum + one, 0)
      assert(Math.max(...held) - Math.min(...held) <= 2, `${held}`)
      assert(free >= Math.floor(512 / (3 * n + 1)), `${free} free of 512, shared by ${n}`)
      assert(free <= Math.ceil(512 / (3 * n + 1)) + n, `${free} free of 512, shared by ${n}`)
    }),
  )
})

test('how many more a merchant may take is as many as it may take one by one', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(300), (holds, free) => {
      let [held, left] = [holds, free]
      while (mayTakeOneMore(held, left)) [held, left] = [held + 1, left - 1]
      assert.equal(mayTakeMore(holds, free), held - holds)
    }),
  )
})
