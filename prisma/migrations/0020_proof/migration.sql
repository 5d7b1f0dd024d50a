-- What each transfer is credited on, and what waits for proof. New tables; their foreign keys lock transfer and deposit_address against
-- writes for a moment. The code before it can run beside it: what waits for proof is not in transfer, so it cannot credit it.

-- How it is known that a transfer happened. None for a transfer that was recorded before this.
create table transfer_proof (
  transfer_id bigint primary key references transfer,
  -- signed: its sender signed recipient and amount, in a verified block. agreed: two hosts showed it. alone: one host's word.
  proof       text not null check (proof in ('signed', 'agreed', 'alone')),
  -- That showed it, as far as is known.
  hosts       text[] not null,
  created_at  timestamptz not null default now()
);
create trigger transfer_proof_append_only before update or delete on transfer_proof
  for each row execute function refuse_change();
create trigger transfer_proof_no_truncate before truncate on transfer_proof
  for each statement execute function refuse_change();

-- Transfers that hosts showed and that may not be credited by their word. One may be shown in several versions, of which one at most
-- becomes a transfer: each has a row, so that a false one never takes a true one's place.
create table pending_proof (
  id                 bigint generated always as identity primary key,
  txid               text not null check (txid ~ '^[0-9a-f]{64}$'),
  log_index          integer not null check (log_index >= 0),
  deposit_address_id bigint not null references deposit_address,
  from_address       text not null,
  amount             bigint not null check (amount > 0),
  block_height       integer not null,
  block_hash         text not null,
  block_time         timestamptz not null,
  tx_index           integer not null,
  -- The node that showed it first, and every host that has.
  node               text not null,
  hosts              text[] not null,
  -- The hosts that showed its block without it when they were last asked, and since when the only one configured has.
  denied             text[] not null default '{}',
  denied_since       timestamptz,
  created_at         timestamptz not null default now(),
  checks             integer not null default 0,
  checked_at         timestamptz,
  -- Null: it is not read again by itself.
  next_check_at      timestamptz default now(),
  -- Null: it waits.
  ended_at           timestamptz,
  ended_as           text check (ended_as in ('credited', 'rejected')),
  ended_because      text,
  -- Who rejected it; null: the watcher.
  ended_by           text,
  unique (txid, log_index, deposit_address_id, from_address, amount, block_hash),
  check ((ended_at is null) = (ended_as is null))
);
create index pending_proof_address on pending_proof (deposit_address_id) where ended_at is null;
create index pending_proof_next_check on pending_proof (next_check_at) where next_check_at is not null;
create index pending_proof_height on pending_proof (block_height);

-- Blocks that were followed although they are not verified: a node may have hidden a transfer in them.
create table unverified_block (
  height        integer primary key,
  hash          text not null,
  why           text not null,
  -- The node that served it.
  node          text not null,
  created_at    timestamptz not null default now(),
  checks        integer not null default 0,
  checked_at    timestamptz,
  next_check_at timestamptz default now(),
  -- Null: it is still unverified. verified; agreed: two hosts show the same; alone: the only host goes on showing the same.
  settled_at    timestamptz,
  settled_as    text check (settled_as in ('verified', 'agreed', 'alone')),
  check ((settled_at is null) = (settled_as is null))
);
create index unverified_block_next_check on unverified_block (next_check_at) where settled_at is null;

-- ---------------------------------------------------------------- the report's views

create or replace view report.transfers as
select t.id as transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index,
       t.from_address, (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       case when r.id is not null then 'rejected' else coalesce(w.reason, 'credited') end as state, c.order_id, o.orderid, c.late, c.created_at as credited_at,
       t.block_height, t.block_hash, t.block_time, t.created_at as recorded_at, p.proof
  from transfer t
  join deposit_address a on a.id = t.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join waiting_transfer w on w.transfer_id = t.id
  left join rejection r on r.transfer_id = t.id
  left join credit c on c.transfer_id = t.id
  left join recharge_order o on o.id = c.order_id
  left join transfer_proof p on p.transfer_id = t.id;
comment on column report.transfers.proof is
  'How it is known that it happened. signed: its sender signed recipient and amount, in a verified block. agreed: two hosts showed it. alone: one host''s word. Null: recorded by an older version.';

create view report.pending_proofs as
select p.id as pending_proof_id, a.merchant_id, m.appid, a.localusermark, a.address, p.txid, p.log_index, p.from_address,
       (p.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, p.amount as amount_units,
       coalesce(p.ended_as, 'waiting') as state, p.ended_at, p.ended_because, coalesce(p.ended_by, case p.ended_as when 'rejected' then 'watcher' end) as ended_by,
       p.block_height, p.block_hash, p.block_time, p.node, p.hosts, p.denied, p.created_at, p.checks, p.checked_at, p.next_check_at
  from pending_proof p
  join deposit_address a on a.id = p.deposit_address_id
  join merchant m on m.id = a.merchant_id;
comment on view report.pending_proofs is
  'Transfers to deposit addresses that waited, or wait, for proof that they happened. They are in report.transfers once they have it.';
comment on column report.pending_proofs.pending_proof_id is 'Its id: gateway held takes it with a p before it.';
comment on column report.pending_proofs.merchant_id is 'The merchants id in this database.';
comment on column report.pending_proofs.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.pending_proofs.localusermark is 'The merchant''s own id of the user.';
comment on column report.pending_proofs.address is 'Deposit address in base58check (T..., 34 characters).';
comment on column report.pending_proofs.txid is 'Transaction id: 64 hex digits.';
comment on column report.pending_proofs.log_index is 'Position in the transaction''s logs, from 0.';
comment on column report.pending_proofs.from_address is 'The sender, in base58check.';
comment on column report.pending_proofs.amount_usdt is 'Amount, in USDT.';
comment on column report.pending_proofs.amount_units is 'Amount, in base units.';
comment on column report.pending_proofs.state is
  'waiting; credited: it got its proof and was recorded; rejected: it seems made up. A rejected one is taken up again when it is proved.';
comment on column report.pending_proofs.ended_at is 'When it was recorded or rejected. Null: it waits.';
comment on column report.pending_proofs.ended_because is 'Why it was rejected.';
comment on column report.pending_proofs.ended_by is 'Who rejected it: watcher, or command line, then user@host.';
comment on column report.pending_proofs.block_height is 'Height of its block.';
comment on column report.pending_proofs.block_hash is 'Its block''s id: 64 hex digits.';
comment on column report.pending_proofs.block_time is 'Its block''s time.';
comment on column report.pending_proofs.node is 'The node that showed it first.';
comment on column report.pending_proofs.hosts is 'The hosts that have shown it.';
comment on column report.pending_proofs.denied is 'The hosts that showed its block without it when they were last asked.';
comment on column report.pending_proofs.created_at is 'When it was first shown.';
comment on column report.pending_proofs.checks is 'How often its block was read again.';
comment on column report.pending_proofs.checked_at is 'When its block was last read again.';
comment on column report.pending_proofs.next_check_at is 'When its block is read again. Null: not by itself.';

create view report.unverified_blocks as
select height, hash, why, node, created_at, checks, checked_at, next_check_at, settled_at, settled_as
  from unverified_block;
comment on view report.unverified_blocks is
  'Blocks that were followed although they could not be verified. They are read again until they are settled.';
comment on column report.unverified_blocks.height is 'Its height.';
comment on column report.unverified_blocks.hash is 'Its id: 64 hex digits.';
comment on column report.unverified_blocks.why is
  'What did not fit: id, empty-under-root, leaf, root, stranger, signature, infos, unlogged or contradicted.';
comment on column report.unverified_blocks.node is 'The node that served it.';
comment on column report.unverified_blocks.created_at is 'When it was followed.';
comment on column report.unverified_blocks.checks is 'How often it was read again.';
comment on column report.unverified_blocks.checked_at is 'When it was last read again.';
comment on column report.unverified_blocks.next_check_at is 'When it is read again. Null: not by itself.';
comment on column report.unverified_blocks.settled_at is 'When it was settled. Null: not yet.';
comment on column report.unverified_blocks.settled_as is
  'verified; agreed: two hosts show the same; alone: the only host goes on showing the same. Null: not settled.';
