import { askGateway } from './ask-gateway.ts'
import { writtenOrderPrefix } from './compare-books.ts'
import { type Deployment, patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { isSettled, type PaidOrder, pay } from './paying-load.ts'
import { percentile, waitsUntilReceived } from './received-waits.ts'
import type { Shop } from './shop.ts'

// M too: one merchant has very much of something, and the others must not wait for it.

const openOrders = 100_000
const slowOrigins = 200
const slowMs = 9_000
/** A courier has 512 slots, of which one merchant gets 384. */
const heldMin = 300

export const crowdingRows: readonly FaultRow[] = [
  {
    id: 'M13',
    what: `60 payments at once to an address with ${openOrders} open orders; the others notice nothing`,
    times: 1,
    everyMs: 80,
    prepare: crowdAddress,
    inject: payCrowdedAddress,
  },
  {
    id: 'M14',
    what: `one merchant's orders name ${slowOrigins} origins that answer after 9 s; the others notice nothing`,
    times: 1,
    everyMs: 80,
    // A busy machine may need more than the second that is left to its attempt.
    mayRepeat: true,
    inject: fillSlots,
  },
]

/** Of an idle machine it is half a second from a block to the endpoint; of a busy one not as long as this. */
const waitMaxMs = 3_000

/** @throws Error when the others waited for too long. */
function noteWaits(waits: readonly number[], since: string): Injected {
  const p99 = percentile(waits, 0.99)
  if (p99 > waitMaxMs) throw new Error(`the others waited ${p99} ms (p99) from ${since} to endpoint`)
  return { note: `the others' p99 ${p99} ms from ${since} to endpoint` }
}

/** As a shop has it that uses one `localusermark` for everybody. */
const crowdedUser = { username: 'crowded', localusermark: 'crowded' }
/** Of no payment: each that is not for an order of the load goes to the oldest of these. */
const writtenAmount = 1_000_000_000n

async function crowdAddress(deployment: Deployment): Promise<void> {
  const shop = deployment.shops[0]!
  const address = await patiently('its address', async () => {
    const reply = await askGateway(deployment, shop, 'newAddress', crowdedUser)
    return reply?.answer.data?.address
  })
  await deployment.pool.query(
    `insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, created_at, expires_at)
     select d.merchant_id, $2 || n, d.username, d.localusermark, d.id, $3,
            now() - make_interval(secs => n / 100.0), now() - make_interval(secs => n / 100.0) + interval '24 hours'
       from deposit_address d
      cross join generate_series(1, $4::integer) n
      where d.address = $1`,
    [address, writtenOrderPrefix, writtenAmount, openOrders],
  )
  await deployment.pool.query('analyze recharge_order')
}

/** Half of them are exactly what orders of the load lack, the others are for the oldest of all. */
const exactPayments = 30
const tinyPayments = 30
const tinyUnits = 70n

async function payCrowdedAddress({ deployment, load }: Scene): Promise<Injected> {
  const { pool } = deployment
  const [crowded, ...others] = deployment.shops as [Shop, ...Shop[]]
  const { gate, open } = openLater()
  const { localusermark: user } = crowdedUser
  const theirs = Array.from({ length: exactPayments }, (_, n) => {
    const parts = [10_000_000n + BigInt(n) * 100n]
    return load.begin(crowded, { user, address: "user's", parts, paidAfter: gate })
  })
  await patiently('its orders', () => theirs.every(order => order.answered))
  const paidAt = Date.now()
  open()
  const { address } = theirs[0]!.answered!
  await Promise.all(Array.from({ length: tinyPayments }, () => pay(deployment, address, tinyUnits)))
  await patiently('its orders to be paid', () => theirs.every(isSettled), 120_000)
  await patiently('its oldest order to be paid', async () => {
    const { rows } = await pool.query(
      `select o.received, count(b.id)::int as unannounced
         from recharge_order o
         left join callback b on b.order_id = o.id and b.delivered_at is null
        where o.orderid = $1
        group by o.id`,
      [`${writtenOrderPrefix}${openOrders}`],
    )
    const { received, unannounced } = rows[0]
    return received === BigInt(tinyPayments) * tinyUnits && unannounced === 0
  })
  await settledSince(load.orders, others, paidAt, 80)
  return noteWaits(await waitsUntilReceived(pool, others, { from: 'block', since: paidAt }), 'block')
}

async function fillSlots({ deployment: { pool, shops }, load }: Scene): Promise<Injected> {
  const [slow, ...others] = shops as [Shop, ...Shop[]]
  const good = { status: 200, body: 'success' }
  const ownHost = new URL(slow.callbackUrl).host
  slow.answer = ({ headers }) => (headers.host === ownHost ? good : { ...good, delayMs: slowMs })
  const urls = await Promise.all(Array.from({ length: slowOrigins }, () => slow.openAnother()))
  const { gate, open } = openLater()
  // As much as fills three quarters of a courier's slots three times over.
  const parts = Array.from({ length: 6 }, () => 1_000_000n)
  const theirs = urls.map(notifyUrl => load.begin(slow, { parts, notifyUrl, paidAfter: gate }))
  await patiently('its orders', () => theirs.every(order => order.answered))
  open()
  const heldNow = () =>
    slow.receipts.filter(({ host, at }) => host !== ownHost && at > Date.now() - slowMs).length
  await patiently('its share of the slots to be taken', () => heldNow() >= heldMin)
  const takenAt = Date.now()
  await settledSince(load.orders, others, takenAt, 60)
  if (heldNow() < heldMin)
    throw new Error(`it held ${heldNow()} slots at last: too few to hold up the others`)
  return noteWaits(await waitsUntilReceived(pool, others, { from: 'credit', since: takenAt }), 'credit')
}

/** Waits until so many orders that were begun since, of these shops, are settled. */
async function settledSince(
  orders: readonly PaidOrder[],
  shops: readonly Shop[],
  since: number,
  count: number,
): Promise<void> {
  const settled = () =>
    orders.filter(order => shops.includes(order.shop) && order.begunAt > since && isSettled(order)).length
  await patiently(`${count} orders of the others`, () => settled() >= count, 60_000)
}

function openLater(): { gate: Promise<void>; open: () => void } {
  let open: () => void = () => undefined
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  return { gate, open }
}
