-- Blocks that no host could give, and that following went on without. A new table and view: locks and rewrites nothing. Old code can run
-- beside it: it parks nothing, and leaves what is parked alone.

create table parked_block (
  height        integer primary key,
  -- Its id: later blocks are built on it.
  hash          text not null,
  -- Why it could not be read.
  why           text not null,
  created_at    timestamptz not null default now(),
  checks        integer not null default 0,
  checked_at    timestamptz,
  next_check_at timestamptz default now(),
  -- When it was read after all, and its payments were recorded. Null: it is still parked.
  read_at       timestamptz
);
create index parked_block_next_check on parked_block (next_check_at) where read_at is null;

create view report.parked_blocks as
select height, hash, why, created_at, checks, checked_at, next_check_at, read_at
  from parked_block;
comment on view report.parked_blocks is
  'Blocks that no host could give when they were followed. They are read again until one can; then what they pay is credited.';
comment on column report.parked_blocks.height is 'Its height.';
comment on column report.parked_blocks.hash is 'Its id: 64 hex digits.';
comment on column report.parked_blocks.why is 'Why it could not be read.';
comment on column report.parked_blocks.created_at is 'When it was parked.';
comment on column report.parked_blocks.checks is 'How often it was asked for again.';
comment on column report.parked_blocks.checked_at is 'When it was last asked for.';
comment on column report.parked_blocks.next_check_at is 'When it is asked for again. Null: it was read.';
comment on column report.parked_blocks.read_at is 'When it was read, and what it pays was recorded. Null: it is still parked.';

comment on column report.unverified_blocks.why is
  'What did not fit: id, empty-under-root, leaf, root, stranger, signature, infos, header-only (no node could print it), unlogged or contradicted.';
