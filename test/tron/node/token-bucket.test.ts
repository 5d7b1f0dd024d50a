import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import fc from 'fast-check'
import { createTokenBucket, type TokenBucket, type Turn } from '../../../src/tron/node/token-bucket.ts'

// Time is moved by hand: timers and the clock together.
function underMockedTime<T>(run: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
  return run().finally(() => mock.timers.reset())
}

/** Lets whoever is due go on. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5) {
    mock.timers.tick(Math.min(5, left))
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Takes `count` turns at once and gives each back at once; keeps when each came. */
function takeMany(bucket: TokenBucket, count: number): number[] {
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    bucket.take().then(
      release => {
        times.push(Date.now())
        release()
      },
      () => undefined, // The bucket was closed before their turn.
    )
  }
  return times
}

test('in no second, wherever it begins, are there more turns than the rate, and little is left unused', async () => {
  await underMockedTime(() =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.nat(3_000), async (rate, restMs) => {
        const bucket = createTokenBucket({ requestsPerSecond: rate })
        const before = takeMany(bucket, 1)
        await pass(restMs)
        const times = takeMany(bucket, rate * 3)
        await pass(3_000)
        const all = [...before, ...times]
        for (const [i, at] of all.entries()) {
          const within = all.slice(i).filter(other => other < at + 1_000).length
          assert(within <= rate, `${within} turns in a second at ${rate}`)
        }
        assert(times.length >= Math.floor(rate * 3 * 0.9) - 1, `${times.length} of ${rate * 3}`)
        bucket.close()
      }),
      { numRuns: 12 },
    ),
  )
})

test('turns come in the order they were asked for; what goes ahead comes first', () =>
  underMockedTime(async () => {
    const bucket = createTokenBucket({ requestsPerSecond: 10 })
    const order: string[] = []
    const take = (name: string, ahead = false) =>
      bucket.take({ turn: ahead ? 'ahead' : 'behind' }).then(release => {
        order.push(name)
        release()
      })
    const all = Promise.all([take('1'), take('2'), take('3'), take('ahead 1', true), take('ahead 2', true)])
    await pass(1_000)
    await all
    assert.deepEqual(order, ['1', 'ahead 1', 'ahead 2', '2', '3'])
  }))

test('no more are out than may be, and one given back twice counts once', () =>
  underMockedTime(async () => {
    const bucket = createTokenBucket({ requestsPerSecond: 1_000, inFlightMax: 2 })
    const releases: (() => void)[] = []
    for (let n = 0; n < 5; n++) {
      bucket.take().then(
        release => releases.push(release),
        () => undefined, // Closed before their turn.
      )
    }
    await pass(100)
    assert.equal(releases.length, 2)
    releases[0]!()
    releases[0]!()
    await pass(100)
    assert.equal(releases.length, 3)
    bucket.close()
  }))

test('a suspension sends away those who wait and those who come, until it is over', () =>
  underMockedTime(async () => {
    const bucket = createTokenBucket({ requestsPerSecond: 1 })
    await bucket.take()
    const waiting = assert.rejects(bucket.take(), { name: 'NodeError', kind: 'later', retryAfterMs: 5_000 })
    bucket.suspend(Date.now() + 5_000)
    await waiting
    // A shorter one does not cut it short.
    bucket.suspend(Date.now() + 1_000)
    await pass(4_000)
    await assert.rejects(bucket.take(), { kind: 'later', retryAfterMs: 1_000 })
    await pass(1_000)
    await bucket.take()
    bucket.close()
  }))

test('a slower pace is kept for its time, and never exceeds the one configured', () =>
  underMockedTime(async () => {
    const bucket = createTokenBucket({ requestsPerSecond: 20 })
    bucket.slowDown(2, Date.now() + 10_000)
    const slow = takeMany(bucket, 100)
    await pass(5_000)
    assert(slow.length >= 9 && slow.length <= 11, `${slow.length}`)
    await pass(5_000)
    const before = slow.length
    await pass(2_000)
    assert(slow.length - before >= 36, `${slow.length - before}`)
    bucket.slowDown(1_000, Date.now() + 10_000)
    assert.equal(bucket.perSecond, 20)
    bucket.close()
  }))

test('a clock that is set back neither drains the bucket nor fills it', async () => {
  let nowMs = Date.now()
  const bucket = createTokenBucket({ requestsPerSecond: 100, clock: { now: () => new Date(nowMs) } })
  ;(await bucket.take())()
  nowMs += 1_000
  ;(await bucket.take())()
  nowMs -= 3_600_000
  for (let n = 0; n < 4; n++) (await bucket.take())()
  const sixth = assert.rejects(bucket.take(), /closed/)
  bucket.close()
  await sixth
})

test('closing sends everybody away', async () => {
  const bucket = createTokenBucket({ requestsPerSecond: 1 })
  await bucket.take()
  const waiting = assert.rejects(bucket.take(), { kind: 'failed', message: /closed/ })
  bucket.close()
  await waiting
  await assert.rejects(bucket.take(), { kind: 'failed', message: /closed/ })
})

test('a sighting never goes before anything else, and waits a request longer, in case more comes', () =>
  underMockedTime(async () => {
    const bucket = createTokenBucket({ requestsPerSecond: 10 })
    const order: string[] = []
    const take = (name: Turn | string, turn: Turn) =>
      bucket.take({ turn }).then(release => {
        order.push(name)
        release()
      })
    const all = [take('1', 'behind'), take('shown', 'display'), take('2', 'behind'), take('3', 'ahead')]
    // Crediting asks for the next as soon as it has one: sightings get nothing of the rate.
    for (let n = 4; n < 12; n++) {
      await pass(100)
      all.push(take(`${n}`, 'behind'))
    }
    await pass(500)
    assert(!order.slice(0, 9).includes('shown'), `${order}`)
    await pass(1_000)
    await Promise.all(all)
    assert.equal(order.at(-1), 'shown')
    bucket.close()
  }))

test('sightings leave one place at a node free', () =>
  underMockedTime(async () => {
    const bucket = createTokenBucket({ requestsPerSecond: 1_000, inFlightMax: 3 })
    let shown = 0
    for (let n = 0; n < 5; n++) {
      bucket.take({ turn: 'display' }).then(
        () => shown++,
        () => undefined, // Closed before their turn.
      )
    }
    await pass(100)
    assert.equal(shown, 2)
    await bucket.take()
    bucket.close()
  }))
