import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  readProducers,
  readProducersMessage,
  readSigners,
  readSignersMessage,
} from '../../../src/tron/node/producer-answers.ts'
import { encodeElement, encodeProtobuf } from '../../../src/tron/protobuf.ts'

const address = (n: number) => `41${n.toString(16).padStart(40, '0')}`
const bytes = (n: number) => Buffer.from(address(n), 'hex')
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Both transports' answers about so many producers at work, and some candidates. */
const witnesses = (count: number) => ({
  json: {
    witnesses: [
      ...numbers(count).map(n => ({ address: address(n), isJobs: true })),
      ...numbers(400).map(n => ({ address: address(10_000 + n) })),
    ],
  },
  message: Buffer.concat([
    ...numbers(count).map(n =>
      encodeElement(
        1,
        encodeProtobuf([
          [1, bytes(n)],
          [9, 1],
        ]),
      ),
    ),
    ...numbers(400).map(n => encodeElement(1, encodeProtobuf([[1, bytes(10_000 + n)]]))),
  ]),
})

/** An account with so many keys in its permission. */
const account = (count: number) => ({
  json: { witness_permission: { keys: numbers(count).map(n => ({ address: address(n) })) } },
  message: encodeElement(
    32,
    Buffer.concat(numbers(count).map(n => encodeElement(7, encodeProtobuf([[1, bytes(n)]])))),
  ),
})

test('of the witnesses those at work are read, and no more than there can be', () => {
  const some = witnesses(27)
  assert.deepEqual(readProducers(some.json), numbers(27).map(address))
  assert.deepEqual(readProducersMessage(some.message), numbers(27).map(address))
  const many = witnesses(101)
  assert.throws(() => readProducers(many.json), /witnesses should be at most 100/)
  assert.throws(() => readProducersMessage(many.message), /witnesses should be at most 100/)
})

test('the keys of a permission are read, and no more than there can be; without one the producer signs itself', () => {
  const some = account(2)
  assert.deepEqual(readSigners(some.json, address(7)), [address(0), address(1)])
  assert.deepEqual(readSignersMessage(some.message, address(7)), [address(0), address(1)])
  const many = account(6)
  assert.throws(() => readSigners(many.json, address(7)), /keys should be at most 5/)
  assert.throws(() => readSignersMessage(many.message, address(7)), /keys should be at most 5/)
  assert.deepEqual(readSigners({}, address(7)), [address(7)])
  assert.deepEqual(readSignersMessage(Buffer.alloc(0), address(7)), [address(7)])
})
