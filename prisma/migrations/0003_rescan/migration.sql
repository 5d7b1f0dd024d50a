-- What reading a block again has to know. Locks deposit_address and quarantine for a moment (no rewrite); the code before
-- it can run beside it.

-- The first block that counts for an imported address: what came before was somebody else's to credit, and a rescan must
-- leave it alone. Null: whatever is followed counts, as for a derived one, which nobody could pay before it was handed out.
alter table deposit_address add column watched_from integer check (watched_from >= 0);
with moment as (
  select block_time as at, height, null::bigint as id from chain_block
  union all
  select created_at, null, id from deposit_address where counter_id is null
), watched as (
  -- Backwards in time the smallest height so far is that of the first block no older than the address.
  select id, min(height) over (order by at desc, id nulls first rows unbounded preceding) as height
    from moment
)
update deposit_address a
   set watched_from = coalesce(w.height, (select height + 1 from chain_cursor))
  from watched w
 where w.id = a.id;

-- Position of its transaction in the block: a transfer cannot be recorded without it. Null for what was parked before.
alter table quarantine add column tx_index integer;
