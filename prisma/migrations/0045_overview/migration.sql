-- What the console's overview and its page of the system show: sums by day that are kept, jobs, and the version of each process.
-- New tables, a column with a constant default and one without on running_process. Rewrites nothing, and locks running_process for
-- a moment. Old code can run beside it: whatever it writes is summed up later, and its processes say no version.

-- What a merchant received and was announced on one day of UTC, of the transfers and callbacks up to those in money_sum. Both tables
-- only grow, and only while the cursor's row is locked, so the order of their ids is the order in which they were committed. Rejected
-- transfers are in it: who reads takes them off.
create table money_day (
  merchant_id bigint not null references merchant,
  day         date not null,
  -- By the time of the transfers' blocks.
  transfers   bigint not null default 0,
  received    bigint not null default 0,
  -- By the time when the callbacks were written. 1/10000 USDT.
  callbacks   bigint not null default 0,
  announced   bigint not null default 0,
  primary key (merchant_id, day)
) with (fillfactor = 70);
create index money_day_day on money_day (day);

-- The only row: up to where money_day has everything.
create table money_sum (
  single           boolean primary key default true check (single),
  last_transfer_id bigint not null default 0,
  last_callback_id bigint not null default 0
);
insert into money_sum default values;

-- A command that works for long, as it last said. For display. A row is deleted a month after its job.
create table job (
  id         bigint generated always as identity primary key,
  kind       text not null check (kind ~ '^[a-z_]{1,40}$'),
  -- What it works on: 'blocks 100 to 200', 'merchant VunTq7Zk2Lm9h1l8'.
  subject    text not null check (length(subject) <= 200),
  started_by text not null,
  started_at timestamptz not null default now(),
  -- One that has said nothing for a minute has died.
  seen_at    timestamptz not null default now(),
  done       bigint not null default 0 check (done >= 0),
  -- Null: it is not known yet.
  total      bigint check (total >= 0),
  ended_at   timestamptz,
  -- Why it failed. Null: it has not.
  problem    text check (length(problem) <= 500)
);
create index job_running on job (id) where ended_at is null;

alter table running_process
  add column version    text,
  add column started_at timestamptz not null default now();

create or replace view report.processes as
select p.id as process_id, p.roles, p.working, p.why, p.seen_at, p.version, p.started_at
  from running_process p;
comment on column report.processes.version is 'The version of its program. Null: one from before versions were said.';
comment on column report.processes.started_at is 'When it first said that it runs.';

create view report.jobs as
select j.id as job_id, j.kind, j.subject, j.started_by, j.started_at, j.seen_at, j.done, j.total, j.ended_at, j.problem
  from job j;
comment on view report.jobs is 'Commands that work for long, those of the last month: rescan, import_from_block, resend.';
comment on column report.jobs.job_id is 'Number of the job.';
comment on column report.jobs.kind is 'What it does: rescan, import_from_block or resend.';
comment on column report.jobs.subject is 'What it works on.';
comment on column report.jobs.started_by is 'Who started it.';
comment on column report.jobs.started_at is 'When it began.';
comment on column report.jobs.seen_at is 'When it last said how far it is. One that has not ended and has said nothing for a minute has died.';
comment on column report.jobs.done is 'How much is done: blocks, or callbacks.';
comment on column report.jobs.total is 'How much there is to do. Null: it is not known yet.';
comment on column report.jobs.ended_at is 'When it ended. Null: it runs, or it has died.';
comment on column report.jobs.problem is 'Why it failed. Null: it has not.';
