import type { CallbackId, MerchantId } from '../../base/ids.ts'
import type { LegacyUnits } from '../../base/money.ts'
import { type Queryable, rows } from '../../db/pool.ts'
import type { CallbackState } from './callback.ts'

/** Which callbacks to select. A null does not restrict. */
export interface CallbacksWanted {
  merchantId: MerchantId | null
  state: CallbackState | null
  /** Announced at or after. */
  from: Date | null
  /** Announced before. */
  to: Date | null
  /** Of the lane it waits in: `https://shop.example:443`. */
  origin: string | null
  /** The merchant's number of the order. Merchants may have the same one. */
  orderid: string | null
  /** The callback's own: one callback at most. */
  key: string | null
}

/** A callback as an operator sees it. */
export interface ListedCallback {
  key: string
  appid: string
  /** Null for a deposit. */
  orderid: string | null
  bodyAmount: LegacyUnits
  state: CallbackState
  attempts: number
  lastStatus: number | null
  origin: string
  createdAt: Date
  /** When its next attempt is due; null when it owes none. */
  dueAt: Date | null
  deliveredAt: Date | null
  exhaustedAt: Date | null
}

/**
 * Lists callbacks, newest first.
 * @returns at most `limit` of them, and how many match in all.
 */
export async function listCallbacks(
  db: Queryable,
  wanted: CallbacksWanted,
  limit: number,
): Promise<{ callbacks: ListedCallback[]; total: number }> {
  const { clause, values } = matching(wanted)
  const callbacks = await rows<ListedCallback>(
    db,
    `select c.key, m.appid, o.orderid, c.body_amount as "bodyAmount", c.attempts, c.last_status as "lastStatus",
            (select s.state from callback_state s where s.callback_id = c.id) as state,
            l.origin, c.created_at as "createdAt", b.due_at as "dueAt",
            c.delivered_at as "deliveredAt", c.exhausted_at as "exhaustedAt"
       ${clause}
      order by c.id desc
      limit $${values.length + 1}`,
    [...values, limit],
  )
  const [count] = await rows<{ total: number }>(db, `select count(*)::float8 as total ${clause}`, values)
  return { callbacks, total: count!.total }
}

/** Reads the ids of callbacks, ascending, at most `max`. */
export async function listCallbackIds(
  db: Queryable,
  wanted: CallbacksWanted,
  max: number,
): Promise<CallbackId[]> {
  const { clause, values } = matching(wanted)
  const found = await rows<{ id: CallbackId }>(
    db,
    `select c.id ${clause} order by c.id limit $${values.length + 1}`,
    [...values, max],
  )
  return found.map(({ id }) => id)
}

/** The conditions that `callback_state` computes, one by one: filtering by its column could use none of the indexes. */
const inState: Record<CallbackState, string> = {
  due: `b.state = 'due'`,
  in_flight: `b.state = 'in_flight'`,
  held: `b.state = 'held'`,
  delivered: `b.callback_id is null and c.delivered_at is not null`,
  exhausted: `b.callback_id is null and c.exhausted_at is not null`,
}

function matching(wanted: CallbacksWanted): { clause: string; values: unknown[] } {
  const conditions: string[] = []
  const values: unknown[] = []
  const where = (condition: string, value: unknown) => {
    if (value === null) return
    values.push(value)
    conditions.push(condition.replace('?', `$${values.length}`))
  }
  where('c.merchant_id = ?', wanted.merchantId)
  where('c.created_at >= ?', wanted.from)
  where('c.created_at < ?', wanted.to)
  where('l.origin = ?', wanted.origin)
  // The order's merchant, too: the index of order numbers begins with it.
  where('c.key = ?', wanted.key)
  where('o.orderid = ? and o.merchant_id = c.merchant_id', wanted.orderid)
  if (wanted.state) conditions.push(inState[wanted.state])
  const clause = `
       from callback c
       left join callback_outbox b on b.callback_id = c.id
       join callback_lane l on l.id = coalesce(b.lane_id, c.lane_id)
       join merchant m on m.id = c.merchant_id
       left join recharge_order o on o.id = c.order_id
      ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}`
  return { clause, values }
}
