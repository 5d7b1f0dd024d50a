import { type Queryable, run } from '../../db/pool.ts'

/** The most callbacks of a lane changed by one statement, so that a hundred thousand are not locked for long. */
const settleBatch = 1_000

/**
 * Holds the due callbacks of disabled merchants, and makes the held ones of enabled merchants due. It reads the merchants as
 * they are, so it misses no callback that was written or in flight while one changed. A callback keeps its attempts. The cost
 * depends on how many merchants are disabled, not on how many callbacks wait.
 */
export async function settleHeld(db: Queryable): Promise<void> {
  await run(
    db,
    `with disabled as materialized (
       select l.id as lane_id
         from merchant m
         join callback_lane l on l.merchant_id = m.id
        where m.disabled_at is not null
     )
     update callback_outbox
        set state = 'held'
      where callback_id = any(array(select b.callback_id
                                      from disabled d
                                     cross join lateral (select callback_id
                                                           from callback_outbox
                                                          where lane_id = d.lane_id and state = 'due'
                                                          limit $1
                                                            for update skip locked) b))`,
    [settleBatch],
  )
  await run(
    db,
    `with recursive holding (lane_id) as (
       (select lane_id from callback_outbox where state = 'held' order by lane_id limit 1)
       union all
       select (select b.lane_id from callback_outbox b where b.state = 'held' and b.lane_id > h.lane_id
                order by b.lane_id limit 1)
         from holding h
        where h.lane_id is not null
     ), enabled as materialized (
       select l.id as lane_id
         from callback_lane l
         join merchant m on m.id = l.merchant_id and m.disabled_at is null
        where l.id in (select lane_id from holding)
     )
     update callback_outbox
        set state = 'due'
      where callback_id = any(array(select b.callback_id
                                      from enabled e
                                     cross join lateral (select callback_id
                                                           from callback_outbox
                                                          where lane_id = e.lane_id and state = 'held'
                                                          limit $1
                                                            for update skip locked) b))`,
    [settleBatch],
  )
}
