import type { LaneId } from '../../base/ids.ts'
import { type Queryable, rows } from '../../db/pool.ts'
import { type CircuitTuning, type LaneNews, laneCap } from './circuit.ts'

/** A circuit that has opened or closed. */
export interface CircuitChange {
  laneId: LaneId
  appid: string
  origin: string
  change: 'opened' | 'closed'
  /** In a row, when it opened. */
  failures: number
  /** How long it was open, when it closed. */
  openForMs: number
}

/**
 * Updates the circuits of lanes by how their endpoints answered. Failures count while a circuit is closed; while it is open,
 * leasing counts the probes. An answer closes it. Each answer then raises the lane's limit by one, up to its cap, which
 * changes as `laneCap` says.
 * @returns those that opened or closed.
 */
export async function moveCircuits(
  db: Queryable,
  news: readonly LaneNews[],
  tuning: CircuitTuning,
): Promise<CircuitChange[]> {
  if (news.length === 0) return []
  return rows<CircuitChange>(db, {
    name: 'move_circuits',
    // Lanes are locked in the order of their ids, so that couriers cannot deadlock. What is computed is read under the lock.
    text: `
      with news as (
        select *
          from unnest($1::bigint[], $2::integer[], $3::integer[], $6::integer[], $7::boolean[],
                      $8::boolean[])
               as n (lane_id, answers, failures, quick, slow, overloaded)
      ), lane as (
        select l.id, l.cap, l.failures, l.opened_at, l.slow_start, l.cap_answers,
               least($9, l.cap_max) as cap_min, t.cap_top,
               l.cap_reached and l.cap < t.cap_top and l.opened_at is null and l.slow_start is null and n.quick > 0
                 and not n.slow as grows
          from callback_lane l
          join news n on n.lane_id = l.id
         cross join lateral (select least(l.cap_max, case when l.cap_limited_until > now() then l.cap_limit end)) as t (cap_top)
         where case when l.opened_at is not null or n.failures = 0
                    then n.answers > 0 and (l.failures > 0 or l.opened_at is not null or l.slow_start is not null
                                            or l.cap_reached and l.cap < t.cap_top and n.quick > 0
                                            or l.cap > least($9, l.cap_max) and n.slow)
                    else true end
         order by l.id
           for no key update of l
      ), next as (
        select l.id, l.opened_at as was_open,
               case when l.grows then least(l.cap_top, l.cap + (l.cap_answers + n.quick) / l.cap)
                    when n.slow then greatest(least(l.cap, l.cap_min), l.cap / 2)
                    else l.cap end as cap,
               n.overloaded and l.cap > l.cap_min as was_too_much, greatest(l.cap_min, l.cap - 1) as cap_limit, l.cap_min,
               case when l.grows then (l.cap_answers + n.quick) % l.cap
                    when n.slow then 0
                    else l.cap_answers end as cap_answers,
               case when n.answers > 0 then n.failures
                    when l.opened_at is null then l.failures + n.failures
                    else l.failures end as failures,
               l.opened_at is not null and n.answers = 0 as stays_open,
               case when l.opened_at is not null then n.answers else l.slow_start + n.answers end as slow_start
          from lane l
          join news n on n.lane_id = l.id
      ), moved as (
        update callback_lane l
           set failures = n.failures,
               -- As at the beginning, once the circuit has opened.
               cap = case when n.failures >= $4 then least(n.cap, n.cap_min) else n.cap end,
               cap_limit = case when n.was_too_much then n.cap_limit else l.cap_limit end,
               cap_limited_until = case when n.was_too_much then now() + $10 * interval '1 millisecond'
                                        else l.cap_limited_until end,
               cap_answers = n.cap_answers,
               opened_at = case when n.stays_open then l.opened_at when n.failures >= $4 then now() end,
               probe_at = case when n.stays_open then l.probe_at
                               when n.failures >= $4 then now() + $5 * interval '1 millisecond' end,
               probes = case when n.stays_open then l.probes else 0 end,
               slow_start = case when n.slow_start between 1 and n.cap - 1 then n.slow_start end
          from next n
         where l.id = n.id
        returning l.id, l.merchant_id, l.origin, n.was_open, l.opened_at, l.failures
      )
      select d.id as "laneId", m.appid, d.origin, d.failures,
             case when d.opened_at is null then 'closed' else 'opened' end as change,
             coalesce(extract(epoch from now() - d.was_open) * 1000, 0)::float8 as "openForMs"
        from moved d
        join merchant m on m.id = d.merchant_id
       where (d.opened_at is null) <> (d.was_open is null)
       order by d.id`,
    values: [
      news.map(lane => lane.laneId),
      news.map(lane => lane.answers),
      news.map(lane => lane.failures),
      tuning.failuresToOpen,
      tuning.probeFirstMs,
      news.map(lane => lane.quick),
      news.map(lane => lane.slow),
      news.map(lane => lane.overloaded),
      laneCap.min,
      laneCap.limitedMs,
    ],
  })
}
