import { formatUsdt } from '../base/money.ts'
import type { ChainPin } from '../blocks/chain-store.ts'
import { eventKey, type NewEvent } from '../callbacks/outbox/event.ts'
import { insertEvents } from '../callbacks/outbox/event-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { type ExpiredOrder, keepExpiryCursors, noteExpired, takeExpired } from './expired-order-store.ts'
import { orderState } from './order.ts'

/** The most orders of a merchant in one transaction, and the most of these in a run. */
const atOnce = 500
const roundsMax = 20

/**
 * Writes an event for each order that has expired by the chain's time and is not fully paid, for the merchants who ask for it.
 * Every payment in time is credited by then, unless it waits for a person or a node.
 * @returns how many it wrote.
 */
export async function tellExpired(pool: Pool, chain: ChainPin): Promise<number> {
  await keepExpiryCursors(pool)
  let told = 0
  for (let round = 0; round < roundsMax; round++) {
    const taken = await inTransaction(pool, async tx => {
      const expired = await takeExpired(tx, atOnce)
      if (expired.length === 0) return 0
      const unpaid = expired.filter(({ received, amount }) => received < amount)
      told += await insertEvents(
        tx,
        unpaid.map(order => expiredEvent(chain, order)),
      )
      await noteExpired(tx, expired)
      return expired.length
    })
    if (taken < atOnce) break
  }
  return told
}

function expiredEvent(chain: ChainPin, order: ExpiredOrder): NewEvent {
  const { appid, orderid, ordersn, localusermark, address, amount, received } = order
  return {
    key: eventKey(chain, 'order.expired', `${appid}:${orderid}`),
    merchantId: order.merchantId,
    event: 'order.expired',
    notifyUrl: order.notifyUrl,
    says: {
      orderid,
      ordersn,
      localusermark,
      address,
      state: orderState(received, amount),
      expected_usdt: formatUsdt(amount),
      received_usdt: formatUsdt(received),
      expires_at: `${Math.floor(order.expiresAt.getTime() / 1000)}`,
    },
  }
}
