import type { MerchantId, OrderId, TransferId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import { eventKey, type NewEvent } from '../callbacks/outbox/event.ts'
import { insertEvents } from '../callbacks/outbox/event-store.ts'
import { inTransaction, type Pool, rows, type Tx } from '../db/pool.ts'
import { readPayableOrders } from '../orders/order-totals-store.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'
import type { CreditRules } from './credit-rules.ts'
import { addressesOf } from './credit-transfers.ts'
import { readDepositAddresses } from './deposit-store.ts'
import { planCredits } from './plan-credits.ts'
import { askedFor, byAddress } from './plan-in-slices.ts'

/** The most sightings that are looked at, and the most of one address: what is beyond is told of a moment later, or not at all. */
const sightingsMax = 2_000
const perAddressMax = 32

interface Sighting extends Omit<RecordedTransfer, 'id'> {
  merchantId: MerchantId
  address: string
}

/**
 * Opens the telling of payments at the head: writes an event for each that would pay an order, as attribution would choose it
 * now, for the merchants who ask for it. A fork may take the payment away; the event is not taken back.
 * @returns a function that does it once and says how many events it wrote.
 */
export function openTellingSeen(pool: Pool, rules: CreditRules): () => Promise<number> {
  /** What was told of and is still at the head. The key of the event has the last word. */
  let told = new Set<string>()
  return async () => {
    const sightings = await readSightings(pool)
    const keyOf = ({ txid, logIndex }: Sighting) => eventKey(rules, 'order.seen', `${txid}:${logIndex}`)
    const keys = new Map(sightings.map(sighting => [keyOf(sighting), sighting]))
    told = new Set([...told].filter(key => keys.has(key)))
    // All of them are planned together, since each takes its part of an order's remainder.
    if ([...keys.keys()].every(key => told.has(key))) return 0
    const events = await inTransaction(pool, tx => plan(tx, rules, keys))
    const written = await insertEvents(
      pool,
      events.filter(({ key }) => !told.has(key)),
    )
    for (const { key } of events) told.add(key)
    return written
  }
}

/** Plans which orders the sightings would pay. One without an order is looked at again: its order may be about to come. */
async function plan(tx: Tx, rules: CreditRules, keys: ReadonlyMap<string, Sighting>): Promise<NewEvent[]> {
  const pending = [...keys.values()].map((sighting, i) => ({
    ...sighting,
    id: BigInt(i) as TransferId,
    written: false,
    reason: null,
    wasUnclaimed: false,
    node: null,
  }))
  const some = byAddress(pending).map(transfers => transfers.slice(0, perAddressMax))
  const orders = await readPayableOrders(
    tx,
    some.flatMap(transfers => askedFor(transfers, rules.graceMs)),
  )
  const newest = new Date(Math.max(...pending.map(({ time }) => time.getTime())))
  const depositing = await readDepositAddresses(tx, addressesOf(pending))
  const { credits } = planCredits(some.flat(), orders, newest, rules.graceMs, depositing)
  const details = await readDetails(
    tx,
    credits.map(({ order }) => order.id),
  )
  return credits.map(({ transfer, order }) => {
    const key = eventKey(rules, 'order.seen', `${transfer.txid}:${transfer.logIndex}`)
    return seenEvent(key, keys.get(key)!, details.get(order.id)!)
  })
}

function seenEvent(key: string, sighting: Sighting, order: OrderDetail): NewEvent {
  return {
    key,
    merchantId: sighting.merchantId,
    event: 'order.seen',
    notifyUrl: order.notifyUrl,
    says: {
      orderid: order.orderid,
      ordersn: order.ordersn,
      localusermark: order.localusermark,
      address: sighting.address,
      txid: sighting.txid,
      log_index: `${sighting.logIndex}`,
      amount_usdt: formatUsdt(sighting.amount),
      block: `${sighting.height}`,
    },
  }
}

/** Reads what is at the head for merchants who want to know, in the order of the blocks. */
async function readSightings(pool: Pool): Promise<Sighting[]> {
  return rows<Sighting>(
    pool,
    `select s.txid, s.log_index as "logIndex", 0 as "txIndex", s.deposit_address_id as "depositAddressId", s.amount,
            s.block_height as "height", s.block_time as "time", a.address, a.merchant_id as "merchantId"
       from seen_transfer s
       join deposit_address a on a.id = s.deposit_address_id
       join merchant m on m.id = a.merchant_id and 'order.seen' = any(m.events)
      -- What is credited stays a sighting until the next one is written, and has its part of its order already.
      where not exists (select from transfer t where t.txid = s.txid and t.log_index = s.log_index)
      order by s.block_height, s.txid, s.log_index
      limit $1`,
    [sightingsMax],
  )
}

interface OrderDetail {
  orderid: string
  ordersn: string
  localusermark: string
  notifyUrl: string | null
}

async function readDetails(tx: Tx, ids: readonly OrderId[]): Promise<Map<OrderId, OrderDetail>> {
  const found = await rows<OrderDetail & { id: OrderId }>(
    tx,
    `select id, orderid, ordersn, localusermark, notify_url as "notifyUrl" from recharge_order where id = any($1::bigint[])`,
    [ids],
  )
  return new Map(found.map(order => [order.id, order]))
}
