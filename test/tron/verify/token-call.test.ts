import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { encodeElement, encodeProtobuf } from '../../../src/tron/protobuf.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import type { SentTransaction } from '../../../src/tron/verify/sent-block.ts'
import { readContract } from '../../../src/tron/verify/token-call.ts'
import {
  alice,
  blockMessage,
  bob,
  contractMessage,
  producerKey,
  rawData,
  someId,
  success,
  token,
  transaction,
  transferData,
  transferFromData,
  triggerMessage,
} from './block-messages.ts'

const tokenBytes = Buffer.from(token, 'hex')
const plain = triggerMessage(transferData(bob, 7n))
const read = (raw: Buffer) => readContract(new MessageFields(raw), tokenBytes)
const inHex = (from: Buffer, to: Buffer) => ({ fromHex: from.toString('hex'), toHex: to.toString('hex') })
const call = { ...inHex(alice, bob), amount: 7n }

test('the transfer that a sender signed is read from transfer and transferFrom', () => {
  assert.deepEqual(read(rawData(plain)), { contractType: 31, call })
  const carol = Buffer.alloc(20, 0xca)
  const from = read(rawData(triggerMessage(transferFromData(carol, bob, 8n))))
  assert.deepEqual(from.call, { ...inHex(carol, bob), amount: 8n })
})

test('every recipient and amount up to 2^63 - 1 is read as it is, and none above', () => {
  const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytes => Buffer.from(bytes))
  fc.assert(
    fc.property(address, fc.bigInt(0n, 2n ** 65n), (to, amount) => {
      const found = read(rawData(triggerMessage(transferData(to, amount)))).call
      assert.deepEqual(found, amount < 2n ** 63n ? { ...inHex(alice, to), amount } : null)
    }),
  )
})

const accepted: [string, Buffer][] = [
  [
    '41 in front of the recipient',
    rawData(triggerMessage(transferData(bob, 7n, `${'0'.repeat(22)}41${'b0'.repeat(20)}`))),
  ],
  ['bytes behind the arguments', rawData(triggerMessage(`${transferData(bob, 7n)}00ff`))],
  [
    'an unknown field and a group in the call',
    rawData(Buffer.concat([plain, hex('a306080fa406'), hex('920f00')])),
  ],
  ['an unknown field in raw_data', Buffer.concat([rawData(plain), encodeProtobuf([[1002, 'x']])])],
]
for (const [what, raw] of accepted) {
  test(`a call is read with ${what}`, () => assert.deepEqual(read(raw), { contractType: 31, call }))
}

const others: [string, Buffer, number | null][] = [
  [
    'a call of another token',
    rawData(triggerMessage(transferData(bob, 7n), 'eca9bc828a3005b9a3b909f2cc5c2a54794de05f')),
    31,
  ],
  ['a call of another function', rawData(triggerMessage(`70a08231${transferData(bob, 7n).slice(8)}`)), 31],
  ['a call without data', rawData(triggerMessage('')), 31],
  ['a call of three bytes', rawData(triggerMessage('a9059c')), 31],
  ['transfer one byte short', rawData(triggerMessage(transferData(bob, 7n).slice(0, -2))), 31],
  ['transferFrom one byte short', rawData(triggerMessage(transferFromData(alice, bob, 7n).slice(0, -2))), 31],
  ['transferFrom without words', rawData(triggerMessage('23b872dd')), 31],
  ['an amount of 2^64', rawData(triggerMessage(transferData(bob, 2n ** 64n))), 31],
  ['an amount of 2^256 - 1', rawData(triggerMessage(transferData(bob, 2n ** 256n - 1n))), 31],
  ['a contract of 20 bytes', rawData(trigger([[1, address('41', alice)], [2, tokenBytes], data()])), 31],
  [
    'a contract with another prefix',
    rawData(trigger([[1, address('41', alice)], [2, address('a0', tokenBytes)], data()])),
    31,
  ],
  ['no owner', rawData(trigger([[2, address('41', tokenBytes)], data()])), 31],
  ['an owner of 20 bytes', rawData(trigger([[1, alice], [2, address('41', tokenBytes)], data()])), 31],
  ['another message under this type', rawData(plain, 31, 'TransferContract'), 31],
  ['this message under another type', rawData(plain, 1), 1],
  ['no contract', encodeProtobuf([[8, 1]]), null],
  ['two contracts', Buffer.concat([rawData(plain), encodeElement(11, contractMessage(plain))]), null],
  // java-tron takes the last of a field: reading the first would believe what is not done.
  ['the contract twice', rawData(Buffer.concat([plain, encodeProtobuf([[2, address('41', bob)]])])), null],
  ['the data twice', rawData(Buffer.concat([plain, encodeProtobuf([data(9n)])])), null],
  ['the owner twice', rawData(Buffer.concat([plain, encodeProtobuf([[1, address('41', bob)]])])), null],
  ['the type twice', withContract(Buffer.concat([contractMessage(plain), encodeProtobuf([[1, 1]])])), null],
  [
    'the parameter twice',
    withContract(Buffer.concat([contractMessage(plain), encodeElement(2, plain)])),
    null,
  ],
  [
    'data as a number',
    rawData(
      Buffer.concat([
        trigger([
          [1, address('41', alice)],
          [2, address('41', tokenBytes)],
        ]),
        hex('2005'),
      ]),
    ),
    null,
  ],
  ['raw_data that is no message', hex('ffff'), null],
  ['raw_data cut off', rawData(plain).subarray(0, -1), null],
]
for (const [what, raw, contractType] of others) {
  test(`it is no signed transfer: ${what}`, () => assert.deepEqual(read(raw), { contractType, call: null }))
}

test('what strangers write into a transaction never makes its block unreadable', () => {
  const { secret: key, address: producer } = producerKey('one')
  const inBlock = (bytes: Buffer): SentTransaction => {
    const message = blockMessage({ height: 5, parentHash: someId(4), producer, key, transactions: [bytes] })
    return sentBlockOfMessage(message, token)!.transactions[0]!
  }
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 100 }).map(found => Buffer.from(found))
  fc.assert(
    fc.property(bytes, bytes, (raw, result) => {
      const transactionBytes = transaction(raw, undefined, [result])
      if (transactionBytes.length !== 64) assert.ok(inBlock(transactionBytes).leaf)
    }),
  )
  const ret = (...results: Buffer[]) => inBlock(transaction(rawData(plain), undefined, results)).contractRet
  assert.equal(ret(success), 'SUCCESS')
  assert.equal(ret(), null)
  assert.equal(ret(Buffer.alloc(0)), 'DEFAULT')
  assert.equal(ret(encodeProtobuf([[3, 15]])), 'INVALID_CODE')
  assert.equal(ret(encodeProtobuf([[3, 16]])), null, 'a result that is not known')
  assert.equal(ret(Buffer.concat([encodeProtobuf([[3, 2]]), success])), null, 'two results in one')
  assert.equal(ret(encodeProtobuf([[3, 2]]), success), 'REVERT', 'the first counts, as in java-tron')
  assert.equal(ret(hex('1a00')), null, 'as bytes')
  assert.equal(ret(hex('ff')), null, 'cut off')
  assert.equal(ret(Buffer.concat([success, encodeProtobuf([[1002, 'twelve bytes']])])), 'SUCCESS')
})

function trigger(fields: Parameters<typeof encodeProtobuf>[0]): Buffer {
  return encodeProtobuf(fields)
}

function data(amount = 7n): [number, Buffer] {
  return [4, hex(transferData(bob, amount))]
}

function withContract(contract: Buffer): Buffer {
  return encodeElement(11, contract)
}

function address(prefix: string, bytes20: Buffer): Buffer {
  return Buffer.concat([hex(prefix), bytes20])
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}
