-- What people decide about money: unclaimed transfers that are assigned or settled outside, refunds, corrections, and discrepancies
-- that are acknowledged. Stop every process first: old code cannot run beside it, since an older watcher does not know to which order an
-- assigned transfer goes that still waits. New tables, whose foreign keys lock merchant, transfer, recharge_order and deposit_address
-- against writes for a moment, and columns on discrepancy. Rewrites nothing.

-- Where a person sends an unclaimed transfer: to an order, or to a user's address as a deposit. Written with its credit, except when
-- the transfer has to wait all the same; then crediting looks here when its wait ends.
create table transfer_assignment (
  transfer_id        bigint primary key references transfer,
  order_id           bigint references recharge_order,
  deposit_address_id bigint references deposit_address,
  reason             text not null check (length(reason) between 1 and 500),
  assigned_by        text not null,
  assigned_at        timestamptz not null default now(),
  check (num_nonnulls(order_id, deposit_address_id) = 1)
);
create trigger transfer_assignment_append_only before update or delete on transfer_assignment
  for each row execute function refuse_change();
create trigger transfer_assignment_no_truncate before truncate on transfer_assignment
  for each statement execute function refuse_change();

-- What a person notes about money that was received. A mark moves no money, and is taken back by another mark.
create table money_mark (
  id          bigint generated always as identity primary key,
  kind        text not null check (kind in ('settled_outside', 'refund', 'correction', 'withdrawal')),
  merchant_id bigint not null references merchant,
  -- What it is about. A withdrawal is about the same as the mark that it takes back.
  transfer_id bigint references transfer,
  order_id    bigint references recharge_order,
  -- Of a withdrawal: the mark that it takes back. A mark is taken back once.
  withdraws   bigint unique references money_mark,
  -- Base units. Of a correction: below 0 when less counts than was received.
  amount      bigint,
  -- Of a refund: the transaction that paid it back.
  txid        text check (txid ~ '^[0-9a-f]{64}$'),
  reason      text not null check (length(reason) between 1 and 500),
  made_by     text not null,
  created_at  timestamptz not null default now(),
  check (num_nonnulls(transfer_id, order_id) = 1),
  check ((withdraws is not null) = (kind = 'withdrawal')),
  check ((amount is not null) = (kind in ('refund', 'correction'))),
  check (amount <> 0 and (amount > 0 or kind <> 'refund')),
  check (kind <> 'settled_outside' or transfer_id is not null),
  check (kind <> 'refund' or txid is not null),
  check (kind in ('refund', 'correction') or txid is null)
);
create index money_mark_transfer on money_mark (transfer_id) where transfer_id is not null;
create index money_mark_order on money_mark (order_id) where order_id is not null;
create index money_mark_merchant on money_mark (merchant_id, created_at);
create trigger money_mark_append_only before update or delete on money_mark
  for each row execute function refuse_change();
create trigger money_mark_no_truncate before truncate on money_mark
  for each statement execute function refuse_change();

-- In the order of their ids: a list of them is read in pages.
create index waiting_transfer_unclaimed on waiting_transfer (transfer_id) where reason = 'unclaimed';

-- A person has looked at it. Void when the difference becomes another one.
alter table discrepancy
  add column acknowledged_at     timestamptz,
  add column acknowledged_by     text,
  add column acknowledged_reason text,
  add check (num_nulls(acknowledged_at, acknowledged_by, acknowledged_reason) in (0, 3));

-- ---------------------------------------------------------------- the report's views

create or replace view report.transfers as
select t.id as transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index,
       t.from_address, (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       case when r.id is not null then 'rejected'
            when c.deposit_address_id is not null then 'deposit'
            when s.id is not null then 'settled_outside'
            else coalesce(w.reason, 'credited') end as state,
       c.order_id, o.orderid, case when c.order_id is not null then c.late end as late, c.created_at as credited_at,
       t.block_height, t.block_hash, t.block_time, t.created_at as recorded_at, p.proof
  from transfer t
  join deposit_address a on a.id = t.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join waiting_transfer w on w.transfer_id = t.id
  left join rejection r on r.transfer_id = t.id
  left join money_mark s on s.transfer_id = t.id and s.kind = 'settled_outside'
    and not exists (select from money_mark w where w.withdraws = s.id)
  left join credit c on c.transfer_id = t.id
  left join recharge_order o on o.id = c.order_id
  left join transfer_proof p on p.transfer_id = t.id;
comment on column report.transfers.state is
  'credited, deposit (see report.deposits), settled_outside (see report.money_marks), rejected (see report.rejections), or the reason it waits: unclaimed, held, quarantined, behind. See report.waiting_transfers.';
comment on column report.transfers.localusermark is
  'The merchant''s own id of the user whose address was paid. One that an operator assigned may be credited to another: see report.assignments.';
comment on column report.deposits.address is
  'Deposit address in base58check (T..., 34 characters). Of one that an operator assigned, the user''s, which may not be the one that was paid.';

create view report.assignments as
select s.transfer_id, a.merchant_id, m.appid, t.txid, t.log_index, a.address as paid_address,
       (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       s.order_id, o.orderid, coalesce(o.localusermark, u.localusermark) as localusermark, u.address as user_address,
       c.id as credit_id, s.reason, s.assigned_by, s.assigned_at
  from transfer_assignment s
  join transfer t on t.id = s.transfer_id
  join deposit_address a on a.id = t.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join recharge_order o on o.id = s.order_id
  left join deposit_address u on u.id = s.deposit_address_id
  left join credit c on c.transfer_id = s.transfer_id;
comment on view report.assignments is 'Unclaimed transfers that an operator assigned to an order or a user. Append-only.';
comment on column report.assignments.transfer_id is 'The transfer: the id that gateway unclaimed takes.';
comment on column report.assignments.merchant_id is 'The merchants id in this database.';
comment on column report.assignments.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.assignments.txid is 'Transaction id: 64 hex digits.';
comment on column report.assignments.log_index is 'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.assignments.paid_address is 'The address that was paid, in base58check.';
comment on column report.assignments.amount_usdt is 'Amount transferred, in USDT.';
comment on column report.assignments.amount_units is 'Amount transferred, in base units.';
comment on column report.assignments.order_id is 'The order that it was assigned to. Null: a user.';
comment on column report.assignments.orderid is 'The merchant''s own number of that order. Null: a user.';
comment on column report.assignments.localusermark is 'The merchant''s own id of the user that it was assigned to, or of that order''s user.';
comment on column report.assignments.user_address is 'The address of the user that it was assigned to, as its callback says it. Null: an order.';
comment on column report.assignments.credit_id is 'Its credit or deposit. Null: it waits all the same, see report.waiting_transfers.';
comment on column report.assignments.reason is 'Why, as the operator put it.';
comment on column report.assignments.assigned_by is 'Who assigned it: command line, then user@host.';
comment on column report.assignments.assigned_at is 'When it was assigned.';

create view report.money_marks as
select k.id as mark_id, k.kind, k.merchant_id, m.appid, k.transfer_id, t.txid, t.log_index,
       coalesce(k.order_id, c.order_id) as order_id, o.orderid,
       (coalesce(k.amount, w.amount, t.amount)::numeric / 1000000)::numeric(20,6) as amount_usdt,
       coalesce(k.amount, w.amount, t.amount) as amount_units,
       k.txid as refund_txid, k.withdraws, b.id as withdrawn_by, k.reason, k.made_by, k.created_at
  from money_mark k
  join merchant m on m.id = k.merchant_id
  left join money_mark w on w.id = k.withdraws
  left join money_mark b on b.withdraws = k.id
  left join transfer t on t.id = k.transfer_id
  left join credit c on c.transfer_id = k.transfer_id
  left join recharge_order o on o.id = coalesce(k.order_id, c.order_id);
comment on view report.money_marks is
  'Refunds, corrections, and transfers settled outside, as people noted them, and what was withdrawn. They move no money. Append-only.';
comment on column report.money_marks.mark_id is 'The mark''s id: what gateway marks takes.';
comment on column report.money_marks.kind is
  'settled_outside: an unclaimed transfer that no order shall get. refund: paid back. correction: counts more or less. withdrawal: takes another mark back.';
comment on column report.money_marks.merchant_id is 'The merchants id in this database.';
comment on column report.money_marks.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.money_marks.transfer_id is 'The transfer that it is about. Null: an order.';
comment on column report.money_marks.txid is 'Transaction id of that transfer: 64 hex digits. Null: it is about an order.';
comment on column report.money_marks.log_index is 'Position of that transfer in the transaction''s logs. Null: it is about an order.';
comment on column report.money_marks.order_id is 'The order that it is about, or that was credited with its transfer. Null: none.';
comment on column report.money_marks.orderid is 'The merchant''s own number of that order. Null: none.';
comment on column report.money_marks.amount_usdt is
  'Amount in USDT. Of a correction below 0 when less counts; of a withdrawal, that of the mark it takes back.';
comment on column report.money_marks.amount_units is 'The same in base units.';
comment on column report.money_marks.refund_txid is 'The transaction that paid a refund, or belongs to a correction. Null: none.';
comment on column report.money_marks.withdraws is 'Of a withdrawal: the mark that it takes back. Null: it is none.';
comment on column report.money_marks.withdrawn_by is 'The withdrawal that took it back. Null: it stands.';
comment on column report.money_marks.reason is 'Why, as its author put it.';
comment on column report.money_marks.made_by is 'Who made it: command line, then user@host.';
comment on column report.money_marks.created_at is 'When it was made.';

create or replace view report.discrepancies as
select d.id as discrepancy_id, d.kind, d.subject, d.detail, d.found_at, d.last_seen_at, d.resolved_at,
       d.acknowledged_at, d.acknowledged_by, d.acknowledged_reason
  from discrepancy d;
comment on column report.discrepancies.acknowledged_at is
  'When a person acknowledged it: it raises no alarm until it changes. Null: nobody has.';
comment on column report.discrepancies.acknowledged_by is 'Who: command line, then user@host. Null: nobody has.';
comment on column report.discrepancies.acknowledged_reason is 'Why it is no fault, as that person put it. Null: nobody has.';

create or replace view report.audit_merchants as
select m.id as merchant_id, m.appid, m.name,
       coalesce(o.orders, 0)::bigint as orders, coalesce(t.transfers, 0)::bigint as transfers,
       coalesce(t.arrived, 0)::bigint as arrived_units, coalesce(t.waiting, 0)::bigint as waiting_units,
       coalesce(c.credited, 0)::bigint as credited_units, coalesce(o.received, 0)::bigint as received_units,
       coalesce(b.announced, 0)::bigint as announced, coalesce(b.acknowledged, 0)::bigint as acknowledged,
       coalesce(b.due, 0)::bigint as due, coalesce(b.exhausted, 0)::bigint as exhausted,
       coalesce(t.rejected, 0)::bigint as rejected_units, coalesce(d.deposited, 0)::bigint as deposited_units,
       coalesce(t.settled, 0)::bigint as settled_units, coalesce(k.refunded, 0)::bigint as refunded_units,
       coalesce(k.corrected, 0)::bigint as corrected_units
  from merchant m
  left join (select merchant_id, count(*) as orders, sum(received) as received
               from recharge_order
              group by merchant_id) o on o.merchant_id = m.id
  left join (select a.merchant_id, count(*) as transfers, sum(t.amount) as arrived,
                    sum(t.amount) filter (where w.transfer_id is not null) as waiting,
                    sum(t.amount) filter (where r.id is not null) as rejected,
                    sum(t.amount) filter (where s.id is not null) as settled
               from transfer t
               join deposit_address a on a.id = t.deposit_address_id
               left join waiting_transfer w on w.transfer_id = t.id
               left join rejection r on r.transfer_id = t.id
               left join money_mark s on s.transfer_id = t.id and s.kind = 'settled_outside'
                 and not exists (select from money_mark x where x.withdraws = s.id)
              group by a.merchant_id) t on t.merchant_id = m.id
  left join (select o.merchant_id, sum(c.amount) as credited
               from credit c
               join recharge_order o on o.id = c.order_id
              group by o.merchant_id) c on c.merchant_id = m.id
  left join (select a.merchant_id, sum(c.amount) as deposited
               from credit c
               join deposit_address a on a.id = c.deposit_address_id
              group by a.merchant_id) d on d.merchant_id = m.id
  left join (select k.merchant_id, sum(k.amount) filter (where k.kind = 'refund') as refunded,
                    sum(k.amount) filter (where k.kind = 'correction') as corrected
               from money_mark k
              where not exists (select from money_mark w where w.withdraws = k.id)
              group by k.merchant_id) k on k.merchant_id = m.id
  left join (select b.merchant_id, sum(b.body_amount) as announced,
                    sum(b.body_amount) filter (where b.delivered_at is not null) as acknowledged,
                    count(*) filter (where b.delivered_at is null and b.exhausted_at is null) as due,
                    count(*) filter (where b.exhausted_at is not null) as exhausted
               from callback b
              group by b.merchant_id) b on b.merchant_id = m.id;
comment on view report.audit_merchants is
  'Per merchant the sums that gateway audit compares: arrived_units - waiting_units - rejected_units - settled_units - deposited_units = credited_units = received_units.';
comment on column report.audit_merchants.settled_units is 'Sum of the transfers that are settled outside, in base units.';
comment on column report.audit_merchants.refunded_units is 'Sum of the refunds that stand, in base units. They change no other sum.';
comment on column report.audit_merchants.corrected_units is 'Sum of the corrections that stand, in base units, below 0 when less counts. They change no other sum.';
