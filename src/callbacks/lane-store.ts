import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { type CircuitTuning, defaultCircuit } from './circuit.ts'
import type { Lease } from './lease-store.ts'

/**
 * Leases callbacks that are due, fairly: the least recently served lane first, a turn for each lane before anyone's
 * second, and no lane above its cap; one whose circuit is open is given a probe when the time for it has come. Disabled
 * merchants are passed over. Several couriers may do it at once: they take different lanes.
 * @param slots how many at the most: as many as the courier can send now.
 */
export async function leaseCallbacks(
  pool: Pool,
  slots: number,
  leaseMs: number,
  probing: Pick<CircuitTuning, 'probeFirstMs' | 'probeMaxMs'> = defaultCircuit,
): Promise<Lease[]> {
  if (slots <= 0) return []
  return inTransaction(pool, async tx => {
    const lanes = await lockLanes(tx, slots)
    return lanes.length === 0 ? [] : takeFromLanes(tx, { lanes, slots, leaseMs, ...probing })
  })
}

/**
 * Locks lanes that have something to send and room for it. A lane's lock is what keeps its cap: who counts and takes
 * holds it. "No key update" leaves the watcher free to write callbacks into the lane meanwhile.
 */
async function lockLanes(tx: Tx, slots: number): Promise<bigint[]> {
  const { rows } = await tx.query<{ id: bigint }>({
    name: 'lock_lanes',
    // `waiting` jumps from lane to lane along the index, to the first row of each: what it costs is lanes with due rows,
    // however many rows they have.
    text: `
      with recursive waiting (lane_id, due_at) as (
        (select lane_id, due_at
           from callback_outbox
          where state = 'due'
          order by lane_id, due_at
          limit 1)
        union all
        select following.lane_id, following.due_at
          from waiting w
         cross join lateral (select b.lane_id, b.due_at
                               from callback_outbox b
                              where b.state = 'due' and b.lane_id > w.lane_id
                              order by b.lane_id, b.due_at
                              limit 1) following
      )
      select l.id
        from waiting w
        join callback_lane l on l.id = w.lane_id
        join merchant m on m.id = l.merchant_id and m.disabled_at is null
       where w.due_at <= now()
         and (l.probe_at is null or l.probe_at <= now())
         and (select count(*) from callback_outbox b where b.lane_id = l.id and b.state = 'in_flight')
           < l.in_flight_max
       order by l.served_at, l.id
       limit $1
         for no key update of l skip locked`,
    values: [slots],
  })
  return rows.map(row => row.id)
}

/**
 * Counts and takes, in a statement of its own: only one that begins after the lanes are locked sees what the last
 * holder of the lock took. One epoch does for all that are taken together.
 */
async function takeFromLanes(
  tx: Tx,
  taking: { lanes: bigint[]; slots: number; leaseMs: number; probeFirstMs: number; probeMaxMs: number },
): Promise<Lease[]> {
  const { rows } = await tx.query<Lease>({
    name: 'take_from_lanes',
    // `any(array(...))` and not `in (...)`: whatever the statistics say of a table that fills and empties, it is the index.
    text: `
      with lane as (
        select l.id, l.served_at,
               -- No more than an even share is looked at; what others leave is had at the next turn.
               least($2::integer / cardinality($1::bigint[]) + 1,
                     l.in_flight_max - (select count(*)
                                          from callback_outbox b
                                         where b.lane_id = l.id and b.state = 'in_flight')) as room
          from callback_lane l
         where l.id = any($1::bigint[])
      ), candidate as (
        select b.callback_id, l.served_at,
               row_number() over (partition by l.id order by b.due_at, b.callback_id) as turn
          from lane l
         cross join lateral (select callback_id, due_at
                               from callback_outbox
                              where lane_id = l.id and state = 'due' and due_at <= now()
                              order by due_at, callback_id
                              limit greatest(l.room, 0)) b
      ), chosen as (
        select callback_id from candidate order by turn, served_at, callback_id limit $2
      ), locked as (
        select callback_id
          from callback_outbox
         where callback_id = any(array(select callback_id from chosen)) and state = 'due'
         order by callback_id
           for update skip locked
      ), taken as (
        update callback_outbox
           set state = 'in_flight', lease_epoch = (select nextval('callback_epoch')),
               leased_until = now() + $3 * interval '1 millisecond'
         where callback_id = any(array(select callback_id from locked))
        returning callback_id, lane_id, lease_epoch
      ), served as (
        update callback_lane
           set served_at = clock_timestamp(),
               probes = case when opened_at is null then 0 else probes + 1 end,
               probe_at = case when opened_at is not null
                               then now() + least($5, $4 * 2 ^ least(probes + 1, 30)) * interval '1 millisecond' end
         where id = any(array(select lane_id from taken))
      )
      select callback_id as id, lease_epoch as epoch from taken`,
    values: [taking.lanes, taking.slots, taking.leaseMs, taking.probeFirstMs, taking.probeMaxMs],
  })
  return rows
}
