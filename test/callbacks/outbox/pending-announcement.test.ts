import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { legacy, usdt } from '../../../src/base/money.ts'
import { pendingAnnouncement } from '../../../src/callbacks/outbox/callback.ts'

const cases: [received: bigint, announced: bigint, pending: bigint, why: string][] = [
  [3_000_000n, 0n, 30_000n, 'a payment is announced whole'],
  [3_000_050n, 0n, 30_000n, 'a rest below 1/10000 waits'],
  [99n, 0n, 0n, 'less than 1/10000 announces nothing'],
  [100n, 0n, 1n, 'the least that is announced'],
  [3_000_100n, 30_000n, 1n, 'two rests that add up to 1/10000 are announced with the second'],
  [3_000_050n, 30_000n, 0n, 'nothing new'],
  [6_000_000n, 30_000n, 30_000n, 'a second payment is announced by itself'],
]

test('a credit announces the whole 1/10000ths not announced yet', () => {
  for (const [received, announced, pending, why] of cases) {
    assert.equal(pendingAnnouncement(usdt(received), legacy(announced)), pending, why)
  }
})

test("an order's announcements always add up to floor(received / 100)", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 1n, max: 10_000_000n }), { maxLength: 50 }), amounts => {
      let received = 0n
      let announced = 0n
      for (const amount of amounts) {
        received += amount
        const pending = pendingAnnouncement(usdt(received), legacy(announced))
        assert(pending >= 0n)
        announced += pending
        assert.equal(announced, received / 100n)
      }
    }),
  )
})
