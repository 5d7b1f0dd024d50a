-- The block producers that are believed. Locks and rewrites nothing. Old code can run beside it: it does not know the table.

-- A producer of blocks, and the keys that may sign for it. Later ones are added when a block of theirs has become solid under the
-- producers known before.
create table chain_producer (
  -- 21 bytes in hex, as headers have them.
  address    text primary key check (address ~ '^41[0-9a-f]{40}$'),
  -- The addresses of its keys, each 21 bytes in hex.
  signers    text[] not null check (cardinality(signers) > 0),
  -- How it became known: most hosts named it, or its block became solid under the others.
  source     text not null check (source in ('hosts', 'block')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
