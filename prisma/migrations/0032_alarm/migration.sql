-- Alarms with the messages that tell of them, and the processes that run. New tables and views only: locks nothing. Old code can run
-- beside it: it raises its alarms in its own log and metrics, and is not counted among the processes.

-- One occurrence of an alarm. `count` is how many things it is about; more of them are told of again.
create table alarm (
  id bigint generated always as identity primary key,
  name text not null check (name ~ '^[a-z_]{1,40}$'),
  raised_by text not null,
  detail jsonb not null default '{}',
  count bigint not null default 1,
  raised_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  cleared_at timestamptz,
  -- What the last message said, how many said that it is raised, and of how many things.
  told text not null default 'nothing' check (told in ('nothing', 'raised', 'cleared')),
  told_at timestamptz,
  told_count bigint not null default 0,
  messages integer not null default 0,
  -- When the next message is due, and until when a process is sending it.
  message_due_at timestamptz default now(),
  message_leased_until timestamptz,
  failures integer not null default 0
);
-- Whichever processes see it, and however often: one occurrence at a time.
create unique index alarm_open on alarm (name) where cleared_at is null;
create index alarm_message_due on alarm (message_due_at) where message_due_at is not null;

-- One process of the gateway, as it last said. A row is deleted when its process stops, or has said nothing for an hour.
create table running_process (
  id text primary key,
  roles text[] not null,
  working boolean not null,
  why text,
  seen_at timestamptz not null default now()
);

create view report.alarms as
select a.id as alarm_id, a.name, a.raised_by, a.count, a.detail, a.raised_at, a.seen_at, a.cleared_at, a.told, a.told_at, a.messages
  from alarm a;
comment on view report.alarms is 'Alarms of the last 90 days, and those that are raised now.';
comment on column report.alarms.alarm_id is 'Number of the occurrence. One that comes back within ten minutes is the same.';
comment on column report.alarms.name is 'The alarm. docs/alarms.md says what each means and what to do.';
comment on column report.alarms.raised_by is 'watcher: the one that leads. gateway: any process. Otherwise the process.';
comment on column report.alarms.count is 'How many things the alarm is about.';
comment on column report.alarms.detail is 'Facts about it, as in the log.';
comment on column report.alarms.raised_at is 'When it was raised.';
comment on column report.alarms.seen_at is 'When it was last found to be raised. One that is not found for 15 minutes is cleared.';
comment on column report.alarms.cleared_at is 'When it ended; null: it is raised.';
comment on column report.alarms.told is 'What the last message to ALARM_WEBHOOK_URL said: nothing (none was sent), raised or cleared.';
comment on column report.alarms.told_at is 'When the last message was sent; null: none was.';
comment on column report.alarms.messages is 'How many messages said that it is raised.';

create view report.processes as
select p.id as process_id, p.roles, p.working, p.why, p.seen_at
  from running_process p;
comment on view report.processes is 'The processes of the gateway that run, as each last said. They say it every 15 seconds.';
comment on column report.processes.process_id is 'Host, number of the process, and random characters.';
comment on column report.processes.roles is 'Which of api, watcher and courier it is.';
comment on column report.processes.working is 'Whether its /readyz says ready.';
comment on column report.processes.why is 'Why it is not ready; null: it is.';
comment on column report.processes.seen_at is 'When it last said so.';
