import type { Queryable } from '../../db/pool.ts'

export const callbackStates = ['due', 'in_flight', 'held', 'delivered', 'exhausted'] as const
/** How far a callback has come. */
export type CallbackState = (typeof callbackStates)[number]

/** Which callbacks; what is null does not matter. */
export interface CallbacksWanted {
  merchantId: bigint | null
  state: CallbackState | null
  /** Announced at or after, and before. */
  from: Date | null
  to: Date | null
  /** Of the lane it queues in: `https://shop.example:443`. */
  origin: string | null
}

/** A callback as an operator sees it. */
export interface ListedCallback {
  key: string
  appid: string
  orderid: string
  /** 1/10000 USDT. */
  bodyAmount: bigint
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
 * Lists callbacks, those announced first first.
 * @returns at most so many, and how many there are in all.
 */
export async function listCallbacks(
  db: Queryable,
  wanted: CallbacksWanted,
  limit: number,
): Promise<{ callbacks: ListedCallback[]; total: number }> {
  const { clause, values } = matching(wanted)
  const page = await db.query(
    `select c.key, m.appid, o.orderid, c.body_amount as "bodyAmount", ${stateOf} as state, c.attempts,
            c.last_status as "lastStatus", l.origin, c.created_at as "createdAt", b.due_at as "dueAt",
            c.delivered_at as "deliveredAt", c.exhausted_at as "exhaustedAt"
       ${clause}
      order by c.id
      limit $${values.length + 1}`,
    [...values, limit],
  )
  const count = await db.query(`select count(*)::float8 as total ${clause}`, values)
  return { callbacks: page.rows, total: count.rows[0].total }
}

/** The ids of callbacks, ascending. @param max no more than so many. */
export async function listCallbackIds(
  db: Queryable,
  wanted: CallbacksWanted,
  max: number,
): Promise<bigint[]> {
  const { clause, values } = matching(wanted)
  const { rows } = await db.query<[bigint]>({
    rowMode: 'array',
    text: `select c.id ${clause} order by c.id limit $${values.length + 1}`,
    values: [...values, max],
  } as never)
  return rows.map(([id]) => id)
}

/** A callback's state as the view callback_state has it, of `callback c` and `callback_outbox b`, joined to the left. */
export const stateOf = `coalesce(b.state, case when c.delivered_at is not null then 'delivered' else 'exhausted' end)`

/** Written out for each state, so that the indexes of the outbox and of what is exhausted serve it. */
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
  if (wanted.state) conditions.push(inState[wanted.state])
  const clause = `
       from callback c
       left join callback_outbox b on b.callback_id = c.id
       join callback_lane l on l.id = coalesce(b.lane_id, c.lane_id)
       join merchant m on m.id = c.merchant_id
       join recharge_order o on o.id = c.order_id
      ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}`
  return { clause, values }
}
