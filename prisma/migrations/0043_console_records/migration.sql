-- What people ask of an order and of its callbacks, and what was not recorded: an attempt's place in the schedule and the wait
-- after it, the key that signed a request, how endpoints answered hour by hour, notes. New tables, and columns without a default:
-- rewrites nothing, and locks callback_attempt, api_request and callback_outbox for a moment. Old code can run beside it: what it
-- writes lacks these facts.

-- Eight bytes more for each attempt. Why the wait is as long as it is follows from the two.
alter table callback_attempt
  -- How many attempts of the schedule were made before it. 0 again after a resend.
  add column schedule_step integer check (schedule_step >= 0),
  -- How long after it the next one was due. Null: none follows, or it is of an older version (then schedule_step is null, too).
  add column retry_in_ms   integer check (retry_in_ms >= 0);

-- The key that signed the request. No reference: history stays when a key goes.
alter table api_request add column key_id bigint;

drop index callback_outbox_held;

-- How the endpoint of a lane answered within one hour: the attempts that ended alike. Couriers count in memory and add to it every
-- few seconds, so a courier that dies takes a few counts along. For display. Deleted after five weeks.
create table callback_hour (
  lane_id     bigint not null references callback_lane,
  hour        timestamptz not null,
  -- As in callback_attempt.
  outcome     text not null,
  -- 0: no status came.
  status      integer not null,
  attempts    bigint not null check (attempts > 0),
  -- How many of them took at most 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 ms, and longer.
  durations   bigint[] not null check (cardinality(durations) = 12),
  primary key (lane_id, hour, outcome, status)
) with (
  -- Counts are not indexed, so a row's next version finds room on its page.
  fillfactor = 50
);
create index callback_hour_time on callback_hour (hour);

-- What people note on an order. Append-only.
create table order_note (
  id         bigint generated always as identity primary key,
  order_id   bigint not null references recharge_order,
  -- A person's name, or the command's.
  author     text not null check (length(author) between 1 and 200),
  text       text not null check (length(text) between 1 and 2000),
  created_at timestamptz not null default now()
);
create index order_note_order on order_note (order_id, id);
create trigger order_note_append_only before update or delete on order_note
  for each row execute function refuse_change();
create trigger order_note_no_truncate before truncate on order_note
  for each statement execute function refuse_change();
