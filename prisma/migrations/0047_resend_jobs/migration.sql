-- Resending in bulk from the console: what is to be sent again is recorded, and couriers carry it out. A new table, and two columns
-- on job, one with a constant default: rewrites nothing, and locks job for a moment. Old code can run beside it: older couriers leave
-- these jobs to newer ones.

alter table job
  -- What it has to do is recorded, so whichever process is there goes on with it: it waits, and does not die.
  add column recorded   boolean not null default false,
  -- Who ended it early. Null: nobody.
  add column stopped_by text;

-- Callbacks that somebody has a courier send again, in the order of their ids. A row goes with its job's.
create table resend_job (
  job_id       bigint primary key references job on delete cascade,
  -- Null: of all merchants.
  merchant_id  bigint references merchant,
  appid        text,
  -- Those that have left it when their turn comes are skipped.
  state        text not null check (state in ('due', 'held', 'delivered', 'exhausted')),
  -- What they were selected by, for the audit.
  filter       jsonb not null,
  -- Empty: it has ended.
  callback_ids bigint[] not null,
  resent       integer not null default 0 check (resent >= 0),
  -- When the next of them are sent again. Later ones of the same merchant leave room for others'.
  next_at      timestamptz not null default now(),
  -- Who asked for it, why and from where.
  actor        text not null,
  reason       text,
  address      text
);
-- A merchant has one at a time.
create unique index resend_job_running on resend_job (coalesce(merchant_id, 0)) where callback_ids <> '{}';
create index resend_job_merchant on resend_job (merchant_id, job_id);

create or replace view report.jobs as
select j.id as job_id, j.kind, j.subject, j.started_by, j.started_at, j.seen_at, j.done, j.total, j.ended_at, j.problem, j.recorded,
       j.stopped_by
  from job j;
comment on view report.jobs is 'Work that takes long, that of the last month: rescan, import_from_block, resend.';
comment on column report.jobs.seen_at is 'When it last said how far it is. One that is not recorded, has not ended and has said nothing for a minute has died.';
comment on column report.jobs.ended_at is 'When it ended. Null: it runs, or waits, or has died.';
comment on column report.jobs.recorded is 'True: what it has to do is recorded, and a courier carries it out. False: it is a command''s.';
comment on column report.jobs.stopped_by is 'Who ended it early. Null: nobody.';
