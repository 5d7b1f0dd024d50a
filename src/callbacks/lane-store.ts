import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import type { Lease } from './lease-store.ts'

/**
 * Leases callbacks that are due, and again those whose lease ran out, fairly: the least recently served lane first, a
 * turn for each lane before anyone's second, and no lane above its cap. Disabled merchants are passed over.
 * Several couriers may do it at once: they take different lanes.
 * @param slots how many at the most: as many as the courier can send now.
 */
export async function leaseCallbacks(pool: Pool, slots: number, leaseMs: number): Promise<Lease[]> {
  if (slots <= 0) return []
  return inTransaction(pool, async tx => {
    const lanes = await lockLanes(tx, slots)
    return lanes.length === 0 ? [] : takeFromLanes(tx, lanes, slots, leaseMs)
  })
}

/**
 * Locks lanes that have something to send and room for it. A lane's lock is what keeps its cap: who counts and takes
 * holds it. "No key update" leaves the watcher free to write callbacks into the lane meanwhile.
 */
async function lockLanes(tx: Tx, slots: number): Promise<bigint[]> {
  const { rows } = await tx.query<{ id: bigint }>({
    name: 'lock_lanes',
    // `waiting` jumps from lane to lane along the index: what it costs is lanes with due rows, however many rows they have.
    text: `
      with recursive waiting (lane_id) as (
        (select lane_id from callback where state = 'due' order by lane_id limit 1)
        union all
        select (select c.lane_id from callback c where c.state = 'due' and c.lane_id > w.lane_id
                 order by c.lane_id limit 1)
          from waiting w
         where w.lane_id is not null
      ), candidate (lane_id) as (
        select lane_id
          from waiting w
         where exists (select from callback c
                        where c.lane_id = w.lane_id and c.state = 'due' and c.due_at <= now())
           and (select count(*) from callback c where c.lane_id = w.lane_id and c.state = 'in_flight')
             < (select cap from callback_lane where id = w.lane_id)
        union
        select lane_id from callback where state = 'in_flight' and leased_until <= now()
      )
      select l.id
        from callback_lane l
        join merchant m on m.id = l.merchant_id and m.disabled_at is null
       where l.id in (select lane_id from candidate)
       order by l.served_at, l.id
       limit $1
         for no key update of l skip locked`,
    values: [slots],
  })
  return rows.map(row => row.id)
}

/**
 * Counts and takes, in a statement of its own: only one that begins after the lanes are locked sees what the last
 * holder of the lock took. A callback with a lapsed lease keeps its place under the cap and is taken first.
 */
async function takeFromLanes(tx: Tx, lanes: bigint[], slots: number, leaseMs: number): Promise<Lease[]> {
  const { rows } = await tx.query<Lease>({
    name: 'take_from_lanes',
    text: `
      with lane as (
        select l.id, l.served_at,
               l.cap - (select count(*) from callback c where c.lane_id = l.id and c.state = 'in_flight') as room
          from callback_lane l
         where l.id = any($1::bigint[])
      ), candidate as (
        select c.id, row_number() over (partition by l.id order by c.lapsed desc, c.due_at, c.id) as turn, l.served_at
          from lane l
         cross join lateral (
           (select id, due_at, true as lapsed
              from callback
             where lane_id = l.id and state = 'in_flight' and leased_until <= now())
           union all
           (select id, due_at, false
              from callback
             where lane_id = l.id and state = 'due' and due_at <= now()
             order by due_at, id
             limit greatest(l.room, 0))
         ) c
      ), chosen as (
        select id from candidate order by turn, served_at, id limit $2
      ), locked as (
        select id
          from callback
         where id in (select id from chosen)
           and (state = 'due' or (state = 'in_flight' and leased_until <= now()))
         order by id
           for no key update skip locked
      ), taken as (
        update callback
           set state = 'in_flight', lease_epoch = lease_epoch + 1,
               leased_until = now() + $3 * interval '1 millisecond'
         where id in (select id from locked)
        returning id, lane_id, lease_epoch
      ), served as (
        update callback_lane set served_at = clock_timestamp() where id in (select lane_id from taken)
      )
      select id, lease_epoch as epoch from taken`,
    values: [lanes, slots, leaseMs],
  })
  return rows
}
