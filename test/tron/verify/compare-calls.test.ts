import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import type { UsdtTransfer } from '../../../src/tron/block.ts'
import { compareCalls } from '../../../src/tron/verify/compare-calls.ts'
import type { SentBlock, SentTransaction } from '../../../src/tron/verify/sent-block.ts'
import { alice, bob } from './block-messages.ts'

const carol = 'ca'.repeat(20)
const call = { fromHex: alice.toString('hex'), toHex: bob.toString('hex'), amount: usdt(7n) }
const direct = transaction('direct', { call })
const foreign = transaction('foreign', {})
const block = blockOf(direct, foreign)
const transfer: UsdtTransfer = { txid: 'direct', txIndex: 0, logIndex: 0, ...call, signed: false }
const inner: UsdtTransfer = { txid: 'foreign', txIndex: 1, logIndex: 3, ...call, signed: false }
const nothing = { signed: [], unlogged: [], differing: [], contradicted: [] }

test('a transfer that its sender signed is signed; one that a contract made is not', () => {
  assert.deepEqual(compared([transfer, inner]), { ...nothing, signed: [transfer] })
})

const lies: [string, Partial<typeof nothing> | object, UsdtTransfer[], SentBlock?][] = [
  ['another amount', { differing: ['direct'] }, [{ ...transfer, amount: usdt(8n) }]],
  ['another recipient', { differing: ['direct'] }, [{ ...transfer, toHex: carol }]],
  ['another sender', { differing: ['direct'] }, [{ ...transfer, fromHex: carol }]],
  // At another position it has another key, and is credited again when an honest node shows it at 0.
  ['another position in the logs', { differing: ['direct'] }, [{ ...transfer, logIndex: 1 }]],
  ['shown twice', { differing: ['direct'] }, [transfer, { ...transfer, logIndex: 1 }]],
  [
    'with another beside it',
    { differing: ['direct'] },
    [transfer, { ...transfer, logIndex: 1, toHex: carol }],
  ],
  ['hidden', { unlogged: ['direct'] }, []],
  ["in a stranger's transaction", { unlogged: ['direct'] }, [inner]],
  ['under another id', { contradicted: ['forged'] }, [{ ...transfer, txid: 'forged' }]],
  [
    "at another transaction's position",
    { unlogged: ['direct'], contradicted: ['direct'] },
    [{ ...transfer, txIndex: 1 }],
  ],
  ['beyond the block', { unlogged: ['direct'], contradicted: ['direct'] }, [{ ...transfer, txIndex: 2 }]],
  [
    'in a transaction that failed',
    { contradicted: ['direct'] },
    [transfer],
    blockOf(transaction('direct', { call, contractRet: 'REVERT' })),
  ],
  [
    'in a transaction without a result',
    { contradicted: ['direct'] },
    [transfer],
    blockOf(transaction('direct', { call, contractRet: null })),
  ],
  [
    'in a transaction that runs no contract',
    { contradicted: ['trx'] },
    [{ ...transfer, txid: 'trx' }],
    blockOf(transaction('trx', { contractType: 1 })),
  ],
]
for (const [what, expected, transfers, of = block] of lies) {
  test(`a transfer is not signed: ${what}`, () => {
    assert.deepEqual(compared(transfers, of), { ...nothing, ...expected })
  })
}

test('what shows no transfer and should not is no difference', () => {
  const zero = blockOf(transaction('zero', { call: { ...call, amount: usdt(0n) } }))
  assert.deepEqual(compared([], zero), nothing, 'transfers of 0 are left out')
  assert.deepEqual(
    compared([], blockOf(transaction('failed', { call, contractRet: 'OUT_OF_ENERGY' }))),
    nothing,
  )
  assert.deepEqual(compared([], blockOf(foreign)), nothing)
})

test('transfers inside a contract call, in a constructor, and in what cannot be read are left to a second node', () => {
  for (const contractType of [31, 30, null]) {
    const only = { ...inner, txIndex: 0 }
    assert.deepEqual(
      compared([only, { ...only, logIndex: 4 }], blockOf(transaction('foreign', { contractType }))),
      nothing,
    )
  }
})

function compared(transfers: UsdtTransfer[], of: SentBlock = block): object {
  const { signed, ...others } = compareCalls(transfers, of)
  return { signed: [...signed], ...others }
}

function transaction(txid: string, facts: Partial<SentTransaction>): SentTransaction {
  return { txid, leaf: '', contractType: 31, contractRet: 'SUCCESS', call: null, ...facts }
}

function blockOf(...transactions: SentTransaction[]): SentBlock {
  return { transactions } as unknown as SentBlock
}
