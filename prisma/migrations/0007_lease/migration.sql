-- Leasing in one round trip. Locks and rewrites nothing, and code from before runs beside it.

-- All that an attempt of a callback needs to know.
create view callback_facts as
select c.id, c.merchant_id, c.order_id, c.attempts, c.key, c.body_amount, c.received, c.order_state, c.late,
       o.orderid, o.ordersn, o.localusermark, o.notify_url, o.amount as order_amount,
       t.txid, t.log_index, t.amount as transfer_amount,
       m.disabled_at is not null as disabled
  from callback c
  join recharge_order o on o.id = c.order_id
  join credit r on r.id = c.credit_id
  join transfer t on t.id = r.transfer_id
  join merchant m on m.id = c.merchant_id;

-- The first due callback of each lane that has one. It jumps from lane to lane along the index: what it costs is lanes with due
-- rows, however many rows they have.
create view due_lane as
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
select lane_id, due_at from waiting;

-- Leases what is due, as src/callbacks/lane-store.ts says. A function, because it has to be two statements and may not be
-- several round trips: while a courier waits for them nothing new is begun.
create function lease_callbacks(
  slots integer, lease interval, first_probe interval, longest_probe interval)
returns table (lease_epoch bigint, schedule_step integer, now_ms numeric, facts callback_facts)
language plpgsql as $$
#variable_conflict use_column
declare
  lanes bigint[];
begin
  -- Lanes that have something to send and room for it. A lane's lock is what keeps its cap: who counts and takes holds it.
  -- "No key update" leaves the watcher free to write callbacks into the lane meanwhile.
  lanes := array(
    select l.id
      from due_lane w
      join callback_lane l on l.id = w.lane_id
      join merchant m on m.id = l.merchant_id and m.disabled_at is null
     where w.due_at <= now()
       and (l.probe_at is null or l.probe_at <= now())
       and (select count(*) from callback_outbox b where b.lane_id = l.id and b.state = 'in_flight')
         < l.in_flight_max
     order by l.served_at, l.id
     limit slots
       for no key update of l skip locked);
  if cardinality(lanes) = 0 then
    return;
  end if;

  -- A statement of its own: only one that begins after the lanes are locked sees what the last holder of the lock took.
  -- `any(array(...))` and not `in (...)`: whatever the statistics say of a table that fills and empties, it is the index.
  return query
  with lane as (
    select l.id, l.served_at,
           -- No more than an even share is looked at; what others leave is had at the next turn.
           least(slots / cardinality(lanes) + 1,
                 l.in_flight_max - (select count(*)
                                      from callback_outbox b
                                     where b.lane_id = l.id and b.state = 'in_flight')) as room
      from callback_lane l
     where l.id = any(lanes)
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
    select callback_id from candidate order by turn, served_at, callback_id limit slots
  ), locked as (
    -- Still due; not said by state alone, or the planner would walk the index of all that is due, which it thinks is little.
    select callback_id
      from callback_outbox
     where callback_id = any(array(select callback_id from chosen))
       and leased_until is null and state <> 'held'
     order by callback_id
       for update skip locked
  ), epoch as (
    -- One does for all that are taken together.
    select nextval('callback_epoch') as next
  ), taken as (
    update callback_outbox
       set state = 'in_flight', lease_epoch = (select next from epoch), leased_until = now() + lease
     where callback_id = any(array(select callback_id from locked))
    returning callback_id, lane_id, lease_epoch, schedule_step
  ), served as (
    update callback_lane
       set served_at = clock_timestamp(),
           probes = case when opened_at is null then 0 else probes + 1 end,
           probe_at = case when opened_at is not null
                           then now() + least(longest_probe, first_probe * 2 ^ least(probes + 1, 30)) end
     where id = any(array(select lane_id from taken))
  )
  select taken.lease_epoch, taken.schedule_step, extract(epoch from clock_timestamp()) * 1000, f
    from taken
    join callback_facts f on f.id = taken.callback_id;
end $$;
