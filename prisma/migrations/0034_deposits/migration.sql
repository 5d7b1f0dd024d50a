-- Deposits: transfers without an order that are announced all the same. Stop every process first: old code cannot run beside it, since an
-- older courier would send a deposit as if it were an order's. Locks credit and callback while it reads each once, merchant and
-- waiting_transfer for a moment; rewrites nothing.

-- A merchant whose transfers without an order become deposits. They are announced at its default URL, so it must have one.
alter table merchant add column deposits boolean not null default false,
  add constraint merchant_deposits_url check (not deposits or callback_url is not null);

-- A deposit is a credit to an address instead of an order. So the unique key on the transfer keeps the two apart.
alter table credit
  alter column order_id drop not null,
  add column deposit_address_id bigint references deposit_address,
  add constraint credit_owner check (num_nonnulls(order_id, deposit_address_id) = 1 and (order_id is not null or not late));
comment on column credit.received is 'What the order had received right after this credit; of a deposit, the sum of its address''s deposits.';
-- The last one of an address has the sum of them all.
create index credit_deposit on credit (deposit_address_id, id) where deposit_address_id is not null;

alter table callback
  alter column order_id drop not null,
  alter column order_state drop not null,
  drop constraint callback_key_check,
  add constraint callback_key_check check (key ~ '^(cb|dp)_[0-9a-f]{32}$'),
  add constraint callback_owner check (
    (order_id is null) = (order_state is null) and (order_id is null) = (key like 'dp\_%') and (order_id is not null or not late));

-- It was unclaimed before it waited behind another: an order may claim it, and it does not become a deposit.
alter table waiting_transfer add column was_unclaimed boolean not null default false;

-- ---------------------------------------------------------------- the report's views

create or replace view report.merchants as
select m.id as merchant_id, m.appid, m.name, m.callback_url, m.callback_format, m.callback_fields, m.acknowledgement,
       m.always_200, m.require_nonce, m.disabled_at, m.created_at, m.events, m.deposits
  from merchant m;
comment on column report.merchants.deposits is 'Transfers without an order become deposits. See report.deposits.';

create or replace view report.transfers as
select t.id as transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index,
       t.from_address, (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       case when r.id is not null then 'rejected'
            when c.deposit_address_id is not null then 'deposit'
            else coalesce(w.reason, 'credited') end as state,
       c.order_id, o.orderid, case when c.order_id is not null then c.late end as late, c.created_at as credited_at,
       t.block_height, t.block_hash, t.block_time, t.created_at as recorded_at, p.proof
  from transfer t
  join deposit_address a on a.id = t.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join waiting_transfer w on w.transfer_id = t.id
  left join rejection r on r.transfer_id = t.id
  left join credit c on c.transfer_id = t.id
  left join recharge_order o on o.id = c.order_id
  left join transfer_proof p on p.transfer_id = t.id;
comment on column report.transfers.state is
  'credited, deposit (see report.deposits), rejected (see report.rejections), or the reason it waits: unclaimed, held, quarantined, behind. See report.waiting_transfers.';
comment on column report.transfers.order_id is 'The order that was credited. Null: not credited, or a deposit.';
comment on column report.transfers.orderid is 'The merchant''s own number of that order. Null: not credited, or a deposit.';
comment on column report.transfers.late is 'It was paid after the order''s expires_at. Null: not credited, or a deposit.';
comment on column report.transfers.credited_at is 'When the credit or deposit was written. Null: neither yet.';

create or replace view report.callbacks as
select b.id as callback_id, b.key, b.merchant_id, m.appid, b.order_id, o.orderid, t.txid, t.log_index,
       (b.body_amount::numeric / 10000)::numeric(20,6) as amount_usdt, b.body_amount,
       s.state, s.due_at, s.schedule_step, b.attempts, b.last_status, l.origin,
       b.created_at, b.delivered_at, b.exhausted_at, case when b.order_id is null then 'deposit' else 'credit' end as kind
  from callback b
  join callback_state s on s.callback_id = b.id
  join merchant m on m.id = b.merchant_id
  left join recharge_order o on o.id = b.order_id
  join credit c on c.id = b.credit_id
  join transfer t on t.id = c.transfer_id
  join callback_lane l on l.id = b.lane_id;
comment on column report.callbacks.order_id is 'The order that it announces a credit of. Null: it announces a deposit.';
comment on column report.callbacks.orderid is 'The merchant''s own order number, unique per merchant. Null: it announces a deposit.';
comment on column report.callbacks.kind is 'What it announces: credit (to an order), or deposit (without one, see report.deposits).';

create or replace view report.callbacks_open as
select b.id as callback_id, b.key, b.merchant_id, m.appid, o.orderid,
       (b.body_amount::numeric / 10000)::numeric(20,6) as amount_usdt, s.state, s.due_at, b.attempts,
       h.outcome as last_outcome, b.last_status, h.answer as last_answer, h.started_at as last_attempt_at, h.url as last_url,
       l.origin, b.created_at, case when b.order_id is null then 'deposit' else 'credit' end as kind
  from (select callback_id as id from callback_outbox
         union
        select id from callback where exhausted_at is not null) open
  join callback b on b.id = open.id
  join callback_state s on s.callback_id = b.id
  join merchant m on m.id = b.merchant_id
  left join recharge_order o on o.id = b.order_id
  join callback_lane l on l.id = b.lane_id
  left join lateral (
    select outcome, answer, started_at, url
      from callback_attempt
     where callback_id = b.id
     order by attempt desc, started_at desc
     limit 1
  ) h on true
 where b.delivered_at is null;
comment on column report.callbacks_open.orderid is 'The merchant''s own order number, unique per merchant. Null: it announces a deposit.';
comment on column report.callbacks_open.kind is 'What it announces: credit (to an order), or deposit (without one, see report.deposits).';

create or replace view report.callback_attempts as
select h.callback_id, h.attempt, b.key, b.merchant_id, m.appid, o.orderid, h.started_at, h.duration_ms, h.url, h.outcome,
       h.status, h.answer
  from callback_attempt h
  join callback b on b.id = h.callback_id
  join merchant m on m.id = b.merchant_id
  left join recharge_order o on o.id = b.order_id;
comment on column report.callback_attempts.orderid is 'The merchant''s own order number, unique per merchant. Null: it announces a deposit.';

create view report.deposits as
select c.id as deposit_id, c.transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index,
       t.from_address, (c.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, c.amount as amount_units,
       (c.received::numeric / 1000000)::numeric(20,6) as received_usdt, c.received as received_units,
       b.key as callback_key, coalesce(b.body_amount, 0) as body_amount, s.state as callback_state,
       t.block_time, c.created_at
  from credit c
  join transfer t on t.id = c.transfer_id
  join deposit_address a on a.id = c.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join callback b on b.credit_id = c.id
  left join callback_state s on s.callback_id = b.id;
comment on view report.deposits is
  'Transfers without an order, to merchants with deposits on. Each is announced once, and no order claims it. Append-only.';
comment on column report.deposits.deposit_id is 'The deposit''s id in this database.';
comment on column report.deposits.transfer_id is 'The transfer that it is.';
comment on column report.deposits.merchant_id is 'The merchants id in this database.';
comment on column report.deposits.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.deposits.localusermark is 'The merchant''s own id of the user.';
comment on column report.deposits.username is 'The user''s name as the merchant gave it: a label.';
comment on column report.deposits.address is 'Deposit address in base58check (T..., 34 characters).';
comment on column report.deposits.txid is 'Transaction id: 64 hex digits.';
comment on column report.deposits.log_index is 'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.deposits.from_address is 'The sender, in base58check.';
comment on column report.deposits.amount_usdt is 'Amount transferred, in USDT.';
comment on column report.deposits.amount_units is 'Amount transferred, in base units.';
comment on column report.deposits.received_usdt is 'Sum of the address''s deposits, this one included, in USDT.';
comment on column report.deposits.received_units is 'Sum of the address''s deposits, this one included, in base units.';
comment on column report.deposits.callback_key is
  'Key of its callback: deposit_id of the body. Null: less than 1/10000 USDT was left to announce; the address''s next deposit announces it.';
comment on column report.deposits.body_amount is 'Amount that its callback announces, in 1/10000 USDT.';
comment on column report.deposits.callback_state is 'State of its callback, as in report.callbacks. Null: it has none.';
comment on column report.deposits.block_time is 'Time of the transfer''s block: when it was paid, by the chain.';
comment on column report.deposits.created_at is 'When it was written.';

create or replace view report.volume_per_day as
select v.merchant_id, m.appid, v.day,
       sum(v.transfers)::bigint as transfers,
       (sum(v.received) / 1000000)::numeric(20,6) as received_usdt,
       sum(v.callbacks)::bigint as callbacks,
       (sum(v.announced) / 10000)::numeric(20,6) as announced_usdt,
       sum(v.acknowledgements)::bigint as acknowledgements,
       (sum(v.acknowledged) / 10000)::numeric(20,6) as acknowledged_usdt,
       sum(v.deposits)::bigint as deposits,
       (sum(v.deposited) / 10000)::numeric(20,6) as deposits_announced_usdt,
       sum(v.deposits_taken)::bigint as deposits_acknowledgements,
       (sum(v.deposited_taken) / 10000)::numeric(20,6) as deposits_acknowledged_usdt
  from (select a.merchant_id, (t.block_time at time zone 'UTC')::date as day, count(*) as transfers, sum(t.amount) as received,
               0 as callbacks, 0 as announced, 0 as acknowledgements, 0 as acknowledged,
               0 as deposits, 0 as deposited, 0 as deposits_taken, 0 as deposited_taken
          from transfer t
          join deposit_address a on a.id = t.deposit_address_id
         where not exists (select from rejection r where r.transfer_id = t.id)
         group by 1, 2
         union all
        select merchant_id, (created_at at time zone 'UTC')::date, 0, 0,
               count(order_id), coalesce(sum(body_amount) filter (where order_id is not null), 0), 0, 0,
               count(*) filter (where order_id is null), coalesce(sum(body_amount) filter (where order_id is null), 0), 0, 0
          from callback
         group by 1, 2
         union all
        select merchant_id, (delivered_at at time zone 'UTC')::date, 0, 0, 0, 0,
               count(order_id), coalesce(sum(body_amount) filter (where order_id is not null), 0), 0, 0,
               count(*) filter (where order_id is null), coalesce(sum(body_amount) filter (where order_id is null), 0)
          from callback
         where delivered_at is not null
         group by 1, 2) v
  join merchant m on m.id = v.merchant_id
 group by v.merchant_id, m.appid, v.day;
comment on column report.volume_per_day.callbacks is 'Callbacks of credits written on this day.';
comment on column report.volume_per_day.acknowledgements is 'Callbacks of credits first acknowledged on this day.';
comment on column report.volume_per_day.deposits is 'Callbacks of deposits written on this day.';
comment on column report.volume_per_day.deposits_announced_usdt is 'Sum of these callbacks, in USDT.';
comment on column report.volume_per_day.deposits_acknowledgements is 'Callbacks of deposits first acknowledged on this day.';
comment on column report.volume_per_day.deposits_acknowledged_usdt is 'Sum of these callbacks, in USDT.';

create or replace view report.audit_merchants as
select m.id as merchant_id, m.appid, m.name,
       coalesce(o.orders, 0)::bigint as orders, coalesce(t.transfers, 0)::bigint as transfers,
       coalesce(t.arrived, 0)::bigint as arrived_units, coalesce(t.waiting, 0)::bigint as waiting_units,
       coalesce(c.credited, 0)::bigint as credited_units, coalesce(o.received, 0)::bigint as received_units,
       coalesce(b.announced, 0)::bigint as announced, coalesce(b.acknowledged, 0)::bigint as acknowledged,
       coalesce(b.due, 0)::bigint as due, coalesce(b.exhausted, 0)::bigint as exhausted,
       coalesce(t.rejected, 0)::bigint as rejected_units, coalesce(d.deposited, 0)::bigint as deposited_units
  from merchant m
  left join (select merchant_id, count(*) as orders, sum(received) as received
               from recharge_order
              group by merchant_id) o on o.merchant_id = m.id
  left join (select a.merchant_id, count(*) as transfers, sum(t.amount) as arrived,
                    sum(t.amount) filter (where w.transfer_id is not null) as waiting,
                    sum(t.amount) filter (where r.id is not null) as rejected
               from transfer t
               join deposit_address a on a.id = t.deposit_address_id
               left join waiting_transfer w on w.transfer_id = t.id
               left join rejection r on r.transfer_id = t.id
              group by a.merchant_id) t on t.merchant_id = m.id
  left join (select o.merchant_id, sum(c.amount) as credited
               from credit c
               join recharge_order o on o.id = c.order_id
              group by o.merchant_id) c on c.merchant_id = m.id
  left join (select a.merchant_id, sum(c.amount) as deposited
               from credit c
               join deposit_address a on a.id = c.deposit_address_id
              group by a.merchant_id) d on d.merchant_id = m.id
  left join (select b.merchant_id, sum(b.body_amount) as announced,
                    sum(b.body_amount) filter (where b.delivered_at is not null) as acknowledged,
                    count(*) filter (where b.delivered_at is null and b.exhausted_at is null) as due,
                    count(*) filter (where b.exhausted_at is not null) as exhausted
               from callback b
              group by b.merchant_id) b on b.merchant_id = m.id;
comment on view report.audit_merchants is
  'Per merchant the sums that gateway audit compares: arrived_units - waiting_units - rejected_units - deposited_units = credited_units = received_units.';
comment on column report.audit_merchants.deposited_units is 'Sum of the transfers that are deposits, in base units.';
