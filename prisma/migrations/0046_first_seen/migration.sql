-- When a transfer was first seen at the head of the chain is kept, for an order's page.
-- A new table and a column with a constant default: nothing is rewritten, seen_transfer is locked for a moment. Old code can run
-- beside it: what it sees becomes no row of first_seen, and is shown as not known.

alter table seen_transfer add column seen_at timestamptz not null default now();

-- For display. None for a transfer that was solid before anyone looked.
create table first_seen (
  transfer_id bigint primary key references transfer,
  seen_at     timestamptz not null
);

create or replace view report.transfers as
select t.id as transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index,
       t.from_address, (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       case when r.id is not null then 'rejected'
            when c.deposit_address_id is not null then 'deposit'
            when s.id is not null then 'settled_outside'
            else coalesce(w.reason, 'credited') end as state,
       c.order_id, o.orderid, case when c.order_id is not null then c.late end as late, c.created_at as credited_at,
       t.block_height, t.block_hash, t.block_time, t.created_at as recorded_at, p.proof, f.seen_at as first_seen_at
  from transfer t
  join deposit_address a on a.id = t.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join waiting_transfer w on w.transfer_id = t.id
  left join rejection r on r.transfer_id = t.id
  left join money_mark s on s.transfer_id = t.id and s.kind = 'settled_outside'
    and not exists (select from money_mark w where w.withdraws = s.id)
  left join credit c on c.transfer_id = t.id
  left join recharge_order o on o.id = c.order_id
  left join transfer_proof p on p.transfer_id = t.id
  left join first_seen f on f.transfer_id = t.id;
comment on column report.transfers.first_seen_at is
  'When it was first seen at the head of the chain. Null: it was solid before anyone looked, or was recorded by an older version.';
