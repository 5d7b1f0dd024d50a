import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { compareHistory, type TransferFact } from '../../src/transfers/compare-history.ts'

const fact = (txid: string, amount = 1n, from = 'payer'): TransferFact => ({
  txid,
  from,
  to: 'us',
  amount: usdt(amount),
  time: new Date(0),
})

test('the same transfers in another order do not differ', () => {
  const ours = [fact('a'), fact('b', 2n), fact('b', 3n)]
  assert.deepEqual(compareHistory(ours.toReversed(), ours), { missing: [], extra: [] })
})

test('two equal transfers in one transaction are two', () => {
  const [one, two] = [fact('a'), fact('a')]
  assert.deepEqual(compareHistory([one, two], [one]), { missing: [two], extra: [] })
  assert.deepEqual(compareHistory([one], [one, two]), { missing: [], extra: [two] })
})

test('another amount, sender or transaction is another transfer', () => {
  for (const other of [fact('a', 2n), fact('a', 1n, 'other'), fact('b')]) {
    assert.deepEqual(compareHistory([other], [fact('a')]), { missing: [other], extra: [fact('a')] })
  }
})
