import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { chooseOrder, claimUnclaimed } from '../../src/credits/attribution.ts'
import { inTransaction, type Pool } from '../../src/db/pool.ts'
import { lockPayableOrders, type PayingOrder } from '../../src/orders/order-totals-store.ts'
import { seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { addAddress, addOrder, at, creditedChain } from './credited-chain.ts'

// Of an address's orders only those that a transfer may pay are read. Whatever they are, the choice among them has to be
// the choice among all.
const graceS = 2

test('the orders read for a transfer are enough to choose as among all of them', async () => {
  const { pool } = await creditedChain()
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed)
    const user = `u${seed}`
    await addAddress(pool, user)
    // Few moments and amounts, so that the borders are met.
    for (let n = random.whole(1, 7); n > 0; n--) {
      const [amount, second] = [random.whole(1, 3), random.whole(0, 9)]
      await addOrder(pool, user, `o-${seed}-${n}`, amount, second, random.whole(1, 5))
    }
    await pool.query(
      `update recharge_order set received = mod(id * $2, amount + 2) where localusermark = $1`,
      [user, seed],
    )
    const all = await ordersOf(pool, user)
    for (let second = 0; second <= 14; second++) {
      const transfer = { depositAddressId: all[0]!.depositAddressId, time: at(second) }
      const read = await inTransaction(pool, tx => lockPayableOrders(tx, [transfer], graceS * 1000))
      read.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || Number(a.id - b.id))
      for (const units of [1n, 2n, 3n]) {
        const payment = { amount: usdt(units), time: at(second) }
        const [chosen, expected] = [read, all].map(orders => chooseOrder(payment, orders, graceS * 1000)?.id)
        assert.equal(chosen, expected, `seed ${seed}, ${units} at ${second}`)
      }
      const [claims, expected] = [read, all].map(orders => claimUnclaimed(orders, at(20), 0)?.id)
      assert.equal(claims, expected, `seed ${seed}, unclaimed from ${second}`)
    }
  }
})

/** All of them, oldest first. */
async function ordersOf(pool: Pool, user: string): Promise<PayingOrder[]> {
  const { rows } = await pool.query(
    `select id, deposit_address_id as "depositAddressId", amount, received, created_at as "createdAt",
            expires_at as "expiresAt"
       from recharge_order
      where localusermark = $1
      order by created_at, id`,
    [user],
  )
  return rows
}
