import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BlockHeader, blockId } from '../../../src/tron/block-id.ts'
import type { NodeBlock, NodeTransactionInfo } from '../../../src/tron/node/node-answers.ts'
import { joinSolidBlock } from '../../../src/tron/node/solid-block.ts'
import { transferTopic } from '../../../src/tron/transfer-log.ts'

const usdt = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
const other = 'eca9bc828a3005b9a3b909f2cc5c2a54794de05f'
const timeMs = 1_785_491_841_000

const log = fc.record({
  token: fc.constantFrom(usdt, usdt, other),
  event: fc.constantFrom(transferTopic, transferTopic, '8c'.repeat(32)),
  amount: fc.nat(5),
})
const transaction = fc.record({ succeeded: fc.boolean(), logs: fc.array(log, { maxLength: 8 }) })

test('of any block, each USDT transfer above zero of a transaction that succeeded is found once, at its place', () => {
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 12 }), transactions => {
      const { block, infos } = blockOf(transactions)
      const found = joinSolidBlock(7, block, infos, usdt)
      const expected = transactions.flatMap(({ succeeded, logs }, txIndex) =>
        logs.flatMap(({ token, event, amount }, logIndex) =>
          succeeded && token === usdt && event === transferTopic && amount > 0
            ? [{ txid: block.txids[txIndex], txIndex, logIndex, amount: BigInt(amount) }]
            : [],
        ),
      )
      assert.deepEqual(
        found.transfers.map(({ txid, txIndex, logIndex, amount }) => ({ txid, txIndex, logIndex, amount })),
        expected,
      )
      assert.deepEqual(found.undecodable, [])
    }),
  )
})

test('a block without one of its infos, or with one put elsewhere, is never taken', () => {
  fc.assert(
    fc.property(fc.array(transaction, { minLength: 2, maxLength: 12 }), fc.nat(), (transactions, pick) => {
      const { block, infos } = blockOf(transactions)
      const i = pick % infos.length
      assert.throws(() => joinSolidBlock(7, block, infos.toSpliced(i, 1), usdt), { name: 'NodeError' })
      const moved = infos.toSpliced(i, 1).toSpliced((i + 1) % infos.length, 0, infos[i]!)
      assert.throws(() => joinSolidBlock(7, block, moved, usdt), { name: 'NodeError' })
    }),
  )
})

test('the id of a block is that of its header, as a real one shows, and any change of the header changes it', () => {
  // Nile's block 66987565.
  const header: BlockHeader = {
    number: 66987565,
    txTrieRoot: 'faf8fe3858339ead25cc892461c82a59b84dca4a51c45b026676bf3f45a352a2',
    witness_address: '41b2f713d57dbcec679d93a8849fa0cd0e4db594ba',
    parentHash: '0000000003fe262c85cd6b02033f4c3e5c1efa35de256a17bd906dc61fb1aeed',
    version: 34,
    timestamp: 1777445121000,
  }
  const id = '0000000003fe262d52bfa4b2814f816fd2e57af5b98a33d60d8630a03a908e0e'
  assert.equal(blockId(header), id)
  const changes: BlockHeader[] = [
    { timestamp: 1777445121001 },
    { number: 66987566 },
    { version: 35 },
    { witness_id: 1 },
    { txTrieRoot: '00'.repeat(32) },
    { parentHash: 'ff'.repeat(32) },
    { accountStateRoot: '01' },
  ]
  for (const change of changes) assert.notEqual(blockId({ ...header, ...change }), id)
})

function blockOf(
  transactions: readonly { succeeded: boolean; logs: { token: string; event: string; amount: number }[] }[],
): {
  block: NodeBlock
  infos: NodeTransactionInfo[]
} {
  const txids = transactions.map((_, i) => String(i).padStart(64, 'a'))
  const hash = `${'7'.padStart(16, '0')}${'ab'.repeat(24)}`
  return {
    block: { height: 7, hash, parentHash: hash, time: new Date(timeMs), txids, header: null, sent: null },
    infos: transactions.map(({ succeeded, logs }, i) => ({
      txid: txids[i]!,
      height: 7,
      timeMs,
      succeeded,
      failed: !succeeded,
      logs: logs.map(({ token, event, amount }) => ({
        address: token,
        topics: [event, '11'.repeat(20).padStart(64, '0'), '22'.repeat(20).padStart(64, '0')],
        data: amount.toString(16).padStart(64, '0'),
      })),
    })),
  }
}
