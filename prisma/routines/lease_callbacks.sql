-- Leases due callbacks, fairly and within each lane's limit, and returns them with everything needed to send them.
-- Called by the courier: leaseCallbacks (src/callbacks/leasing/lease-store.ts) says what it promises.
-- Locks the lanes it serves (for no key update) and the outbox rows it takes (for update) until its transaction ends. It skips
-- those that are locked already, so it never waits for a row and takes no part in a deadlock.

-- A function, because it has to be two statements and may not be several round trips: while a courier waits for them, no new
-- delivery begins.
--
-- `holders` and `holdings`: how many leases the courier holds of each merchant; null: no merchant has a share. A merchant that
-- would hold `level` leases after this one is given it while level <= 3 * (what is then still free): mayTakeOneMore
-- (src/callbacks/queue/merchant-share.ts). Lower levels come first, so once a level is refused, so are all after it.
create or replace function lease_callbacks(
  slots integer, lease interval, first_probe interval, longest_probe interval, holders bigint[], holdings integer[])
returns table (lease_epoch bigint, schedule_step integer, now_ms numeric, facts callback_facts)
language plpgsql as $$
#variable_conflict use_column
declare
  lanes bigint[];
begin
  -- Lanes that have something to send and room for it, of merchants that have room for it. The lane's lock keeps its limit
  -- across couriers: a courier counts and takes while it holds it. "No key update" lets the watcher write callbacks into the
  -- lane meanwhile.
  lanes := array(
    select l.id
      from (select l.id,
                   coalesce(h.held, 0) + row_number() over (partition by l.merchant_id order by l.served_at, l.id) as level
              from due_lane w
              join callback_lane l on l.id = w.lane_id
              join merchant m on m.id = l.merchant_id and m.disabled_at is null
              left join unnest(holders, holdings) as h (merchant_id, held) on h.merchant_id = l.merchant_id
             where w.due_at <= now()
               and (h.held is null or h.held = 0 or h.held < 3 * (slots - 1))
               and (l.probe_at is null or l.probe_at <= now())
               and (select count(*) from callback_outbox b where b.lane_id = l.id and b.state = 'in_flight')
                 < l.in_flight_max) waiting
      join callback_lane l on l.id = waiting.id
     -- Again, because another courier may have sent the probe since: under the lock, this reads the lane as it is now.
     where l.probe_at is null or l.probe_at <= now()
     order by waiting.level, l.served_at, l.id
     limit slots
       for no key update of l skip locked);
  if cardinality(lanes) = 0 then
    return;
  end if;

  -- A statement of its own: only one that begins after the lanes are locked sees what the lock's last holder took.
  -- `any(array(...))` and not `in (...)`: the table fills and empties, and whatever its statistics say, this uses the index.
  return query
  with lane as (
    select l.id, l.merchant_id, l.served_at,
           l.in_flight_max - (select count(*)
                                from callback_outbox b
                               where b.lane_id = l.id and b.state = 'in_flight') as room
      from callback_lane l
     where l.id = any(lanes)
  ), candidate as (
    select b.callback_id, l.merchant_id, l.served_at,
           row_number() over (partition by l.id order by b.due_at, b.callback_id) as turn
      from lane l
     cross join lateral (select callback_id, due_at
                           from callback_outbox
                          where lane_id = l.id and state = 'due' and due_at <= now()
                          order by due_at, callback_id
                          -- At most an even share of the slots is read from each lane; what others leave is taken at the next call.
                          limit greatest(least(slots / cardinality(lanes) + 1, l.room), 0)) b
  ), levelled as (
    select c.callback_id, c.served_at,
           coalesce(h.held, 0)
             + row_number() over (partition by c.merchant_id order by c.turn, c.served_at, c.callback_id) as level
      from candidate c
      left join unnest(holders, holdings) as h (merchant_id, held) on h.merchant_id = c.merchant_id
  ), placed as (
    select callback_id, level, row_number() over (order by level, served_at, callback_id) as place
      from levelled
  ), chosen as (
    select callback_id
      from placed
     where place <= slots and (holders is null or level = 1 or level <= 3 * (slots - place))
  ), locked as (
    -- Still due. Do not write `state = 'due'`: Postgres underestimates how many rows are due and reads the index of all of them.
    select callback_id
      from callback_outbox
     where callback_id = any(array(select callback_id from chosen))
       and leased_until is null and state <> 'held'
     order by callback_id
       for update skip locked
  ), epoch as (
    -- One epoch for all callbacks that are taken together.
    select nextval('callback_epoch') as next
  ), taken as (
    update callback_outbox
       set state = 'in_flight', lease_epoch = (select next from epoch), leased_until = now() + lease
     where callback_id = any(array(select callback_id from locked))
    returning callback_id, lane_id, lease_epoch, schedule_step
  ), served as (
    update callback_lane c
       set served_at = clock_timestamp(),
           cap_reached = t.count >= l.room,
           probes = case when c.opened_at is null then 0 else c.probes + 1 end,
           probe_at = case when c.opened_at is not null
                           then now() + least(longest_probe, first_probe * 2 ^ least(c.probes + 1, 30)) end
      from (select lane_id, count(*) as count from taken group by lane_id) t
      join lane l on l.id = t.lane_id
     where c.id = t.lane_id
  )
  select taken.lease_epoch, taken.schedule_step, extract(epoch from clock_timestamp()) * 1000, f
    from taken
    join callback_facts f on f.id = taken.callback_id;
end $$;

-- For couriers of earlier versions, which know of no shares, while a rolling upgrade goes on.
create or replace function lease_callbacks(
  slots integer, lease interval, first_probe interval, longest_probe interval)
returns table (lease_epoch bigint, schedule_step integer, now_ms numeric, facts callback_facts)
language sql as $$
  select * from lease_callbacks(slots, lease, first_probe, longest_probe, null, null)
$$;
