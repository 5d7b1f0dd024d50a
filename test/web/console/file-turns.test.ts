import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '../../../src/base/ids.ts'
import { openFileTurns } from '../../../src/web/console/parts/file-turns.ts'

const [ann, bob] = [1n as UserId, 2n as UserId]

test('a person takes two files at once, and a third when one has ended', () => {
  const files = openFileTurns()
  const [end] = [files.begin(ann), files.begin(ann)]
  assert.throws(() => files.begin(ann), /too many files/)
  files.begin(bob)
  end()
  end() // Ended once.
  files.begin(ann)
  assert.throws(() => files.begin(ann), /too many files/)
})

test('at most three files read at one moment, and one that nobody takes is in no other way', async () => {
  const files = openFileTurns()
  let reading = 0
  let most = 0
  let ended = 0
  async function* lines() {
    try {
      for (let n = 0; n < 50; n++) {
        most = Math.max(most, ++reading)
        await new Promise(resolve => setImmediate(resolve))
        reading--
        yield n
      }
    } finally {
      ended++
    }
  }
  // Its reader has stopped for good after the first line.
  const slow = files.inTurn(lines())
  await slow.next()
  const taken = await Promise.all(
    Array.from({ length: 8 }, async () => {
      let count = 0
      for await (const _ of files.inTurn(lines())) count++
      return count
    }),
  )
  assert.deepEqual(taken, Array(8).fill(50))
  assert.equal(most, 3)
  await slow.return(undefined)
  assert.equal(ended, 9)
})

test('a read that fails gives its turn back', async () => {
  const files = openFileTurns()
  async function* broken() {
    yield* []
    throw new Error('the database is away')
  }
  for (let n = 0; n < 5; n++) await assert.rejects(files.inTurn(broken()).next(), /away/)
  const { value } = await files
    .inTurn(
      (async function* () {
        yield 'line'
      })(),
    )
    .next()
  assert.equal(value, 'line')
})
