import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseBusyError } from '../../src/db/outage.ts'
import { shareRoundTrips } from '../../src/db/shared-round-trip.ts'
import { toGatewayError } from '../../src/http/answer-errors.ts'

const bounds = { itemsMax: 10, waitingMax: 100, inFlightMax: 1 }

/** Round trips that end when told to. */
function heldRuns() {
  const batches: { items: readonly number[]; end(results: number[]): void; fail(error: Error): void }[] = []
  const run = (items: readonly number[]) =>
    new Promise<number[]>((resolve, reject) => batches.push({ items, end: resolve, fail: reject }))
  return { batches, run }
}

const turn = () => new Promise(resolve => setImmediate(() => setImmediate(resolve)))

test('what is asked for during a round trip goes out together in the next, each with its own result', async () => {
  const { batches, run } = heldRuns()
  const ask = shareRoundTrips({ ...bounds, run })
  const first = ask(1)
  await turn()
  const others = [2, 3, 4].map(ask)
  await turn()
  assert.deepEqual(
    batches.map(batch => batch.items),
    [[1]],
  )
  batches[0]!.end([10])
  assert.equal(await first, 10)
  await turn()
  assert.deepEqual(batches[1]!.items, [2, 3, 4])
  batches[1]!.end([20, 30, 40])
  assert.deepEqual(await Promise.all(others), [20, 30, 40])
})

test('what is asked for in one turn of the event loop goes out together, as many as may', async () => {
  const { batches, run } = heldRuns()
  const ask = shareRoundTrips({ ...bounds, inFlightMax: 2, run })
  for (let i = 0; i < 25; i++) void ask(i)
  await turn()
  assert.deepEqual(
    batches.map(batch => batch.items.length),
    [10, 10],
  )
})

test('a round trip that fails for a lasting reason is run again one by one: one bad item fails alone', async () => {
  const runs: number[][] = []
  const ask = shareRoundTrips<number, number>({
    ...bounds,
    run: async items => {
      runs.push([...items])
      if (items.includes(3)) throw new Error('three is bad')
      return items.map(item => item * 10)
    },
  })
  const settled = await Promise.allSettled([1, 2, 3, 4].map(ask))
  assert.deepEqual(runs, [[1, 2, 3, 4], [1], [2], [3], [4]])
  assert.deepEqual(
    settled.map(s => (s.status === 'fulfilled' ? s.value : String(s.reason))),
    [10, 20, 'Error: three is bad', 40],
  )
})

test('a round trip the database was away for fails for all of them, and is not run again', async () => {
  let runs = 0
  const ask = shareRoundTrips<number, number>({
    ...bounds,
    run: async () => {
      runs++
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    },
  })
  const settled = await Promise.allSettled([1, 2, 3].map(ask))
  assert.ok(settled.every(s => s.status === 'rejected' && s.reason.code === 'ECONNREFUSED'))
  assert.equal(runs, 1)
})

test('when too many wait, the next is told so at once', async () => {
  const { run } = heldRuns()
  const ask = shareRoundTrips({ ...bounds, waitingMax: 3, run })
  void ask(0)
  await turn()
  for (let i = 1; i <= 3; i++) void ask(i)
  const refused = await ask(4).catch(error => error)
  assert(refused instanceof DatabaseBusyError)
  const answer = toGatewayError(refused)
  assert.deepEqual([answer.code, answer.retryAfterS], ['unavailable', 1])
})
