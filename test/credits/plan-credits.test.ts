import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DepositAddressId, MerchantId, OrderId, TransferId } from '../../src/base/ids.ts'
import { legacy, usdt } from '../../src/base/money.ts'
import type { PendingTransfer } from '../../src/credits/pending-transfer.ts'
import { type PlannedCredit, planCredits } from '../../src/credits/plan-credits.ts'
import type { PayingOrder } from '../../src/orders/order-totals-store.ts'

// What payments come to, from nothing but the orders and the transfers: which order each is credited to, the order's
// received after it, what its callback announces (1/10000 USDT), whether it is late.

const at = (second: number) => new Date(second * 1000)

/** [id, created at second, amount in units, window in seconds, address]; the address is 1 unless given. */
type Order = [id: number, createdAt: number, amount: number, windowS?: number, address?: number]
/** [block's second, amount in units, position in the block, position in the transaction, address]. */
type Payment = [second: number, units: number, tx?: number, log?: number, address?: number]
/** [the order's id, its received, announced by the callback, late]; null: unclaimed. */
type Credit = [order: number, received: number, announced: number, late?: 'late'] | null

const cases: [fact: string, orders: Order[], payments: Payment[], credits: Credit[]][] = [
  ['exactly what was asked', [[1, 0, 500]], [[3, 500]], [[1, 500, 5]]],
  ['a part', [[1, 0, 500]], [[3, 200]], [[1, 200, 2]]],
  [
    'the rest, in two more parts',
    [[1, 0, 500]],
    [
      [3, 200],
      [6, 200],
      [9, 100],
    ],
    [
      [1, 200, 2],
      [1, 400, 2],
      [1, 500, 1],
    ],
  ],
  ['more than was asked', [[1, 0, 500]], [[3, 900]], [[1, 900, 9]]],
  [
    'a second and a third payment of what is paid',
    [[1, 0, 500]],
    [
      [3, 500],
      [6, 500],
      [9, 300],
    ],
    [
      [1, 500, 5],
      [1, 1000, 5],
      [1, 1300, 3],
    ],
  ],
  ['late money', [[1, 0, 500, 10]], [[12, 500]], [[1, 500, 5, 'late']]],
  ['money at the last moment', [[1, 0, 500, 10]], [[10, 500]], [[1, 500, 5]]],
  [
    'a part in time and a part late',
    [[1, 0, 500, 10]],
    [
      [9, 200],
      [12, 300],
    ],
    [
      [1, 200, 2],
      [1, 500, 3, 'late'],
    ],
  ],
  [
    'late money beside an order that is open',
    [
      [1, 0, 500, 10],
      [2, 11, 500, 100],
    ],
    [[12, 300]],
    [[2, 300, 3]],
  ],
  [
    'late money where the newest order is over too',
    [
      [1, 0, 500, 10],
      [2, 5, 700, 10],
    ],
    [[20, 500]],
    [[2, 500, 5, 'late']],
  ],
  [
    'two transfers of one transaction, each for itself',
    [[1, 0, 500]],
    [
      [3, 250, 0, 0],
      [3, 250, 0, 1],
    ],
    [
      [1, 250, 2],
      [1, 500, 3],
    ],
  ],
  [
    'two equal transfers of one transaction and two orders of that amount',
    [
      [1, 0, 500],
      [2, 1, 500],
    ],
    [
      [3, 500, 0, 0],
      [3, 500, 0, 1],
    ],
    [
      [1, 500, 5],
      [2, 500, 5],
    ],
  ],
  [
    'the remainder that is met exactly, after a part',
    [
      [1, 0, 500],
      [2, 1, 300],
    ],
    [
      [3, 100],
      [6, 300],
      [9, 400],
    ],
    [
      [1, 100, 1],
      [2, 300, 3],
      [1, 500, 4],
    ],
  ],
  [
    'dust that is carried until it makes 1/10000',
    [[1, 0, 500]],
    [
      [3, 60],
      [6, 39],
      [9, 1],
      [12, 199],
      [15, 1],
    ],
    [
      [1, 60, 0],
      [1, 99, 0],
      [1, 100, 1],
      [1, 299, 1],
      [1, 300, 1],
    ],
  ],
  ['nothing to pay', [], [[3, 500]], [null]],
  [
    'money before its order: unclaimed, then to the oldest',
    [
      [1, 5, 500],
      [2, 6, 300],
    ],
    [
      [3, 300],
      [9, 300],
    ],
    [
      [1, 300, 3],
      [2, 300, 3],
    ],
  ],
  ['an order the chain has not come to', [[1, 50, 500]], [[3, 300]], [null]],
  [
    'addresses for themselves',
    [
      [1, 0, 500, 100, 1],
      [2, 0, 500, 100, 2],
    ],
    [
      [3, 500, 0, 0, 2],
      [3, 200, 0, 1, 1],
      [3, 100, 0, 2, 3],
    ],
    [[2, 500, 5], [1, 200, 2], null],
  ],
]

for (const [fact, orders, payments, credits] of cases) {
  test(`credited: ${fact}`, () => {
    assert.deepEqual(plan(orders, payments), credits)
  })
  test(`the same in whatever sequence they are handed over: ${fact}`, () => {
    const expected = new Map(payments.map((payment, i) => [payment, credits[i]!]))
    fc.assert(
      fc.property(shuffled(orders), shuffled(payments), (someOrders, somePayments) => {
        assert.deepEqual(
          plan(someOrders, somePayments),
          somePayments.map(payment => expected.get(payment)),
        )
      }),
      { numRuns: 20 },
    )
  })
}

test('the grace makes an order eligible for a block before it, and by no more', () => {
  assert.deepEqual(plan([[1, 33, 500]], [[3, 500]], 30), [[1, 500, 5]])
  assert.deepEqual(plan([[1, 34, 500]], [[3, 500]], 30), [null])
})

function plan(orders: readonly Order[], payments: readonly Payment[], graceS = 0): Credit[] {
  const transfers = payments.map(pending)
  const until = at(Math.max(...payments.map(([second]) => second)))
  const { credits, unclaimed } = planCredits(transfers, orders.map(paying), until, graceS * 1000)
  assert.equal(credits.length + unclaimed.length, transfers.length)
  const planned = new Map(credits.map(credit => [credit.transfer, credit]))
  return transfers.map(transfer => {
    const credit = planned.get(transfer)
    if (credit) return shown(credit)
    assert(unclaimed.includes(transfer))
    return null
  })
}

function shown({ order, received, announcement, late }: PlannedCredit): Credit {
  const facts = [Number(order.id), Number(received), Number(announcement)] as const
  return late ? [...facts, 'late'] : [...facts]
}

function paying([id, createdAt, amount, windowS = 100, address = 1]: Order): PayingOrder {
  return {
    id: BigInt(id) as OrderId,
    merchantId: 1n as MerchantId,
    depositAddressId: BigInt(address) as DepositAddressId,
    amount: usdt(BigInt(amount)),
    received: usdt(0n),
    announced: legacy(0n),
    createdAt: at(createdAt),
    createdMicros: BigInt(createdAt) * 1_000_000n,
    expiresAt: at(createdAt + windowS),
    callbackUrl: null,
  }
}

function pending(
  [second, units, txIndex = 0, logIndex = 0, address = 1]: Payment,
  i: number,
): PendingTransfer {
  return {
    id: BigInt(i) as TransferId,
    txid: `${second} ${txIndex}`,
    logIndex,
    depositAddressId: BigInt(address) as DepositAddressId,
    amount: usdt(BigInt(units)),
    height: second,
    time: at(second),
    txIndex,
    written: false,
    reason: null,
    wasUnclaimed: false,
    node: null,
  }
}

function shuffled<T>(items: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length })
}
