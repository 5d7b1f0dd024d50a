import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DepositAddressId, TransferId } from '../../src/base/ids.ts'
import { usdt } from '../../src/base/money.ts'
import type { PendingTransfer, WaitReason } from '../../src/credits/pending-transfer.ts'
import { takeTurns } from '../../src/credits/take-turns.ts'

/** [its place on the chain, its address, why it waits so far]. */
type Waiting = [place: number, address: number, reason: WaitReason | null]

// In chain order: what waits, and what becomes of each: 'free', or why it goes on waiting.
const cases: [fact: string, waiting: Waiting[], became: ('free' | WaitReason)[]][] = [
  ['what nothing holds is free', [[1, 1, null]], ['free']],
  ['unclaimed money is looked at again', [[1, 1, 'unclaimed']], ['free']],
  ['what waited behind is free once nothing is before it', [[1, 1, 'behind']], ['free']],
  ['a held one keeps its reason', [[1, 1, 'held']], ['held']],
  ['a quarantined one keeps its reason', [[1, 1, 'quarantined']], ['quarantined']],
  [
    'what comes before a held one is free, what comes after waits behind it',
    [
      [1, 1, null],
      [2, 1, 'held'],
      [3, 1, null],
      [4, 1, 'unclaimed'],
    ],
    ['free', 'held', 'behind', 'behind'],
  ],
  [
    'other addresses go on',
    [
      [1, 1, 'quarantined'],
      [2, 2, null],
      [3, 1, null],
      [4, 2, 'held'],
      [5, 3, 'unclaimed'],
      [6, 2, null],
    ],
    ['quarantined', 'free', 'behind', 'held', 'free', 'behind'],
  ],
  [
    'a held one behind a quarantined one stays held, and neither is passed',
    [
      [1, 1, 'quarantined'],
      [2, 1, 'held'],
      [3, 1, 'behind'],
    ],
    ['quarantined', 'held', 'behind'],
  ],
]

for (const [fact, waiting, became] of cases) {
  test(`whose turn it is: ${fact}`, () => {
    const transfers = waiting.map(transfer)
    const order = fc.shuffledSubarray(transfers, { minLength: transfers.length })
    fc.assert(
      fc.property(order, some => {
        const { free, kept } = takeTurns(some)
        assert.deepEqual(
          free,
          transfers.filter((_, i) => became[i] === 'free'),
        )
        assert.deepEqual(
          kept,
          transfers.flatMap((transfer, i) => {
            const reason = became[i]!
            return reason === 'free' ? [] : [{ transfer, reason }]
          }),
        )
      }),
      { numRuns: 20 },
    )
  })
}

test('chain order is the block, then the place in the block, then the place in the transaction', () => {
  const [block, tx, log] = [place(2, 0, 0), place(1, 1, 0), place(1, 0, 1)]
  const first = place(1, 0, 0)
  assert.deepEqual(takeTurns([block, tx, log, first]).free, [first, log, tx, block])
})

function place(height: number, txIndex: number, logIndex: number): PendingTransfer {
  return { ...transfer([height, 1, null]), txIndex, logIndex }
}

function transfer([place, address, reason]: Waiting): PendingTransfer {
  return {
    id: BigInt(place) as TransferId,
    txid: `${place}`,
    logIndex: 0,
    depositAddressId: BigInt(address) as DepositAddressId,
    amount: usdt(1n),
    height: place,
    time: new Date(place * 3000),
    txIndex: 0,
    written: reason !== null,
    reason,
    wasUnclaimed: reason === 'unclaimed',
    node: null,
  }
}
