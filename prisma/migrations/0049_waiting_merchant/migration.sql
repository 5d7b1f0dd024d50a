-- Whose address a waiting transfer was paid to, in its own row: a merchant's list reads no other merchant's. And what schema report
-- lacked: an attempt's place in the schedule, the key of a request, notes on orders, callback URLs that take effect later. Adds a
-- column without a default, two triggers and small indexes, and locks waiting_transfer, deposit_address, quarantine, discrepancy
-- and money_mark for a moment. The next migration fills the column. Old code can run beside it: the triggers write what it does not.

alter table waiting_transfer add column merchant_id bigint;

create function write_waiting_merchant() returns trigger language plpgsql as $$
begin
  -- Shared, so that an address that is moved meanwhile is waited for.
  select merchant_id into new.merchant_id from deposit_address where id = new.deposit_address_id for share;
  return new;
end $$;
create trigger waiting_transfer_merchant before insert on waiting_transfer
  for each row execute function write_waiting_merchant();

-- An address that was skipped after a restore may go to another merchant of its counter.
create function move_waiting_merchant() returns trigger language plpgsql as $$
begin
  update waiting_transfer set merchant_id = new.merchant_id where deposit_address_id = new.id;
  return null;
end $$;
create trigger deposit_address_merchant after update of merchant_id on deposit_address
  for each row when (old.merchant_id <> new.merchant_id) execute function move_waiting_merchant();

-- Lists that are read in pages, in the order of ids.
create index quarantine_open_transfer on quarantine (id) where resolved_at is null and transfer_id is not null;
create index discrepancy_open_page on discrepancy (id) where resolved_at is null;
create index pending_proof_open on pending_proof (id) where ended_as is null;
create index money_mark_page on money_mark (merchant_id, id);

-- ---------------------------------------------------------------- the report's views

create or replace view report.callback_attempts as
select h.callback_id, h.attempt, b.key, b.merchant_id, m.appid, o.orderid, h.started_at, h.duration_ms, h.url, h.outcome,
       h.status, h.answer, h.schedule_step, h.retry_in_ms
  from callback_attempt h
  join callback b on b.id = h.callback_id
  join merchant m on m.id = b.merchant_id
  left join recharge_order o on o.id = b.order_id;
comment on column report.callback_attempts.schedule_step is
  'How many attempts of the schedule were made before it; 0 again after a resend. Null: it was made by a version that did not record it.';
comment on column report.callback_attempts.retry_in_ms is
  'How long after it the next attempt was due, in milliseconds. Null: none follows, or schedule_step is null too.';

create or replace view report.api_requests as
select r.started_at, r.merchant_id, m.appid, r.endpoint, r.code, r.orderid, r.client_address, r.duration_ms, r.request_id, r.key_id
  from api_request r
  join merchant m on m.id = r.merchant_id;
comment on column report.api_requests.key_id is
  'Number of the merchant''s key that signed it. Null: none did, or it was made by a version that did not record it.';

create view report.order_notes as
select n.id as note_id, n.order_id, o.merchant_id, m.appid, o.orderid, n.author, n.text, n.created_at
  from order_note n
  join recharge_order o on o.id = n.order_id
  join merchant m on m.id = o.merchant_id;
comment on view report.order_notes is 'What people noted on orders. Append-only.';
comment on column report.order_notes.note_id is 'Number of the note.';
comment on column report.order_notes.order_id is 'The order that it is about.';
comment on column report.order_notes.merchant_id is 'The merchants id in this database.';
comment on column report.order_notes.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.order_notes.orderid is 'The merchant''s own order number, unique per merchant.';
comment on column report.order_notes.author is 'Who wrote it.';
comment on column report.order_notes.text is 'What it says.';
comment on column report.order_notes.created_at is 'When it was written.';

create view report.callback_url_changes as
select c.id as change_id, c.merchant_id, m.appid, c.url, c.asked_by, c.asked_at, c.effective_at, c.outcome, c.ended_at, c.ended_by
  from callback_url_change c
  join merchant m on m.id = c.merchant_id;
comment on view report.callback_url_changes is
  'Default callback URLs that were changed in the console and take, or took, effect later. See report.merchants for those in effect.';
comment on column report.callback_url_changes.change_id is 'Number of the change.';
comment on column report.callback_url_changes.merchant_id is 'The merchants id in this database.';
comment on column report.callback_url_changes.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.callback_url_changes.url is 'The new URL. Null: none any more.';
comment on column report.callback_url_changes.asked_by is 'Who asked for it.';
comment on column report.callback_url_changes.asked_at is 'When.';
comment on column report.callback_url_changes.effective_at is 'When it takes effect, unless it is cancelled or replaced before.';
comment on column report.callback_url_changes.outcome is 'applied, cancelled, or replaced by a later change. Null: it waits.';
comment on column report.callback_url_changes.ended_at is 'When it came to that. Null: it waits.';
comment on column report.callback_url_changes.ended_by is 'Who applied, cancelled or replaced it. Null: it waits.';

-- Corrections have no upper bound, and one merchant's must not keep the others' sums from being read.
create or replace view report.audit_merchants as
select m.id as merchant_id, m.appid, m.name,
       coalesce(o.orders, 0)::bigint as orders, coalesce(t.transfers, 0)::bigint as transfers,
       coalesce(t.arrived, 0)::bigint as arrived_units, coalesce(t.waiting, 0)::bigint as waiting_units,
       coalesce(c.credited, 0)::bigint as credited_units, coalesce(o.received, 0)::bigint as received_units,
       coalesce(b.announced, 0)::bigint as announced, coalesce(b.acknowledged, 0)::bigint as acknowledged,
       coalesce(b.due, 0)::bigint as due, coalesce(b.exhausted, 0)::bigint as exhausted,
       coalesce(t.rejected, 0)::bigint as rejected_units, coalesce(d.deposited, 0)::bigint as deposited_units,
       coalesce(t.settled, 0)::bigint as settled_units, coalesce(k.refunded, 0)::bigint as refunded_units,
       greatest(least(coalesce(k.corrected, 0), 9223372036854775807), -9223372036854775808)::bigint as corrected_units
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
