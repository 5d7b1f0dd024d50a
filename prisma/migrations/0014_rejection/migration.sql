-- Transfers and logs that an operator rejected. A new table; its foreign keys lock transfer and quarantine against writes for a
-- moment. The code before it can run beside it: what it does not know of, it cannot credit.

-- A rejected transfer leaves waiting_transfer, so that nothing waits behind it and no code takes it for money that waits.
create table rejection (
  id            bigint generated always as identity primary key,
  -- Null: a log that could not be decoded.
  transfer_id   bigint unique references transfer,
  -- Null: a transfer that was held.
  quarantine_id bigint unique references quarantine,
  -- Of one that was held: the node that served its block.
  node          text,
  reason        text not null,
  rejected_by   text not null,
  rejected_at   timestamptz not null default now(),
  check (transfer_id is not null or quarantine_id is not null)
);

-- ---------------------------------------------------------------- the report's views

create or replace view report.transfers as
select t.id as transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index,
       t.from_address, (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       case when r.id is not null then 'rejected' else coalesce(w.reason, 'credited') end as state, c.order_id, o.orderid, c.late, c.created_at as credited_at,
       t.block_height, t.block_hash, t.block_time, t.created_at as recorded_at
  from transfer t
  join deposit_address a on a.id = t.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join waiting_transfer w on w.transfer_id = t.id
  left join rejection r on r.transfer_id = t.id
  left join credit c on c.transfer_id = t.id
  left join recharge_order o on o.id = c.order_id;

comment on column report.transfers.state is
  'credited, rejected (see report.rejections), or the reason it waits: unclaimed, held, quarantined, behind. See report.waiting_transfers.';

create or replace view report.volume_per_day as
select v.merchant_id, m.appid, v.day,
       sum(v.transfers)::bigint as transfers,
       (sum(v.received) / 1000000)::numeric(20,6) as received_usdt,
       sum(v.callbacks)::bigint as callbacks,
       (sum(v.announced) / 10000)::numeric(20,6) as announced_usdt,
       sum(v.acknowledgements)::bigint as acknowledgements,
       (sum(v.acknowledged) / 10000)::numeric(20,6) as acknowledged_usdt
  from (select a.merchant_id, (t.block_time at time zone 'UTC')::date as day, count(*) as transfers, sum(t.amount) as received,
               0 as callbacks, 0 as announced, 0 as acknowledgements, 0 as acknowledged
          from transfer t
          join deposit_address a on a.id = t.deposit_address_id
         where not exists (select from rejection r where r.transfer_id = t.id)
         group by 1, 2
         union all
        select merchant_id, (created_at at time zone 'UTC')::date, 0, 0, count(*), sum(body_amount), 0, 0
          from callback
         group by 1, 2
         union all
        select merchant_id, (delivered_at at time zone 'UTC')::date, 0, 0, 0, 0, count(*), sum(body_amount)
          from callback
         where delivered_at is not null
         group by 1, 2) v
  join merchant m on m.id = v.merchant_id
 group by v.merchant_id, m.appid, v.day;

create or replace view report.quarantine as
select q.id as quarantine_id, q.transfer_id, q.txid, q.log_index, q.block_height, q.reason, q.log, q.created_at, q.resolved_at,
       r.reason as rejection
  from quarantine q
  left join rejection r on r.quarantine_id = q.id;

comment on column report.quarantine.resolved_at is
  'When it was decoded or credited after all, or rejected. Null: still parked.';
comment on column report.quarantine.rejection is 'Why an operator rejected it. Null: not rejected.';

create or replace view report.audit_merchants as
select m.id as merchant_id, m.appid, m.name,
       coalesce(o.orders, 0)::bigint as orders, coalesce(t.transfers, 0)::bigint as transfers,
       coalesce(t.arrived, 0)::bigint as arrived_units, coalesce(t.waiting, 0)::bigint as waiting_units,
       coalesce(c.credited, 0)::bigint as credited_units, coalesce(o.received, 0)::bigint as received_units,
       coalesce(b.announced, 0)::bigint as announced, coalesce(b.acknowledged, 0)::bigint as acknowledged,
       coalesce(b.due, 0)::bigint as due, coalesce(b.exhausted, 0)::bigint as exhausted,
       coalesce(t.rejected, 0)::bigint as rejected_units
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
  left join (select b.merchant_id, sum(b.body_amount) as announced,
                    sum(b.body_amount) filter (where b.delivered_at is not null) as acknowledged,
                    count(*) filter (where b.delivered_at is null and b.exhausted_at is null) as due,
                    count(*) filter (where b.exhausted_at is not null) as exhausted
               from callback b
              group by b.merchant_id) b on b.merchant_id = m.id;

comment on view report.audit_merchants is
  'Per merchant the sums that gateway audit compares: arrived_units - waiting_units - rejected_units = credited_units = received_units.';
comment on column report.audit_merchants.waiting_units is 'Sum of the transfers that wait, in base units.';
comment on column report.audit_merchants.rejected_units is 'Sum of the transfers that an operator rejected, in base units.';

create view report.rejections as
select r.id as rejection_id,
       case when r.quarantine_id is null then 'held' when r.transfer_id is null then 'log' else 'quarantined' end as kind,
       r.transfer_id, r.quarantine_id, a.merchant_id, m.appid, a.localusermark, a.address,
       coalesce(t.txid, q.txid) as txid, coalesce(t.log_index, q.log_index) as log_index, t.from_address,
       (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       coalesce(t.block_height, q.block_height) as block_height, t.block_time, r.node,
       r.reason, r.rejected_by, r.rejected_at
  from rejection r
  left join transfer t on t.id = r.transfer_id
  left join quarantine q on q.id = r.quarantine_id
  left join deposit_address a on a.id = t.deposit_address_id
  left join merchant m on m.id = a.merchant_id;
comment on view report.rejections is
  'Transfers and logs that an operator rejected. They take no money and hold nothing up. See gateway held and gateway quarantine.';
comment on column report.rejections.rejection_id is 'The rejection''s id in this database.';
comment on column report.rejections.kind is
  'held: it waited for a second node. quarantined: it could not be credited. log: it could not be decoded.';
comment on column report.rejections.transfer_id is 'The rejected transfer: the id that gateway held takes. Null: a log.';
comment on column report.rejections.quarantine_id is 'The id that gateway quarantine takes. Null: it was held.';
comment on column report.rejections.merchant_id is 'The merchants id in this database. Null: a log.';
comment on column report.rejections.appid is 'The merchant''s app id: 16 letters and digits. Null: a log.';
comment on column report.rejections.localusermark is 'The merchant''s own id of the user. Null: a log.';
comment on column report.rejections.address is 'Deposit address in base58check (T..., 34 characters). Null: a log.';
comment on column report.rejections.txid is 'Transaction id: 64 hex digits.';
comment on column report.rejections.log_index is
  'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.rejections.from_address is 'The sender, in base58check. Null: a log.';
comment on column report.rejections.amount_usdt is 'Amount transferred, in USDT. Null: a log.';
comment on column report.rejections.amount_units is 'Amount transferred, in base units. Null: a log.';
comment on column report.rejections.block_height is 'Height of its block.';
comment on column report.rejections.block_time is 'Time of the transfer''s block. Null: a log.';
comment on column report.rejections.node is 'The node that served its block. Null: it was not held.';
comment on column report.rejections.reason is 'Why it was rejected, as the operator put it.';
comment on column report.rejections.rejected_by is 'Who rejected it: command line, then user@host.';
comment on column report.rejections.rejected_at is 'When it was rejected.';

comment on column report.audit_events.actor is
  'By what means and by whom: command line, then user@host for what concerns transfers. watcher: it took up a rejected transfer that a second node confirms.';
