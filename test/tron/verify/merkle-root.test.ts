import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { encodeElement } from '../../../src/tron/protobuf.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import { merkleRoot } from '../../../src/tron/verify/merkle-root.ts'
import { blockMessage, producerKey, someId, token } from './block-messages.ts'
import { callVectors, treeVector, unknownFieldVector } from './block-vectors.ts'

const leaf = (i: number) => hash('sha256', `leaf ${i}`, 'hex')
const parent = (left: string, right: string) => hash('sha256', Buffer.from(left + right, 'hex'), 'hex')
const [a, b, c, d, e] = [0, 1, 2, 3, 4].map(leaf) as [string, string, string, string, string]

test('the root of a tree: none, one, pairs, and an odd last one that moves up unchanged', () => {
  assert.equal(merkleRoot([]), '0'.repeat(64))
  assert.equal(merkleRoot([a]), a)
  assert.equal(merkleRoot([a, b]), parent(a, b))
  assert.equal(merkleRoot([a, b, c]), parent(parent(a, b), c))
  assert.equal(merkleRoot([a, b, c, d, e]), parent(parent(parent(a, b), parent(c, d)), e))
  // As in the bitcoin's tree an odd one is not repeated: two lists would have one root.
  assert.notEqual(merkleRoot([a, b, c]), merkleRoot([a, b, c, c]))
})

test('the root of trees of every size to 40 is that of the definition', () => {
  const byDefinition = (level: string[]): string => {
    if (level.length === 1) return level[0]!
    const next = []
    for (let i = 0; i < level.length; i += 2) {
      next.push(level[i + 1] ? parent(level[i]!, level[i + 1]!) : level[i]!)
    }
    return byDefinition(next)
  }
  for (let size = 1; size <= 40; size++) {
    const leaves = Array.from({ length: size }, (_, i) => leaf(i))
    assert.equal(merkleRoot(leaves), byDefinition(leaves))
  }
})

test('the root of a real block of six transactions', () => {
  assert.equal(merkleRoot(treeVector.leaves), treeVector.root)
})

test('real transactions in a block: id, leaf, and what their senders signed', () => {
  const { secret: key, address: producer } = producerKey('one')
  const transactions = [...callVectors, unknownFieldVector].map(({ bytes }) => Buffer.from(bytes, 'hex'))
  const message = blockMessage({ height: 9, parentHash: someId(8), producer, key, transactions })
  const found = sentBlockOfMessage(message, token)!.transactions
  for (const [i, vector] of callVectors.entries()) {
    const { txid, leaf, contractType, contractRet, call } = found[i]!
    assert.deepEqual([txid, leaf, contractType, contractRet], [vector.txid, vector.leaf, 31, 'SUCCESS'])
    assert.deepEqual(
      [`41${call?.fromHex}`, `41${call?.toHex}`, `${call?.amount}`],
      [vector.fromAddress, vector.toAddress, vector.amount],
    )
  }
  const { leaf, contractType, contractRet, call } = found[2]!
  assert.deepEqual([leaf, contractType, contractRet, call], [unknownFieldVector.leaf, 57, 'SUCCESS', null])
  assert.ok(message.includes(encodeElement(1, transactions[2]!)))
})
