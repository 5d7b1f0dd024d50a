import { type Queryable, rows } from '../../db/pool.ts'

/** What merchants were not told, and whose fault it may be. */
export interface CallbackTroubles {
  /** Seconds for which the oldest callback has been due that no open circuit holds back. */
  oldestDueS: number
  /** Callbacks that were exhausted within a day, and not sent again. */
  exhausted: number
  /** Lanes in which something is due and whose circuit has been open for more than an hour. */
  failing: number
}

/** Reads them at a cost that does not grow with what waits: the first due row of each lane, and by indexes. */
export async function readTroubles(db: Queryable): Promise<CallbackTroubles> {
  const [read] = await rows<CallbackTroubles>(
    db,
    `select (select coalesce(extract(epoch from now() - min(w.due_at)), 0)::float8
               from due_lane w
               join callback_lane l on l.id = w.lane_id
              where w.due_at <= now() and l.opened_at is null) as "oldestDueS",
            (select count(*)::float8
               from callback
              where exhausted_at > now() - interval '1 day') as exhausted,
            (select count(*)::float8
               from callback_lane l
              where opened_at < now() - interval '1 hour'
                and exists (select from callback_outbox o where o.lane_id = l.id and o.state = 'due')) as failing`,
  )
  return read!
}
