import type { LaneId, MerchantId } from '../../../base/ids.ts'
import type { AttemptOutcome } from '../../../callbacks/outbox/callback.ts'
import { durationBoundsMs } from '../../../callbacks/sending/callback-hour-store.ts'
import { type Queryable, rows } from '../../../db/pool.ts'

/** Where one merchant's callbacks to one origin stand. */
export interface ConsoleOrigin {
  laneId: LaneId
  merchantId: MerchantId
  appid: string
  /** `https://shop.example:443`; none: callbacks without a URL. */
  origin: string
  /** recovering: it answers again, and is sent more at once with each answer. */
  circuit: 'closed' | 'open' | 'recovering'
  /** In a row, while the circuit is closed. */
  failures: number
  openedAt: Date | null
  probeAt: Date | null
  /** How many may be in flight at once. */
  inFlightMax: number
  inFlight: number
  /** Counted up to `waitingMax`. */
  due: number
  held: number
  oldestDueAt: Date | null
  /** When one was last leased; null: none was. */
  servedAt: Date | null
}

/** Origins on a page, and the most that are counted of each as waiting. */
export const originsMax = 100
export const waitingMax = 1_000

/**
 * Reads origins: first those whose circuit is open, then those that wait longest, then those that were served last.
 * @param merchantId of this merchant alone; null: of all.
 * @returns at most `originsMax`, and whether there are more.
 */
export async function readOrigins(
  db: Queryable,
  merchantId: MerchantId | null,
): Promise<{ origins: ConsoleOrigin[]; more: boolean }> {
  const found = await rows<ConsoleOrigin>(
    db,
    `with shown as materialized (
       select l.*, w.due_at
         from callback_lane l
         ${
           merchantId === null
             ? 'left join due_lane w on w.lane_id = l.id where $3::bigint is null'
             : `left join lateral (select b.due_at from callback_outbox b
                                    where b.lane_id = l.id and b.state = 'due' order by b.due_at limit 1) w on true
                where l.merchant_id = $3`
         }
        order by l.opened_at is null, w.due_at, l.served_at desc, l.id
        limit $1
     )
     select l.id as "laneId", l.merchant_id as "merchantId", m.appid, l.origin,
            case when l.opened_at is not null then 'open' when l.slow_start is not null then 'recovering' else 'closed' end as circuit,
            l.failures, l.opened_at as "openedAt", l.probe_at as "probeAt", l.in_flight_max as "inFlightMax",
            (select count(*)::int from callback_outbox b where b.lane_id = l.id and b.state = 'in_flight') as "inFlight",
            (select count(*)::int from (select from callback_outbox b where b.lane_id = l.id and b.state = 'due' limit $2) b) as due,
            (select count(*)::int from (select from callback_outbox b where b.lane_id = l.id and b.state = 'held' limit $2) b) as held,
            l.due_at as "oldestDueAt", nullif(l.served_at, '-infinity') as "servedAt"
       from shown l
       join merchant m on m.id = l.merchant_id
      order by l.opened_at is null, l.due_at, l.served_at desc, l.id`,
    [originsMax + 1, waitingMax, merchantId],
  )
  return { origins: found.slice(0, originsMax), more: found.length > originsMax }
}

/** Attempts that ended alike. */
export interface CountedAttempts {
  outcome: AttemptOutcome
  /** 0: no status came. */
  status: number
  attempts: number
  /** How many took at most each of `durationBoundsMs`, and longer. */
  durations: number[]
}

const sums = Array.from(
  { length: durationBoundsMs.length + 1 },
  (_, i) => `sum(durations[${i + 1}])::float8`,
).join()

/** Counts the attempts of lanes since the hour of a time, by outcome and status. */
export function readCountedAttempts(
  db: Queryable,
  laneIds: readonly LaneId[],
  since: Date,
): Promise<(CountedAttempts & { laneId: LaneId })[]> {
  return rows<CountedAttempts & { laneId: LaneId }>(
    db,
    `select lane_id as "laneId", outcome, status, sum(attempts)::float8 as attempts, array[${sums}] as durations
       from callback_hour
      where lane_id = any($1::bigint[]) and hour >= date_trunc('hour', $2::timestamptz, 'UTC')
      group by lane_id, outcome, status
      order by lane_id, attempts desc, outcome, status`,
    [laneIds, since],
  )
}

/** Sums up the attempts of all lanes since the hour of a time. @param merchantId of this merchant alone; null: of all. */
export async function sumAttempts(
  db: Queryable,
  merchantId: MerchantId | null,
  since: Date,
): Promise<{ attempts: number; acknowledged: number }> {
  const ofMerchant =
    merchantId === null
      ? '$2::bigint is null'
      : 'lane_id in (select id from callback_lane where merchant_id = $2)'
  const [sum] = await rows<{ attempts: number; acknowledged: number }>(
    db,
    `select coalesce(sum(attempts), 0)::float8 as attempts,
            coalesce(sum(attempts) filter (where outcome = 'acknowledged'), 0)::float8 as acknowledged
       from callback_hour
      where hour >= date_trunc('hour', $1::timestamptz, 'UTC') and ${ofMerchant}`,
    [since, merchantId],
  )
  return sum!
}
