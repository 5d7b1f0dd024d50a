import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeTransferLog, type NodeLog, transferTopic } from '../../src/tron/transfer-log.ts'

const usdt = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
const sender = 'e5079969b8e71d3c8604a106819aef82cea0c55a'
const recipient = '118f7b4382bea375ee420f1b211a4619f3ba78ad'
const approvalTopic = '8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925'
const word = (hex: string) => hex.padStart(64, '0')
const transfer: NodeLog = {
  address: usdt,
  topics: [transferTopic, word(sender), word(recipient)],
  data: word('1dcd6500'),
}

test('a Transfer of the token is read: sender, recipient, amount in base units', () => {
  assert.deepEqual(decodeTransferLog(transfer, usdt), {
    kind: 'transfer',
    fromHex: sender,
    toHex: recipient,
    amount: 500_000_000n,
  })
})

test('every sender, recipient and amount up to 2^63 - 1 is read as it is', () => {
  const address = fc
    .uint8Array({ minLength: 20, maxLength: 20 })
    .map(bytes => Buffer.from(bytes).toString('hex'))
  fc.assert(
    fc.property(address, address, fc.bigInt(0n, 2n ** 63n - 1n), (fromHex, toHex, amount) => {
      const topics = [transferTopic, word(fromHex), word(toHex)]
      const decoded = decodeTransferLog({ address: usdt, topics, data: word(amount.toString(16)) }, usdt)
      assert.deepEqual(decoded, { kind: 'transfer', fromHex, toHex, amount })
    }),
  )
})

const nothing: [name: string, log: NodeLog][] = [
  ["another token's Transfer", { ...transfer, address: 'eca9bc828a3005b9a3b909f2cc5c2a54794de05f' }],
  ['a lookalike one digit off', { ...transfer, address: 'a614f803b6fd780986a42c78ec9c7f77e6ded13d' }],
  ['an Approval of the token', { ...transfer, topics: [approvalTopic, ...transfer.topics!.slice(1)] }],
  ['a Transfer with four topics', { ...transfer, topics: [...transfer.topics!, word('01')], data: '' }],
  ['a log without topics', { address: usdt, data: word('01') }],
]
for (const [name, log] of nothing) {
  test(`${name} is no transfer`, () => assert.equal(decodeTransferLog(log, usdt), null))
}

const unreadable: [name: string, log: NodeLog, reason: RegExp][] = [
  ['without data', { address: usdt, topics: transfer.topics! }, /the data/],
  ['with data one byte short', { ...transfer, data: transfer.data!.slice(2) }, /the data/],
  ['with data one byte long', { ...transfer, data: `00${transfer.data}` }, /the data/],
  ['with data that is not hex', { ...transfer, data: `0x${transfer.data!.slice(2)}` }, /the data/],
  ['of 2^63 units', { ...transfer, data: word((2n ** 63n).toString(16)) }, /more than there can be/],
  ['of 2^256 - 1 units', { ...transfer, data: 'f'.repeat(64) }, /more than there can be/],
  ['with two topics', { ...transfer, topics: transfer.topics!.slice(0, 2) }, /3 topics, this one 2/],
  ['with five topics', { ...transfer, topics: [...transfer.topics!, word('1'), word('2')] }, /this one 5/],
  ['from a dirty topic', withTopic(1, `${'0'.repeat(22)}41${sender}`), /sender/],
  ['to a dirty topic', withTopic(2, `${'0'.repeat(22)}41${recipient}`), /recipient/],
  ['to a topic with its first byte set', withTopic(2, `80${word(recipient).slice(2)}`), /recipient/],
  ['to a short topic', withTopic(2, recipient), /recipient/],
  ['to a topic one digit of which is no hex', withTopic(2, word(`${recipient.slice(0, -1)}g`)), /recipient/],
  ['to a topic with 0x in front', withTopic(2, `0x${word(recipient)}`), /recipient/],
  ['whose event is spelled in capitals', withTopic(0, transferTopic.toUpperCase()), /first topic/],
  ['whose event is spelled with 0x', withTopic(0, `0x${transferTopic}`), /first topic/],
]
for (const [name, log, reason] of unreadable) {
  test(`a Transfer of the token ${name} cannot be decoded, and says why`, () => {
    const decoded = decodeTransferLog(log, usdt)
    assert(decoded?.kind === 'undecodable')
    assert.match(decoded.reason, reason)
    const lookalike = decodeTransferLog({ ...log, address: 'eca9bc828a3005b9a3b909f2cc5c2a54794de05f' }, usdt)
    assert.equal(lookalike, null, 'and is nobody’s business when another contract emits it')
  })
}

function withTopic(index: number, topic: string): NodeLog {
  return { ...transfer, topics: transfer.topics!.toSpliced(index, 1, topic) }
}
