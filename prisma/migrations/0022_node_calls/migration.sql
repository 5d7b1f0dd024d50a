-- The contract's events, and what each node was asked and said last. Three new tables: locks and rewrites nothing. Old code can run beside it.

-- Events of the USDT contract that change what its transfers mean. The alarm `contract` is raised while one is not acknowledged.
create table contract_event (
  id              bigint generated always as identity primary key,
  txid            text not null,
  log_index       integer not null,
  event           text not null,
  block_height    integer not null,
  block_time      timestamptz not null,
  recorded_at     timestamptz not null default now(),
  acknowledged_at timestamptz,
  acknowledged_by text,
  unique (txid, log_index),
  check ((acknowledged_at is null) = (acknowledged_by is null))
);

create index contract_event_open on contract_event (id) where acknowledged_at is null;

-- Calls to each node in a day of UTC, by all processes together: a daily quota outlives a restart.
create table node_day (
  node  text not null,
  -- 2026-11-23
  day   text not null check (day ~ '^\d{4}-\d\d-\d\d$'),
  calls bigint not null check (calls >= 0),
  primary key (node, day)
);

-- The nodes as the leading watcher sees them, rewritten every few seconds. For `gateway status`.
create table node_status (
  node         text primary key,
  -- What counts as one operator's: nodes of one host are no second opinion.
  host         text not null,
  transport    text not null check (transport in ('http', 'grpc')),
  state        text not null,
  -- Empty in state ok.
  why          text not null,
  solid_height integer,
  -- When it may be asked again; null while it may be asked.
  until        timestamptz,
  -- Calls it allows us in a day of UTC; null: no quota is set.
  quota        bigint,
  seen_at      timestamptz not null default now()
);
