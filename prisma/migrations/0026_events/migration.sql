-- Events beside the callbacks of credits. Two new tables, and a column of merchant with a default; locks nothing large. Old code
-- can run beside it: it writes no events and sends none.

-- Which events a merchant is told of. None, unless it asks.
alter table merchant add column events text[] not null default '{}'
  constraint merchant_events_check check (events <@ array['order.seen', 'order.expired', 'deposit.unclaimed']);

-- One event that a merchant is told of, for display. Not a callback: it announces no money, has few attempts, and is deleted.
create table event (
  id           bigint generated always as identity primary key,
  key          text not null unique check (key ~ '^ev_[0-9a-f]{32}$'),
  merchant_id  bigint not null references merchant,
  event        text not null,
  -- Its order's own URL; null: the merchant's default.
  notify_url   text,
  -- What it says, as names and texts: every attempt says the same.
  fields       jsonb not null,
  created_at   timestamptz not null default now(),
  -- An attempt counts from when it is leased, so that a crash uses it up.
  attempts     integer not null default 0,
  due_at       timestamptz not null default now(),
  leased_until timestamptz,
  last_outcome text,
  last_status  integer,
  delivered_at timestamptz,
  -- Given up: its attempts are used up, or it is too old.
  dropped_at   timestamptz,
  check (num_nonnulls(delivered_at, dropped_at, leased_until) <= 1)
);
create index event_due on event (merchant_id, due_at, id) where delivered_at is null and dropped_at is null;
create index event_leased on event (merchant_id) where leased_until is not null;
create index event_age on event (created_at);
create index event_undone on event (created_at) where delivered_at is null and dropped_at is null;

-- How far each merchant that is told of expired orders has been told: in the order of their creation.
create table expiry_cursor (
  merchant_id bigint primary key references merchant,
  created_at  timestamptz not null default now(),
  order_id    bigint not null default 0
);

create view report.events as
select e.id as event_id, e.key, e.merchant_id, m.appid, e.event, e.fields,
       case when e.delivered_at is not null then 'delivered' when e.dropped_at is not null then 'dropped' else 'due' end as state,
       e.attempts, e.last_outcome, e.last_status, e.due_at, e.created_at, e.delivered_at, e.dropped_at
  from event e
  join merchant m on m.id = e.merchant_id;
comment on view report.events is
  'Events that merchants are told of beside their callbacks, for display. They announce no money, and are deleted after a week.';
comment on column report.events.event_id is 'The event''s id in this database.';
comment on column report.events.key is 'Its key: the Idempotency-Key header of every attempt.';
comment on column report.events.merchant_id is 'The merchants id in this database.';
comment on column report.events.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.events.event is 'order.seen, order.expired or deposit.unclaimed. See docs/callbacks.md.';
comment on column report.events.fields is 'What it says, beside appid, t and sign.';
comment on column report.events.state is
  'due: an attempt is owed. delivered: acknowledged. dropped: its attempts are used up, or it was not delivered within a day.';
comment on column report.events.attempts is 'Attempts so far, at most five.';
comment on column report.events.last_outcome is
  'acknowledged, refused (an answer that does not acknowledge), or the kind of failure. Null: not attempted yet.';
comment on column report.events.last_status is 'HTTP status of the last answer. Null: there was none.';
comment on column report.events.due_at is 'When the next attempt is due, or when the last one was.';
comment on column report.events.created_at is 'When it was written.';
comment on column report.events.delivered_at is 'When it was acknowledged. Null: it was not.';
comment on column report.events.dropped_at is 'When it was given up. Null: it was not.';

create or replace view report.merchants as
select m.id as merchant_id, m.appid, m.name, m.callback_url, m.callback_format, m.callback_fields, m.acknowledgement,
       m.always_200, m.require_nonce, m.disabled_at, m.created_at, m.events
  from merchant m;
comment on column report.merchants.events is 'The events it is told of beside its callbacks. See report.events.';
