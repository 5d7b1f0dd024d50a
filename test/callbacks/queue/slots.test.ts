import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MerchantId } from '../../../src/base/ids.ts'
import { createSlots, type SlotHolder, type Slots } from '../../../src/callbacks/queue/slots.ts'

test('one merchant leaves a quarter free, and another begins at once', async () => {
  const { slots, begin, begun } = opened(16)
  for (let i = 0; i < 40; i++) begin(1)
  await turn()
  assert.deepEqual([slots.heldBy(id(1)), slots.free, slots.waiting], [12, 4, 28])
  begin(2)
  await turn()
  assert.deepEqual(begun.at(-1), id(2))
  assert.deepEqual([slots.heldBy(id(2)), slots.free, slots.waiting], [1, 3, 28])
})

test('two and three merchants divide the reserve and do not use it up', async () => {
  for (const [merchants, free] of [
    [[1, 2], 9],
    [[1, 2, 3], 6],
  ] as const) {
    const { slots, begin } = opened(64)
    for (const merchant of merchants) for (let i = 0; i < 100; i++) begin(merchant)
    await turn()
    const held = merchants.map(merchant => slots.heldBy(id(merchant)))
    assert(
      held.every(one => one >= 16 && one <= 48),
      `${held}`,
    )
    assert(slots.free >= free - 1 && slots.free <= free + 1, `${slots.free} free`)
  }
})

test('slots that are given back go to those that hold less, until all hold the same', async () => {
  const { slots, begin, endOne } = opened(64)
  for (const merchant of [1, 2, 3]) for (let i = 0; i < 400; i++) begin(merchant)
  // As attempts end: the oldest first.
  for (let i = 0; i < 300; i++) {
    endOne()
    await turn()
  }
  const held = [1, 2, 3].map(merchant => slots.heldBy(id(merchant)))
  assert(Math.max(...held) - Math.min(...held) <= 2, `${held}`)
  assert(slots.free >= 6, `${slots.free} free`)
})

test('merchants take turns, and those of one merchant begin in their order', async () => {
  const slots = createSlots(1)
  const begun: string[] = []
  const used = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map(name =>
    slots.use(id('abc'.indexOf(name[0]!)), async () => {
      begun.push(name)
    }),
  )
  await Promise.all(used)
  assert.deepEqual(begun, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2'])
})

test('work that throws gives its slot back, and its error to whoever asked', async () => {
  const slots = createSlots(1)
  await assert.rejects(
    slots.use(id(1), async () => {
      throw new Error('no')
    }),
    /no/,
  )
  assert.equal(slots.free, 1)
})

test('few begin in one turn of the event loop, so that another merchant need not wait for hundreds', async () => {
  const { begin, begun } = opened(512)
  for (let i = 0; i < 300; i++) begin(1)
  begin(2)
  const before = begun.length
  assert(before < 20)
  await new Promise(resolve => setImmediate(resolve))
  // Merchants take turns: the second is not behind what waits of the first.
  assert(begun.includes(id(2)), `${begun.length} begun`)
  assert(begun.length < before + 20)
  await turn()
  await turn()
  assert.equal(begun.length, 301)
})

test('once opened, everything that waits begins, and whatever comes', async () => {
  const { slots, begin, begun } = opened(4)
  for (let i = 0; i < 20; i++) begin(i % 2)
  await turn()
  assert(slots.waiting > 0)
  slots.open()
  begin(0)
  await turn()
  assert.deepEqual([begun.length, slots.waiting, slots.free], [21, 0, 0])
})

test('leases without a merchant share as one merchant', async () => {
  const { slots, begin } = opened(16)
  for (let i = 0; i < 20; i++) begin(null)
  await turn()
  assert.equal(slots.heldBy(null), 12)
})

test('however work comes and ends, no more runs than there are slots, nobody has too much, and all of it runs', async () => {
  const steps = fc.array(fc.record({ merchant: fc.nat(6), ends: fc.boolean() }), { maxLength: 150 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 24 }), steps, async (count, steps) => {
      const { slots, begin, begun, endOne } = opened(count)
      for (const { merchant, ends } of steps) {
        if (ends) endOne()
        else begin(merchant)
        await turn()
        let held = 0
        for (let one = 0; one <= 6; one++) {
          const holds = slots.heldBy(id(one))
          held += holds
          assert(holds <= Math.max(1, 0.75 * count), `${holds} of ${count}`)
        }
        assert.equal(held + slots.free, count)
      }
      const asked = steps.filter(step => !step.ends).length
      for (let i = 0; i < asked; i++) {
        endOne()
        await turn()
      }
      assert.equal(begun.length, asked)
      assert.deepEqual([slots.free, slots.waiting], [count, 0])
    }),
    { numRuns: 60 },
  )
})

/** Slots whose work ends when it is told to. */
function opened(count: number): {
  slots: Slots
  begin: (merchant: number | null) => void
  /** Ends what has been running longest. */
  endOne: () => void
  begun: SlotHolder[]
} {
  const slots = createSlots(count)
  const begun: SlotHolder[] = []
  const running: (() => void)[] = []
  const begin = (merchant: number | null) => {
    const holder = merchant === null ? null : id(merchant)
    void slots.use(holder, () => {
      begun.push(holder)
      return new Promise<void>(end => running.push(end))
    })
  }
  return { slots, begin, begun, endOne: () => running.shift()?.() }
}

function id(merchant: number): MerchantId {
  return BigInt(merchant) as MerchantId
}

/** Lets everything happen that waits for nothing but turns of the event loop, of which it takes eight begins each. */
async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
}
