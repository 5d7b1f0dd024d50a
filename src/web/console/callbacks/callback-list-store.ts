import type { CallbackId, LaneId, MerchantId } from '../../../base/ids.ts'
import type { LegacyUnits } from '../../../base/money.ts'
import type { CallbackState } from '../../../callbacks/outbox/callback.ts'
import { type Queryable, rows } from '../../../db/pool.ts'
import { type CallbackFilter, type CallbackPlace, formatPlace } from './callback-filter.ts'
import { endOfScan, type PickedQuery, pickCallbacks } from './callback-pick.ts'

/** A callback in a list. */
export interface ConsoleCallback {
  id: CallbackId
  key: string
  merchantId: MerchantId
  appid: string
  /** Null for a deposit. */
  orderid: string | null
  ordersn: string | null
  bodyAmount: LegacyUnits
  state: CallbackState
  attempts: number
  /** It is due again after an attempt that failed. */
  isFailing: boolean
  lastStatus: number | null
  laneId: LaneId
  origin: string
  createdAt: Date
  /** Null: it owes no attempt. */
  dueAt: Date | null
  deliveredAt: Date | null
  exhaustedAt: Date | null
  /** When its lane, whose circuit is open, is probed next; null: the circuit is closed. */
  probeAt: Date | null
  /** Whether as many of its lane are in flight as may be. */
  laneIsFull: boolean
}

export interface CallbackPage {
  callbacks: ConsoleCallback[]
  /** Where the next page begins; null: this is the last. */
  next: string | null
  /** The page is not full because reading has stopped; the next page goes on from there. */
  stopped: boolean
}

/** Reads one page of a list of callbacks, after a place. */
export async function readCallbackPage(
  db: Queryable,
  filter: CallbackFilter,
  after: CallbackPlace | null,
  limit: number,
): Promise<CallbackPage> {
  const found = await readCallbacks(db, pickCallbacks(filter, { after, limit: limit + 1, isOrdered: true }))
  const callbacks = found.slice(0, limit)
  if (found.length > limit) return { callbacks, next: formatPlace(found[limit - 1]!), stopped: false }
  const end = endOfScan(filter, { after })
  const [stoppedAt] = end === null ? [] : await readPlaces(db, end)
  return { callbacks, next: stoppedAt ? formatPlace(stoppedAt) : null, stopped: stoppedAt !== undefined }
}

/** Reads one callback. @param merchantId of this merchant alone; null: of any. */
export async function findCallback(
  db: Queryable,
  key: string,
  merchantId: MerchantId | null,
): Promise<ConsoleCallback | null> {
  const text = `select id, created_at as at from callback where key = $1 and ($2::bigint is null or merchant_id = $2)`
  const [found] = await readCallbacks(db, { text, values: [key, merchantId] })
  return found ?? null
}

/** Reads an order's callbacks, the oldest first. */
export async function readCallbacksOfOrder(
  db: Queryable,
  orderId: bigint,
  limit: number,
): Promise<ConsoleCallback[]> {
  const text = `select id, created_at as at from callback where order_id = $1 order by id desc limit $2`
  return (await readCallbacks(db, { text, values: [orderId, limit] })).toSorted((a, b) =>
    a.id < b.id ? -1 : 1,
  )
}

/** How many callbacks are counted, and sent again by one job, at most. */
export const countedMax = 50_000
/** How many are looked through for that, where no index has them as they are filtered. */
const countScanMax = 2 * countedMax

/**
 * Finds the callbacks of a list, in no order.
 * @returns the ids of at most `countedMax` of them, ascending, and whether there may be more.
 */
export async function findCallbackIds(
  db: Queryable,
  filter: CallbackFilter,
): Promise<{ ids: CallbackId[]; more: boolean }> {
  const options = { after: null, scanMax: countScanMax }
  const pick = pickCallbacks(filter, { ...options, limit: countedMax + 1, isOrdered: false })
  const found = (await rows<{ id: CallbackId }>(db, pick.text, pick.values)).map(({ id }) => id)
  const scan = found.length > countedMax ? null : endOfScan(filter, options)
  const more = found.length > countedMax || (scan !== null && (await readPlaces(db, scan)).length > 0)
  return { ids: found.slice(0, countedMax).toSorted((a, b) => (a < b ? -1 : 1)), more }
}

const micros = (time: string) => `(extract(epoch from ${time}) * 1000000)::bigint as micros`

function readPlaces(db: Queryable, { text, values }: PickedQuery): Promise<CallbackPlace[]> {
  return rows<CallbackPlace>(db, `select p.id, ${micros('p.at')} from (${text}) p`, values)
}

/** Reads the callbacks of a pick, in its order. */
function readCallbacks(
  db: Queryable,
  { text, values }: PickedQuery,
): Promise<(ConsoleCallback & CallbackPlace & { id: CallbackId })[]> {
  return rows(
    db,
    // The picked ones first, so that all else is read for these alone.
    `with picked as materialized (
       select p.id, p.at, row_number() over () as position from (${text}) p
     )
     select c.id, ${micros('p.at')}, c.key, c.merchant_id as "merchantId", m.appid, o.orderid, o.ordersn,
            c.body_amount as "bodyAmount", s.state, c.attempts,
            coalesce((select b.state = 'due' and b.schedule_step > 0 from callback_outbox b where b.callback_id = c.id), false) as "isFailing", c.last_status as "lastStatus",
            l.id as "laneId", l.origin, c.created_at as "createdAt", s.due_at as "dueAt",
            c.delivered_at as "deliveredAt", c.exhausted_at as "exhaustedAt", l.probe_at as "probeAt",
            s.state = 'due' and (select count(*) from callback_outbox f where f.lane_id = l.id and f.state = 'in_flight')
                                >= l.in_flight_max as "laneIsFull"
       from picked p
       join callback c on c.id = p.id
      cross join lateral (select state, due_at from callback_state where callback_id = c.id offset 0) s
       join callback_lane l on l.id = c.lane_id
       join merchant m on m.id = c.merchant_id
       left join recharge_order o on o.id = c.order_id
      order by p.position`,
    values,
  )
}
