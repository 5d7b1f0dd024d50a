import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DepositAddressId, MerchantId, OrderId, TransferId } from '../../src/base/ids.ts'
import { legacy, usdt } from '../../src/base/money.ts'
import { chooseOrder, claimUnclaimed, type PayableOrder } from '../../src/credits/attribution.ts'
import type { DepositingAddress } from '../../src/credits/deposit-store.ts'
import type { PendingTransfer } from '../../src/credits/pending-transfer.ts'
import { planCredits } from '../../src/credits/plan-credits.ts'
import type { PayingOrder } from '../../src/orders/order-totals-store.ts'

const at = (second: number) => new Date(second * 1000)

/** An order created at a second, open for 100 s. */
function order(id: number, createdAt: number, amount: number, received = 0): PayableOrder {
  return {
    id: BigInt(id) as OrderId,
    amount: usdt(BigInt(amount)),
    received: usdt(BigInt(received)),
    createdAt: at(createdAt),
    expiresAt: at(createdAt + 100),
  }
}

// Each case: the orders oldest first, a transfer's amount and block time, the grace in seconds, and the order it pays.
const cases: [string, PayableOrder[], { amount: number; time: number; graceS?: number }, number | null][] = [
  ['no order: unclaimed', [], { amount: 5, time: 10 }, null],
  ['the only order, open', [order(1, 0, 5)], { amount: 5, time: 10 }, 1],
  ['less than asked is still for it', [order(1, 0, 5)], { amount: 1, time: 10 }, 1],
  ['more than asked too', [order(1, 0, 5)], { amount: 9, time: 10 }, 1],
  ['of two open ones the oldest', [order(1, 0, 5), order(2, 1, 6)], { amount: 4, time: 10 }, 1],
  [
    'the one whose amount it is, before the oldest',
    [order(1, 0, 5), order(2, 1, 6)],
    { amount: 6, time: 10 },
    2,
  ],
  ['the one whose remainder it is', [order(1, 0, 5), order(2, 1, 6, 3)], { amount: 3, time: 10 }, 2],
  ['of two equal remainders the oldest', [order(1, 0, 5), order(2, 1, 5)], { amount: 5, time: 10 }, 1],
  ['a paid order is not open', [order(1, 0, 5, 5), order(2, 1, 6)], { amount: 5, time: 10 }, 2],
  ['an overpaid one neither', [order(1, 0, 5, 7), order(2, 1, 6)], { amount: 5, time: 10 }, 2],
  [
    'at the last moment of its window it is open',
    [order(1, 0, 5), order(2, 50, 6)],
    { amount: 1, time: 100 },
    1,
  ],
  ['past its window it is not', [order(1, 0, 5), order(2, 50, 6)], { amount: 5, time: 101 }, 2],
  ['none open: the newest', [order(1, 0, 5, 5), order(2, 1, 6, 6)], { amount: 5, time: 10 }, 2],
  ['none open for being late: the newest', [order(1, 0, 5), order(2, 1, 6)], { amount: 5, time: 500 }, 2],
  ['an order made after the block is not eligible', [order(1, 11, 5)], { amount: 5, time: 10 }, null],
  ['made in the very second it is', [order(1, 10, 5)], { amount: 5, time: 10 }, 1],
  ['within the grace it is', [order(1, 40, 5)], { amount: 5, time: 10, graceS: 30 }, 1],
  ['past the grace it is not', [order(1, 41, 5)], { amount: 5, time: 10, graceS: 30 }, null],
  ['the newest is the newest eligible', [order(1, 0, 5, 5), order(2, 20, 6)], { amount: 5, time: 10 }, 1],
  [
    'an exact later order does not take what an earlier block paid',
    [order(1, 0, 5), order(2, 20, 6)],
    { amount: 6, time: 10 },
    1,
  ],
]

for (const [fact, orders, transfer, expected] of cases) {
  test(`a transfer pays: ${fact}`, () => {
    const amount = usdt(BigInt(transfer.amount))
    const chosen = chooseOrder({ amount, time: at(transfer.time) }, orders, (transfer.graceS ?? 0) * 1000)
    assert.equal(chosen && Number(chosen.id), expected)
  })
}

test('unclaimed money goes to the oldest order once the chain has come to it', () => {
  const orders = [order(1, 50, 5), order(2, 60, 6)]
  assert.equal(claimUnclaimed(orders, at(49), 0), null)
  assert.equal(claimUnclaimed(orders, at(50), 0)?.id, 1n)
  assert.equal(claimUnclaimed(orders, at(20), 30_000)?.id, 1n)
  assert.equal(claimUnclaimed(orders, at(90), 0)?.id, 1n)
  assert.equal(claimUnclaimed([], at(90), 0), null)
})

// The chain has come to second 90. Each case: the orders, a transfer, and what it becomes at an address with and without deposits.
type Became = 'deposit' | 'unclaimed' | number
const depositCases: [
  string,
  PayableOrder[],
  { amount: number; time: number; graceS?: number; wasUnclaimed?: true },
  Record<'on' | 'off', Became>,
][] = [
  ['no order', [], { amount: 5, time: 10 }, { on: 'deposit', off: 'unclaimed' }],
  ['an open order', [order(1, 0, 5)], { amount: 5, time: 10 }, { on: 1, off: 1 }],
  ['a paid order', [order(1, 0, 5, 5)], { amount: 5, time: 10 }, { on: 1, off: 1 }],
  ['an expired order', [order(1, -500, 5)], { amount: 5, time: 10 }, { on: 1, off: 1 }],
  ['an order made after the block', [order(1, 11, 5)], { amount: 5, time: 10 }, { on: 'deposit', off: 1 }],
  ['one made within the grace', [order(1, 40, 5)], { amount: 5, time: 10, graceS: 30 }, { on: 1, off: 1 }],
  ['one made past it', [order(1, 41, 5)], { amount: 5, time: 10, graceS: 30 }, { on: 'deposit', off: 1 }],
  [
    'an order made after the block, and the transfer was unclaimed before',
    [order(1, 11, 5)],
    { amount: 5, time: 10, wasUnclaimed: true },
    { on: 1, off: 1 },
  ],
  [
    'no order, and the transfer was unclaimed before',
    [],
    { amount: 5, time: 10, wasUnclaimed: true },
    { on: 'unclaimed', off: 'unclaimed' },
  ],
]

for (const [fact, orders, paid, expected] of depositCases) {
  test(`deposits on and off: ${fact}`, () => {
    const id = 1n as DepositAddressId
    const transfer: PendingTransfer = {
      ...{ id: 1n as TransferId, txid: 'a', logIndex: 0, depositAddressId: id, height: 1, txIndex: 0 },
      ...{ amount: usdt(BigInt(paid.amount)), time: at(paid.time), wasUnclaimed: paid.wasUnclaimed ?? false },
      ...{ written: false, reason: null, node: null },
    }
    const paying = (one: PayableOrder): PayingOrder => ({
      ...one,
      ...{ merchantId: 1n as MerchantId, depositAddressId: id, announced: legacy(0n), callbackUrl: null },
      createdMicros: BigInt(one.createdAt.getTime()) * 1000n,
    })
    const address: DepositingAddress = {
      id,
      merchantId: 1n as MerchantId,
      callbackUrl: null,
      received: usdt(0n),
    }
    const became = (depositing: Map<DepositAddressId, DepositingAddress>): Became => {
      const graceMs = (paid.graceS ?? 0) * 1000
      const planned = planCredits([transfer], orders.map(paying), at(90), graceMs, depositing)
      const [credit] = planned.credits
      return credit ? Number(credit.order.id) : planned.deposits.length > 0 ? 'deposit' : 'unclaimed'
    }
    assert.deepEqual({ on: became(new Map([[id, address]])), off: became(new Map()) }, expected)
  })
}
