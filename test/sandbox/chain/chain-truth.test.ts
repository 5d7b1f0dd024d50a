import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { realPayments, realTransactions } from '../../../src/sandbox/chain/real-transactions.ts'
import { type CallLog, makeCall } from '../../../src/sandbox/chain/sandbox-calls.ts'
import { SandboxChain } from '../../../src/sandbox/chain/sandbox-chain.ts'
import { failures, makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'

const [alice, bob] = [addressFromBytes(Buffer.alloc(20, 1)), addressFromBytes(Buffer.alloc(20, 2))]
const { payer, lookalike } = sandboxAddresses

test('the truth is what was paid: at its place, solidified, and nothing else', () => {
  const chain = new SandboxChain({ solidificationDepth: 1 })
  const direct = makePayment(chain.stamp(), [{ to: alice, amount: usdt(5n) }])
  const batch = makePayment(
    chain.stamp(),
    [
      { to: bob, amount: usdt(6n) },
      { to: alice, amount: usdt(0n) },
      { to: alice, amount: usdt(7n) },
    ],
    { from: bob },
  )
  const one = [{ to: alice, amount: usdt(9n) }]
  const nothing = [
    makePayment(chain.stamp(), one, { token: lookalike }),
    ...failures.map(fail => makePayment(chain.stamp(), one, { fail })),
  ]
  chain.add([direct, ...nothing, batch])
  const { height } = chain.mine()[0]!
  assert.deepEqual(chain.truth().transfers, [])
  chain.mine()
  assert.deepEqual(chain.truth(), {
    height,
    hash: chain.solid.id,
    undecodable: [],
    transfers: [
      { txid: direct.id, logIndex: 0, from: payer, to: alice, amount: 5n, height, txIndex: 0 },
      { txid: batch.id, logIndex: 1, from: bob, to: bob, amount: 6n, height, txIndex: 5 },
      { txid: batch.id, logIndex: 3, from: bob, to: alice, amount: 7n, height, txIndex: 5 },
    ],
  })
  assert.deepEqual(chain.truth(height + 1).transfers, [])
})

test('of the logs of one call only readable USDT transfers of an amount happened; unreadable ones are told apart', () => {
  const chain = new SandboxChain({ solidificationDepth: 0 })
  const logs: CallLog[] = [
    { kind: 'event' },
    { kind: 'transfer', to: alice, amount: 1n },
    { kind: 'transfer', to: alice, amount: 2n, token: lookalike },
    { kind: 'approval', to: alice, amount: 3n },
    { kind: 'nft', to: alice, amount: 4n },
    { kind: 'dirty-topic', to: alice, amount: 5n },
    { kind: 'short-data', to: alice, amount: 6n },
    { kind: 'transfer', to: alice, amount: 0n },
    { kind: 'transfer', to: alice, amount: 2n ** 63n },
    { kind: 'transfer', to: bob, from: alice, amount: 2n ** 63n - 1n },
  ]
  const call = makeCall(chain.stamp(), logs)
  const { meant, ...unsaid } = makeCall(chain.stamp(), logs)
  assert(meant)
  chain.add([call, makeCall(chain.stamp(), logs, { fail: 'OUT_OF_TIME' }), unsaid])
  chain.mine()
  const truth = chain.truth()
  const found = [
    [1, payer, alice, 1n],
    [9, alice, bob, 2n ** 63n - 1n],
  ]
  for (const { id } of [call, unsaid]) {
    assert.deepEqual(
      truth.transfers.filter(({ txid }) => txid === id).map(t => [t.logIndex, t.from, t.to, t.amount]),
      found,
    )
    assert.deepEqual(
      truth.undecodable.filter(({ txid }) => txid === id).map(({ logIndex }) => logIndex),
      [5, 6, 8],
    )
  }
  assert.equal(truth.transfers.length, 4)
})

test('of transactions given by their facts the logs are read: the real ones paid what they paid', () => {
  const chain = new SandboxChain({ solidificationDepth: 0 })
  chain.add(realTransactions)
  chain.mine()
  assert.deepEqual(
    chain
      .truth()
      .transfers.map(({ txid, logIndex, to, amount }) => ({ txid, logIndex, to, amountUnits: amount })),
    realPayments,
  )
})
