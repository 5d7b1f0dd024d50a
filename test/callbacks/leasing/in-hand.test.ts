import assert from 'node:assert/strict'
import { test } from 'node:test'
import { thisMoment } from '../../../src/base/clock.ts'
import type { CallbackId, MerchantId } from '../../../src/base/ids.ts'
import { createInHand } from '../../../src/callbacks/leasing/in-hand.ts'
import type { LeasedCallback } from '../../../src/callbacks/outbox/lease.ts'
import type { QueuedJob } from '../../../src/callbacks/queue/queued-job.ts'

test('a lease that was taken here begins with what was read, once, and leaves when it ends', () => {
  const { inHand, one, ended } = holding()
  const asked = thisMoment()
  inHand.take(jobOf('a', one), asked)
  assert.deepEqual([inHand.waiting, inHand.size], [1, 0])
  const own = inHand.begin(one)
  assert(own !== 'already' && own)
  assert.equal(own.callback, one)
  assert.equal(own.askedAt, asked)
  assert.deepEqual([inHand.waiting, inHand.size], [0, 1])
  assert.equal(inHand.begin(one), 'already')
  inHand.end(one)
  assert.deepEqual([inHand.waiting, inHand.size, ended()], [0, 0, 1])
})

test('another courier’s lease begins with nothing read', () => {
  const { inHand, one } = holding()
  assert.equal(inHand.begin(one), undefined)
  assert.equal(inHand.size, 1)
})

test('a lease that was given up begins with nothing read; one that has begun is not given up', () => {
  const { inHand, one, two, three } = holding()
  inHand.take(jobOf('a', one, two), thisMoment())
  inHand.take(jobOf('b', three), thisMoment())
  inHand.begin(one)
  assert.deepEqual(inHand.giveUp(['a']), [two])
  assert.deepEqual(inHand.giveUp(['a']), [])
  assert.equal(inHand.begin(two), undefined)
  assert.deepEqual([inHand.waiting, inHand.size], [1, 2])
})

test('only jobs with leases that have not begun are named, each once, when they are old enough', () => {
  const { inHand, one, two, three } = holding()
  inHand.take(jobOf('a', one, two), thisMoment())
  inHand.take(jobOf('b', three), thisMoment())
  assert.deepEqual(inHand.oldUnbegun(0), ['a', 'b'])
  assert.deepEqual(inHand.oldUnbegun(60_000), [])
  inHand.begin(three)
  assert.deepEqual(inHand.oldUnbegun(0), ['a'])
})

test('what other couriers have begun no longer waits, until something is given up', () => {
  const { inHand, one, two, three } = holding()
  inHand.take(jobOf('a', one), thisMoment())
  inHand.take(jobOf('b', two, three), thisMoment())
  assert.equal(inHand.countWaiting(1), 2, 'a job of average size')
  assert.equal(inHand.waiting, 2)
  assert.equal(inHand.countWaiting(0), 0)
  assert.equal(inHand.waiting, 0)
  assert.equal(inHand.countWaiting(4), 6, 'jobs of other couriers too')
  assert.equal(inHand.waiting, 3)
  inHand.countWaiting(0)
  inHand.giveUp([])
  assert.equal(inHand.waiting, 3)
})

test('each merchant is counted with what has begun, whoever took it, and with what waits', () => {
  const { inHand, one, two, three } = holding()
  const [mine, theirs] = [
    { ...one, merchantId: 1n as MerchantId },
    { ...two, merchantId: 2n as MerchantId },
  ]
  const last = { ...three, merchantId: 1n as MerchantId }
  inHand.take(jobOf('a', mine, theirs), thisMoment())
  inHand.take(jobOf('b', last), thisMoment())
  assert.deepEqual(
    [...inHand.byMerchant()],
    [
      [1n, 2],
      [2n, 1],
    ],
  )
  inHand.begin(mine)
  inHand.begin({ id: 9n as CallbackId, epoch: 7n, merchantId: 3n as MerchantId })
  inHand.begin({ id: 10n as CallbackId, epoch: 7n, merchantId: null })
  assert.deepEqual(
    new Map(inHand.byMerchant()),
    new Map([
      [1n, 2],
      [3n, 1],
      [2n, 1],
    ]),
  )
  inHand.countWaiting(0)
  assert.deepEqual(
    [...inHand.byMerchant()].filter(([, count]) => count > 0),
    [
      [1n, 1],
      [3n, 1],
    ],
  )
  inHand.end(mine)
  assert.equal(inHand.byMerchant().get(1n as MerchantId) ?? 0, 0)
})

test('a job that was on its way here when the queue was asked does not count as begun elsewhere for good', () => {
  const { inHand, one, two } = holding()
  inHand.take(jobOf('a', one, two), thisMoment())
  inHand.countWaiting(0)
  inHand.begin(one)
  inHand.begin(two)
  assert.equal(inHand.waiting, 0)
  inHand.end(one)
  inHand.end(two)
  inHand.take(jobOf('b', one), thisMoment())
  assert.equal(inHand.waiting, 1)
})

function holding() {
  let ends = 0
  const inHand = createInHand(() => ends++)
  return { inHand, one: leaseOf(1n), two: leaseOf(2n), three: leaseOf(3n), ended: () => ends }
}

function jobOf(id: string, ...leases: LeasedCallback[]): QueuedJob<LeasedCallback> {
  return { id, leases }
}

function leaseOf(id: bigint): LeasedCallback {
  return { id, epoch: 7n, now: new Date() } as LeasedCallback
}
