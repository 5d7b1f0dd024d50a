-- Failover and restore are noticed. Locks and rewrites nothing. Old code can run beside it: it assigns without these checks.

-- The history of the database in which addresses may be assigned, as current_history() names it. A failover or a restore
-- begins another one, which may lack the last addresses that were assigned. No row: the first assignment records it.
create table database_history (
  single          boolean primary key default true check (single),
  history         text not null,
  accepted_at     timestamptz not null default now(),
  -- Set: addresses were lost, and none is assigned until `gateway restored`.
  stopped_at      timestamptz,
  stopped_because text,
  -- While stopped: the next index that each counter is known to have had, by the counter's id. None may resume below it.
  lost            jsonb not null default '{}',
  check ((stopped_at is null) = (stopped_because is null))
);

-- The processes that may assign addresses, each with the history in which it missed nothing of what it remembers.
-- A standby replays commits in their order: if it has the deletion of a row, it has all that the process assigned before.
create table address_witness (
  id        text primary key,
  name      text not null,
  history   text not null,
  -- Whether all that it assigned is in Redis as well, so that the process itself may be lost.
  published boolean not null,
  seen_at   timestamptz not null default now()
);
