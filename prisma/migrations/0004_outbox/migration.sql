-- What is owed and what is known of a callback, apart; a circuit for each lane. Stop every process first: code from before
-- cannot run beside it. Locks callback while it copies the rows that are not finished; the finished ones are not rewritten.

-- ---------------------------------------------------------------- outbox

-- One for all callbacks and for ever, so that a lease's epoch never comes again, even when its row goes and returns.
create sequence callback_epoch as bigint;

-- One row for each callback that owes an attempt. Acknowledged or exhausted: the row goes. Narrow, because every callback
-- is written and deleted here; what stays is in `callback`.
create table callback_outbox (
  callback_id   bigint primary key references callback,
  lane_id       bigint not null references callback_lane,
  state         text not null default 'due' check (state in ('due', 'in_flight', 'held')),
  due_at        timestamptz not null default now(),
  -- Attempts made of the schedule as it runs now; a resend begins it again.
  schedule_step integer not null default 0,
  lease_epoch   bigint not null default 0,
  leased_until  timestamptz,
  check ((state = 'in_flight') = (leased_until is not null))
) with (
  -- A row's second version, the leased one, finds room beside the first.
  fillfactor = 50,
  -- As many rows as there are callbacks die here: by number, not by share, and without pauses. Nor is the file cut back when
  -- the queue runs empty: that would lock out the couriers, and it is needed again a moment later.
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
  autovacuum_vacuum_cost_delay = 0, vacuum_truncate = false
);

insert into callback_outbox (callback_id, lane_id, state, due_at, schedule_step, lease_epoch, leased_until)
select id, lane_id, state, due_at, schedule_step, lease_epoch, leased_until
  from callback
 where state in ('due', 'in_flight', 'held')
 order by id;

-- After the copy, which is faster so.
create index callback_outbox_due on callback_outbox (lane_id, due_at, callback_id) where state = 'due';
create index callback_outbox_in_flight on callback_outbox (lane_id, leased_until) where state = 'in_flight';
create index callback_outbox_held on callback_outbox (lane_id) where state = 'held';

-- Above every epoch given out so far: calls that are still in the queue must not fit what is leased from now on.
select setval('callback_epoch', (select greatest(max(lease_epoch), 1) from callback));

-- ---------------------------------------------------------------- callback

-- When it was given up; null again once it is sent again.
alter table callback add column exhausted_at timestamptz;
update callback c
   set exhausted_at = coalesce((select max(a.started_at) from callback_attempt a where a.callback_id = c.id), c.due_at)
 where c.state = 'exhausted';

drop index callback_due, callback_in_flight, callback_held;
alter table callback
  drop column state,
  drop column due_at,
  drop column schedule_step,
  drop column lease_epoch,
  drop column leased_until,
  add check (delivered_at is null or exhausted_at is null);
-- An attempt changes nothing that is indexed, so its update stays on its page.
alter table callback set (fillfactor = 50);
create index callback_exhausted on callback (exhausted_at) where exhausted_at is not null;

-- A callback's state as it is shown. due_at and schedule_step are null for a finished one.
create view callback_state as
select c.id as callback_id,
       coalesce(b.state, case when c.delivered_at is not null then 'delivered' else 'exhausted' end) as state,
       b.due_at,
       b.schedule_step
  from callback c
  left join callback_outbox b on b.callback_id = c.id;

-- ---------------------------------------------------------------- circuit

alter table callback_lane
  -- The endpoint's failures in a row; counted while the circuit is closed.
  add column failures      integer not null default 0,
  -- Set while it is open: single probes only, the next not before probe_at. `probes` counts those sent since it opened.
  add column opened_at     timestamptz,
  add column probe_at      timestamptz,
  add column probes        integer not null default 0,
  -- Set while it recovers: how many may be in flight, growing with each success up to the cap.
  add column slow_start    integer check (slow_start > 0),
  -- What of all this the leasing needs to know: how many may be in flight now.
  add column in_flight_max integer not null generated always as (
    case when opened_at is not null then 1 else least(cap, coalesce(slow_start, cap)) end) stored,
  add check ((opened_at is null) = (probe_at is null));
-- Written at every lease.
alter table callback_lane set (fillfactor = 50);

-- ---------------------------------------------------------------- another default URL

-- Merchants whose default URL has changed: what waits for the old one's origin belongs in the new one's lane. Couriers look
-- at next_at, and once more at last_at, for what was being credited or sent while it changed.
create table callback_reroute (
  merchant_id bigint primary key references merchant,
  next_at     timestamptz not null default now(),
  last_at     timestamptz not null default now() + interval '1 minute'
);

-- Whoever changes it, command, console or an admin's own SQL.
create function reroute_callbacks() returns trigger language plpgsql as $$
begin
  insert into callback_reroute (merchant_id) values (new.id)
      on conflict (merchant_id) do update set next_at = excluded.next_at, last_at = excluded.last_at;
  return null;
end $$;
create trigger merchant_reroutes_callbacks after update of callback_url on merchant
  for each row when (old.callback_url is distinct from new.callback_url) execute function reroute_callbacks();
