import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { MessageError, MessageFields } from '../../../src/tron/message-fields.ts'
import { encodeElement } from '../../../src/tron/protobuf.ts'
import { sentBlockOfJson } from '../../../src/tron/verify/block-json.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import { knownProducers } from '../../../src/tron/verify/block-producer.ts'
import { emptyRoot } from '../../../src/tron/verify/merkle-root.ts'
import type { SentBlock } from '../../../src/tron/verify/sent-block.ts'
import { checkContent, verifyBlock, verifyHeader } from '../../../src/tron/verify/verify-block.ts'
import { recorded, skipWithoutRecorded } from '../recorded.ts'
import {
  blockMessage,
  bob,
  jsonOfMessage,
  producerKey,
  rawData,
  someId,
  token,
  transaction,
  transferData,
  triggerMessage,
  variedTransactions,
} from './block-messages.ts'

const { secret: key, address: producer } = producerKey('one')
const parts = { height: 1_000, parentHash: someId(999), producer, key }
const message = blockMessage({ ...parts, transactions: variedTransactions() })
const block = sentBlockOfMessage(message, token)!
const producers = knownProducers(new Map([[producer, [producer]]]))

test('a block of transactions of every shape is verified, first by recovering the key, then with it', () => {
  assert.equal(producers.publicKeys.size, 0)
  for (const _ of [1, 2]) assert.deepEqual(verifyBlock(block, producers), { kind: 'verified', producer })
  assert.equal(producers.publicKeys.size, 1)
  assert.deepEqual(
    block.transactions.map(({ contractType, contractRet, call }) => [
      contractType,
      contractRet,
      call?.amount,
    ]),
    [
      [31, 'SUCCESS', 1n],
      [31, 'SUCCESS', 2n],
      [31, 'SUCCESS', 3n],
      [31, 'SUCCESS', 4n],
      [31, 'REVERT', 5n],
      [1, null, undefined],
      [31, 'SUCCESS', undefined],
    ],
  )
})

test('an empty block is verified, and no answer is no block', () => {
  const empty = sentBlockOfMessage(blockMessage({ ...parts, transactions: [] }), token)!
  assert.equal(empty.root, emptyRoot)
  assert.equal(verifyBlock(empty, producers).kind, 'verified')
  assert.equal(sentBlockOfMessage(Buffer.alloc(0), token), null)
  assert.equal(sentBlockOfJson({}, token), null)
})

test('every changed bit of a block is refused, or is one that nobody signs and nothing reads', () => {
  const flipped = blockMessage({ ...parts, transactions: variedTransactions().slice(1, 4) })
  const sent = sentBlockOfMessage(flipped, token)!
  const free = uncommitted(flipped)
  const refused = new Set<string>()
  let ignored = 0
  for (let bit = 0; bit < flipped.length * 8; bit++) {
    const outcome = afterFlip(flipped, sent, bit)
    if (outcome === 'unchanged') {
      assert.ok(free.has(bit >>> 3), `byte ${bit >>> 3}, bit ${bit & 7} is committed to`)
      ignored++
    } else refused.add(outcome)
  }
  for (const why of ['MessageError', 'id', 'root', 'signature']) assert.ok(refused.has(why), why)
  assert.ok(ignored > 0)
})

test('changed bits of a real block of 619 transactions are refused, or are of those', {
  skip: skipWithoutRecorded,
}, () => {
  const hex = recorded('verify.mainnet-79072107-blockextention.json').blockExtention
  const real = Buffer.from(hex.slice(2), 'hex')
  const sent = sentBlockOfMessage(real, token)!
  const { srs, witnessDelegatees } = recorded('verify.mainnet-headers-78000000-78000099.json')
  const known = knownProducers(
    new Map(srs.map((sr: string, i: number) => [`41${sr.slice(2)}`, [`41${witnessDelegatees[i].slice(2)}`]])),
  )
  assert.equal(verifyBlock(sent, known).kind, 'verified')
  const free = uncommitted(real)
  fc.assert(
    fc.property(fc.nat(real.length * 8 - 1), bit => {
      const isCommitted = !free.has(bit >>> 3)
      if (isCommitted) assert.notEqual(afterFlip(real, sent, bit, known), 'unchanged')
      else afterFlip(real, sent, bit, known)
    }),
    { numRuns: 150 },
  )
  // The header is a thousandth of it.
  const from = real.length - 250
  for (let bit = from * 8; bit < real.length * 8; bit += 5) {
    if (afterFlip(real, sent, bit, known) === 'unchanged') assert.ok(free.has(bit >>> 3))
  }
})

test('what does not fit is named', () => {
  const why = (sent: SentBlock) => {
    const verified = verifyBlock(sent, producers)
    return verified.kind === 'unverified' ? verified.why : null
  }
  assert.equal(why(block), null)
  assert.equal(why({ ...block, id: someId(1_000) }), 'id')
  assert.equal(why({ ...block, height: 1_001 }), 'id')
  assert.equal(why({ ...block, transactions: [] }), 'empty-under-root')
  assert.equal(why({ ...block, transactions: block.transactions.slice(0, -1) }), 'root')
  assert.equal(why({ ...block, transactions: [...block.transactions].reverse() }), 'root')
  assert.equal(why({ ...block, transactions: [...block.transactions, block.transactions[6]!] }), 'root')
  assert.equal(why({ ...block, transactions: block.transactions.map(t => ({ ...t, leaf: null })) }), 'leaf')
  const stranger = producerKey('stranger')
  assert.equal(why(made({ producer: stranger.address, key: stranger.secret })), 'stranger')
  assert.equal(why(made({ key: stranger.secret })), 'signature', 'in the name of a known one')
  assert.equal(why({ ...block, signature: Buffer.alloc(0) }), 'signature')
  assert.equal(why(made({ root: emptyRoot })), 'root', 'transactions under the root of none')
  // Its header alone is verified by its signature: a liar that is a producer may commit to anything.
  assert.equal(verifyHeader(made({ root: emptyRoot }), producers).kind, 'verified')
})

test('a header of a block that a verified one names needs no signature', () => {
  const stranger = producerKey('stranger')
  assert.equal(checkContent(made({ producer: stranger.address, key: stranger.secret })), null)
})

test('a node of the tree cannot be shown as a transaction, with those below it hidden', () => {
  const [first, second] = variedTransactions()
  const leaves = [first!, second!].map(bytes => hash('sha256', bytes, 'buffer'))
  const node = Buffer.concat(leaves)
  const hidden = sentBlockOfMessage(blockMessage({ ...parts, transactions: [first!, second!] }), token)!
  assert.equal(hash('sha256', node, 'hex'), hidden.root, 'its hash is the root')
  // By trying many transactions one could find two whose hashes read as a transaction. This one is of that length and reads as one.
  const short = transaction(
    Buffer.concat([encodeElement(11, Buffer.alloc(40, 0)), encodeElement(10, Buffer.alloc(18))]),
    [],
    [],
  )
  assert.equal(short.length, 64)
  const withShort = Buffer.concat([encodeElement(1, encodeElement(1, short)), message])
  assert.throws(() => sentBlockOfMessage(withShort, token), MessageError)
  const json = jsonOfMessage(message) as { transactions: unknown[] }
  json.transactions[0] = { raw_data_hex: short.subarray(2).toString('hex') }
  assert.throws(() => sentBlockOfJson(json, token), MessageError)
})

test('a field that a sender wrote beside raw_data, under its number, makes no block unreadable', () => {
  // Outside of what is signed, and kept by java-tron as an unknown field.
  const odd = Buffer.concat([
    transaction(rawData(triggerMessage(transferData(bob, 3n)))),
    Buffer.from([8, 1]),
  ])
  const { secret: key, address: producer } = producerKey('one')
  const message = blockMessage({ height: 9, parentHash: someId(8), producer, key, transactions: [odd] })
  const block = sentBlockOfMessage(message, token)!
  assert.equal(checkContent(block), null)
  assert.equal(block.transactions[0]!.call?.amount, 3n)
})

test('a message that is not a block is refused with the error of messages, whatever its bytes', () => {
  const header = messageFields(message)
  const parts: [string, Buffer][] = [
    ['without its header', Buffer.concat([header.transactions, header.id])],
    ['without its id', Buffer.concat([header.transactions, header.header])],
    ['with two headers', Buffer.concat([message, header.header])],
    ['with two ids', Buffer.concat([message, header.id])],
    ['with a transaction without bytes', Buffer.concat([encodeElement(1, Buffer.alloc(0)), message])],
    [
      'with an empty transaction',
      Buffer.concat([encodeElement(1, encodeElement(1, Buffer.alloc(0))), message]),
    ],
    ['cut off', message.subarray(0, -1)],
  ]
  for (const [what, bytes] of parts) assert.throws(() => sentBlockOfMessage(bytes, token), MessageError, what)
  const many = Buffer.concat(
    Array(20_001).fill(encodeElement(1, encodeElement(1, encodeElement(1, Buffer.from([8, 1]))))),
  )
  assert.throws(() => sentBlockOfMessage(many, token), /more than 20000/)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(message.length), (bytes, at) => {
      for (const damaged of [
        Buffer.from(bytes),
        Buffer.concat([message.subarray(0, at), bytes, message.subarray(at)]),
      ]) {
        try {
          const sent = sentBlockOfMessage(damaged, token)
          if (sent) verifyBlock(sent, producers)
        } catch (error) {
          if (!(error instanceof MessageError)) throw error
        }
      }
    }),
    { numRuns: 500 },
  )
})

function made(changes: Partial<Parameters<typeof blockMessage>[0]>): SentBlock {
  return sentBlockOfMessage(
    blockMessage({ ...parts, transactions: variedTransactions(), ...changes }),
    token,
  )!
}

/** @returns the reason why a message with one bit changed is refused; `unchanged` if it is verified and says the same. */
function afterFlip(original: Buffer, sent: SentBlock, bit: number, known = producers): string {
  const flipped = Buffer.from(original)
  flipped[bit >>> 3]! ^= 1 << (bit & 7)
  let read: SentBlock | null
  try {
    read = sentBlockOfMessage(flipped, token)
  } catch (error) {
    assert.ok(error instanceof MessageError)
    return 'MessageError'
  }
  assert.ok(read)
  const verified = verifyBlock(read, known)
  if (verified.kind === 'unverified') return verified.why
  const { signature: _, ...content } = read
  const { signature: __, ...before } = sent
  assert.deepEqual(content, before, `bit ${bit} changes what is taken from a verified block`)
  return 'unchanged'
}

/**
 * The bytes that are not committed to: what java-tron puts around transactions (a length, the id, which we compute, and its
 * own results), and of the header's signature what follows r and s.
 */
function uncommitted(bytes: Buffer): Set<number> {
  const free = new Set<number>()
  const add = (from: number, to: number) => {
    for (let at = from; at < to; at++) free.add(at)
  }
  const fields = new MessageFields(bytes)
  let end = 0
  while (fields.next()) {
    const inner = fields.number === 3 ? null : fields.nested()
    // Shorter by one of the fields around the transaction, which is then one of the block, and unknown.
    if (fields.number === 1) add(end + 1, fields.start)
    end = fields.end
    let before = fields.start
    while (inner?.next()) {
      if (fields.number === 1 && inner.number !== 1) add(before, inner.end)
      if (fields.number === 2 && inner.number === 2) add(inner.start + 64, inner.end)
      before = inner.end
    }
  }
  return free
}

function messageFields(bytes: Buffer): { transactions: Buffer; header: Buffer; id: Buffer } {
  const fields = new MessageFields(bytes)
  let [before, headerAt, idAt] = [0, 0, 0]
  while (fields.next()) {
    if (fields.number === 2) headerAt = before
    if (fields.number === 3) idAt = before
    before = fields.end
  }
  return {
    transactions: bytes.subarray(0, headerAt),
    header: bytes.subarray(headerAt, idAt),
    id: bytes.subarray(idAt),
  }
}
