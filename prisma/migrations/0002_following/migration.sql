-- Following by one leader, sightings at the head, held transfers, discrepancies. Locks waiting_transfer and quarantine
-- for a moment; the code before it can run beside it.

-- Which watcher leads. The cursor's compare-and-set keeps two from both winning; this keeps the others from trying.
create table watcher_lease (
  single     boolean primary key default true check (single),
  holder     text not null,
  epoch      bigint not null,
  expires_at timestamptz not null
);

-- The newest block, not solidified: what confirmations are counted from. For display only.
create table chain_head (
  single     boolean primary key default true check (single),
  height     integer not null,
  hash       text not null,
  block_time timestamptz not null,
  seen_at    timestamptz not null default now()
);

-- Transfers at the head, for display only: a fork makes them go, move or come again, and a solidified block ends them.
create table seen_transfer (
  txid               text not null,
  log_index          integer not null,
  deposit_address_id bigint not null references deposit_address,
  from_address       text not null,
  amount             bigint not null check (amount > 0),
  block_height       integer not null,
  block_hash         text not null,
  block_time         timestamptz not null,
  primary key (txid, log_index)
);
create index seen_transfer_address on seen_transfer (deposit_address_id);
create index seen_transfer_height on seen_transfer (block_height);

-- `behind`: waits its turn behind a held or quarantined one on its address.
alter table waiting_transfer drop constraint waiting_transfer_reason_check;
alter table waiting_transfer
  add constraint waiting_transfer_reason_check check (reason in ('unclaimed', 'held', 'quarantined', 'behind')),
  -- Of a held one: the node that showed its block, when another was last asked, and what that one said.
  add column node       text,
  add column checked_at timestamptz,
  add column note       text;
create index waiting_transfer_held on waiting_transfer (transfer_id) where reason = 'held';

-- Of a transfer that was decoded but could not be credited; null for a log that cannot be decoded.
alter table quarantine add column transfer_id bigint references transfer;

-- What a second source says otherwise: for people to look at, never credited by itself.
create table discrepancy (
  id           bigint generated always as identity primary key,
  kind         text not null,
  -- What it is about: an address, a block's height, a transaction.
  subject      text not null,
  detail       jsonb not null,
  found_at     timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  resolved_at  timestamptz
);
create unique index discrepancy_open on discrepancy (kind, subject) where resolved_at is null;
