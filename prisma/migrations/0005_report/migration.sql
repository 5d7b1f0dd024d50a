-- What admins read: schema report, its views, and the role gateway_report that can read them and nothing else; and what
-- was missing to keep the rows of money as they were written. Locks transfer and credit against writes for one reading
-- of each (block-range indexes), callback and callback_attempt for a moment; the code before it can run beside it.

-- ---------------------------------------------------------------- append-only, the rest of it

-- What a callback announces never changes; how far its delivery has come does.
create trigger callback_announces_the_same
  before update of key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, created_at on callback
  for each row execute function refuse_change();
create trigger callback_not_deleted before delete on callback
  for each row execute function refuse_change();
create trigger callback_no_truncate before truncate on callback
  for each statement execute function refuse_change();

-- History: retention drops a month's partition, nothing deletes or changes a row.
create trigger callback_attempt_append_only before update or delete on callback_attempt
  for each row execute function refuse_change();
create trigger callback_attempt_no_truncate before truncate on callback_attempt
  for each statement execute function refuse_change();

-- ---------------------------------------------------------------- looking by time

-- Rows come in the order of their times, so a block-range index serves "today" at next to no cost for whoever writes.
create index transfer_time on transfer using brin (block_time);
create index credit_time on credit using brin (created_at);

-- ---------------------------------------------------------------- schema report

create schema report;
comment on schema report is
  'What admins read: an interface. Columns are added, never renamed or removed. *_usdt are decimal USDT, *_units the same in base units (1 USDT = 1 000 000), times are with time zone.';

create view report.merchants as
select m.id as merchant_id, m.appid, m.name, m.callback_url, m.callback_format, m.callback_fields, m.acknowledgement,
       m.always_200, m.require_nonce, m.disabled_at, m.created_at
  from merchant m;
comment on view report.merchants is 'Who may ask, and how each is called back; nothing secret.';
comment on column report.merchants.callback_url is 'Where callbacks go whose order names no notify_url.';
comment on column report.merchants.acknowledgement is 'When set, a 2xx acknowledges only with this word in its body.';
comment on column report.merchants.disabled_at is 'Since when its requests are refused and its callbacks held; null: it is not disabled.';

create view report.addresses as
select a.id as address_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address,
       case when a.counter_id is null then 'imported'
            when a.orderid is not null then 'order'
            when a.is_base then 'base'
            else 'restored' end as kind,
       a.is_base, a.orderid, a.counter_id, a.index, a.watched_from, a.created_at
  from deposit_address a
  join merchant m on m.id = a.merchant_id;
comment on view report.addresses is 'Deposit addresses: whose they are, and what for.';
comment on column report.addresses.kind is
  'base: the user''s own. order: for one orderid alone. imported: not derived by us. restored: skipped after a restore; nobody''s while its localusermark is empty.';
comment on column report.addresses.is_base is 'It is the user''s base address; an imported one may be.';
comment on column report.addresses.index is 'Its place under the counter''s account key, 0/index; null for an imported one.';
comment on column report.addresses.watched_from is 'The first block that counts for an imported one; null: whatever is followed.';

create view report.orders as
select o.id as order_id, o.merchant_id, m.appid, o.orderid, o.ordersn, o.username, o.localusermark, a.address,
       case when o.received = 0 then 'pending'
            when o.received < o.amount then 'underpaid'
            when o.received = o.amount then 'paid'
            else 'overpaid' end as state,
       coalesce(k.block_time > o.expires_at, false) as expired,
       exists (select from credit c where c.order_id = o.id and c.late) as late,
       (o.amount::numeric / 1000000)::numeric(20,6) as amount_usdt,
       (o.received::numeric / 1000000)::numeric(20,6) as received_usdt,
       (o.announced::numeric / 10000)::numeric(20,6) as announced_usdt,
       o.amount as amount_units, o.received as received_units, o.announced * 100 as announced_units,
       o.notify_url, o.created_at, o.expires_at
  from recharge_order o
  join merchant m on m.id = o.merchant_id
  join deposit_address a on a.id = o.deposit_address_id
  left join chain_cursor k on true;
comment on view report.orders is 'Recharge orders with what they have received and announced.';
comment on column report.orders.state is 'pending, underpaid, paid or overpaid: what received and amount say.';
comment on column report.orders.expired is 'Its window is over by the time of the last recorded block; a mark beside the state.';
comment on column report.orders.late is 'Something was paid in a block past expires_at; it is credited all the same.';
comment on column report.orders.announced_usdt is 'The sum of its callbacks: received, rounded down to 1/10000 USDT.';

create view report.transfers as
select t.id as transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index,
       t.from_address, (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units,
       coalesce(w.reason, 'credited') as state, c.order_id, o.orderid, c.late, c.created_at as credited_at,
       t.block_height, t.block_hash, t.block_time, t.created_at as recorded_at
  from transfer t
  join deposit_address a on a.id = t.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join waiting_transfer w on w.transfer_id = t.id
  left join credit c on c.transfer_id = t.id
  left join recharge_order o on o.id = c.order_id;
comment on view report.transfers is 'Solidified USDT transfers to deposit addresses, each with its credit or why it waits.';
comment on column report.transfers.state is 'credited, or why it waits: unclaimed, held, quarantined, behind (report.waiting_transfers).';
comment on column report.transfers.log_index is 'Position in its transaction''s logs: one transaction may pay several times.';
comment on column report.transfers.block_time is 'When it was paid, by the chain; recorded_at is when we read it.';

create view report.seen_transfers as
select a.merchant_id, m.appid, a.localusermark, a.address, s.txid, s.log_index, s.from_address,
       (s.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, s.amount as amount_units,
       h.height - s.block_height + 1 as confirmations, s.block_height, s.block_time
  from seen_transfer s
  join deposit_address a on a.id = s.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join chain_head h on true;
comment on view report.seen_transfers is 'Transfers at the head of the chain, not yet solidified: seen, not credited; a fork may take them away.';
comment on column report.seen_transfers.confirmations is 'Blocks from its own to the newest; about 19 solidify it.';

create view report.credits as
select c.id as credit_id, c.transfer_id, c.order_id, o.merchant_id, m.appid, o.orderid, t.txid, t.log_index,
       (c.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, c.amount as amount_units,
       (c.received::numeric / 1000000)::numeric(20,6) as received_usdt, c.received as received_units,
       c.late, b.key as callback_key, t.block_time, c.created_at
  from credit c
  join transfer t on t.id = c.transfer_id
  join recharge_order o on o.id = c.order_id
  join merchant m on m.id = o.merchant_id
  left join callback b on b.credit_id = c.id;
comment on view report.credits is 'Which transfer paid which order. Append-only.';
comment on column report.credits.received_usdt is 'What the order had received right after this credit.';
comment on column report.credits.callback_key is 'Of the callback it caused; null when less than 1/10000 USDT was to announce: a later one announces it.';

create view report.callbacks as
select b.id as callback_id, b.key, b.merchant_id, m.appid, b.order_id, o.orderid, t.txid, t.log_index,
       (b.body_amount::numeric / 10000)::numeric(20,6) as amount_usdt, b.body_amount,
       s.state, s.due_at, s.schedule_step, b.attempts, b.last_status, l.origin,
       b.created_at, b.delivered_at, b.exhausted_at
  from callback b
  join callback_state s on s.callback_id = b.id
  join merchant m on m.id = b.merchant_id
  join recharge_order o on o.id = b.order_id
  join credit c on c.id = b.credit_id
  join transfer t on t.id = c.transfer_id
  join callback_lane l on l.id = b.lane_id;
comment on view report.callbacks is 'What was announced to merchants, and how far its delivery has come.';
comment on column report.callbacks.key is 'The Idempotency-Key: the same over every attempt, resend and restore.';
comment on column report.callbacks.body_amount is 'The amount in its body: 1/10000 USDT.';
comment on column report.callbacks.state is
  'due: waits for its time. in_flight: being sent. held: its merchant is disabled. delivered: acknowledged. exhausted: every attempt failed.';
comment on column report.callbacks.due_at is 'When its next attempt is due; null when there is none.';
comment on column report.callbacks.schedule_step is 'How many intervals of the schedule are behind it; begins again at a resend.';
comment on column report.callbacks.last_status is 'The HTTP status of the last answer; null when there was none.';
comment on column report.callbacks.origin is 'Scheme, host and port it goes to, as when it was written.';
comment on column report.callbacks.delivered_at is 'When it was acknowledged first; one that was stays so, whatever a resend comes to.';

create view report.callback_lanes as
select l.id as lane_id, l.merchant_id, m.appid, l.origin,
       case when l.opened_at is not null then 'open' when l.slow_start is not null then 'closing' else 'closed' end as circuit,
       l.failures, l.opened_at, l.probe_at, l.in_flight_max,
       coalesce(x.waiting, 0)::bigint as waiting, x.oldest_due_at
  from callback_lane l
  join merchant m on m.id = l.merchant_id
  left join (select lane_id, count(*) as waiting, min(due_at) as oldest_due_at
               from callback_outbox
              group by lane_id) x on x.lane_id = l.id;
comment on view report.callback_lanes is 'Where callbacks queue: one lane for each merchant and origin, with what waits in it.';
comment on column report.callback_lanes.circuit is
  'open: the endpoint failed too often, single probes only. closing: it answers again, more are sent step by step. closed: all is well.';
comment on column report.callback_lanes.failures is 'In a row, while the circuit is closed.';
comment on column report.callback_lanes.in_flight_max is 'How many of its callbacks may be under way at once now.';
comment on column report.callback_lanes.waiting is 'Callbacks that owe an attempt, those under way and held among them.';

create view report.callbacks_open as
select b.id as callback_id, b.key, b.merchant_id, m.appid, o.orderid,
       (b.body_amount::numeric / 10000)::numeric(20,6) as amount_usdt, s.state, s.due_at, b.attempts,
       h.outcome as last_outcome, b.last_status, h.answer as last_answer, h.started_at as last_attempt_at, h.url as last_url,
       l.origin, b.created_at
  from (select callback_id as id from callback_outbox
         union
        select id from callback where exhausted_at is not null) open
  join callback b on b.id = open.id
  join callback_state s on s.callback_id = b.id
  join merchant m on m.id = b.merchant_id
  join recharge_order o on o.id = b.order_id
  join callback_lane l on l.id = b.lane_id
  left join lateral (
    select outcome, answer, started_at, url
      from callback_attempt
     where callback_id = b.id
     order by attempt desc, started_at desc
     limit 1
  ) h on true
 where b.delivered_at is null;
comment on view report.callbacks_open is
  'Callbacks that no merchant has acknowledged: due, being sent, held or exhausted, with what the last attempt came to.';
comment on column report.callbacks_open.last_outcome is 'refused (a status or body that does not acknowledge), or the kind of failure; null: not attempted yet.';
comment on column report.callbacks_open.last_answer is 'The first 2 KiB of what the merchant answered.';

create view report.callback_attempts as
select h.callback_id, h.attempt, b.key, b.merchant_id, m.appid, o.orderid, h.started_at, h.duration_ms, h.url, h.outcome,
       h.status, h.answer
  from callback_attempt h
  join callback b on b.id = h.callback_id
  join merchant m on m.id = b.merchant_id
  join recharge_order o on o.id = b.order_id;
comment on view report.callback_attempts is 'Every attempt to deliver a callback, as far back as months are kept.';
comment on column report.callback_attempts.outcome is 'acknowledged, refused (a status or body that does not acknowledge), or the kind of failure.';

create view report.volume_per_day as
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
comment on view report.volume_per_day is
  'Per merchant and UTC day: received by block time, announced by the credit''s time, acknowledged by the delivery''s time.';

create view report.waiting_transfers as
select w.transfer_id, a.merchant_id, m.appid, a.localusermark, a.username, a.address, t.txid, t.log_index, t.from_address,
       (t.amount::numeric / 1000000)::numeric(20,6) as amount_usdt, t.amount as amount_units, w.reason,
       case when w.reason = 'unclaimed' and a.localusermark = ''
              then 'its address was handed out after the backup that was restored: nobody''s until it is found out'
            when w.reason = 'unclaimed' then 'no order on this address was made before it; the next one there gets it'
            when w.reason = 'held' then 'above CREDIT_QUORUM_AMOUNT: waits for a second node to show the same'
            when w.reason = 'quarantined' then coalesce(q.reason, 'it could not be credited')
            else 'an earlier transfer to this address is held or quarantined' end as why,
       w.node, w.checked_at, w.note, t.block_height, t.block_time, w.created_at as waiting_since
  from waiting_transfer w
  join transfer t on t.id = w.transfer_id
  join deposit_address a on a.id = w.deposit_address_id
  join merchant m on m.id = a.merchant_id
  left join quarantine q on q.transfer_id = w.transfer_id and q.resolved_at is null;
comment on view report.waiting_transfers is 'Money that arrived and has no credit yet, and why.';
comment on column report.waiting_transfers.reason is 'unclaimed, held, quarantined, or behind one of these on its address.';
comment on column report.waiting_transfers.node is 'Of a held one: the node that showed its block. checked_at, note: when another was asked, and what it said.';

create view report.quarantine as
select q.id as quarantine_id, q.transfer_id, q.txid, q.log_index, q.block_height, q.reason, q.log, q.created_at, q.resolved_at
  from quarantine q;
comment on view report.quarantine is 'What could not be decoded (transfer_id null) or credited, parked with its bytes; gateway quarantine retry.';

create view report.discrepancies as
select d.id as discrepancy_id, d.kind, d.subject, d.detail, d.found_at, d.last_seen_at, d.resolved_at
  from discrepancy d;
comment on view report.discrepancies is 'What a second source says otherwise: to be looked at, nothing is credited because of it.';

create view report.watcher as
select k.network, k.usdt_contract, k.start_height, k.height, k.hash, k.block_time, k.updated_at,
       extract(epoch from now() - k.block_time)::bigint as behind_seconds,
       h.height as head_height, h.height - k.height as behind_head_blocks, h.seen_at as head_seen_at,
       w.holder as leader, coalesce(w.expires_at > now(), false) as leads
  from chain_cursor k
  left join chain_head h on true
  left join watcher_lease w on true;
comment on view report.watcher is 'How far the chain is followed: one row, none before the first start.';
comment on column report.watcher.behind_seconds is 'Age of the last recorded block: a minute or so is solidification, three are an alarm.';
comment on column report.watcher.behind_head_blocks is 'From the last recorded block to the newest: about 19 when all is well; stale when head_seen_at is.';
comment on column report.watcher.leads is 'A watcher holds the lease now.';

create view report.audit_events as
select e.id as audit_event_id, e.created_at, e.actor, e.action, e.subject, e.detail
  from audit_event e;
comment on view report.audit_events is 'What was done by hand, by whom. Append-only.';

-- ---------------------------------------------------------------- what the audit compares

create view report.audit_orders as
select o.id as order_id, o.merchant_id, m.appid, o.orderid, o.received as received_units,
       coalesce(c.credited, 0)::bigint as credited_units, o.received / 100 as announceable, o.announced,
       coalesce(b.called_back, 0)::bigint as called_back
  from recharge_order o
  join merchant m on m.id = o.merchant_id
  left join (select order_id, sum(amount) as credited from credit group by order_id) c on c.order_id = o.id
  left join (select order_id, sum(body_amount) as called_back from callback group by order_id) b on b.order_id = o.id;
comment on view report.audit_orders is
  'Per order what gateway audit compares: received_units must be credited_units; announceable, announced and called_back the same.';
comment on column report.audit_orders.credited_units is 'The sum of its credits.';
comment on column report.audit_orders.announceable is 'received, rounded down to 1/10000 USDT; announced and called_back are in the same unit.';
comment on column report.audit_orders.called_back is 'The sum of its callbacks'' amounts.';

create view report.audit_merchants as
select m.id as merchant_id, m.appid, m.name,
       coalesce(o.orders, 0)::bigint as orders, coalesce(t.transfers, 0)::bigint as transfers,
       coalesce(t.arrived, 0)::bigint as arrived_units, coalesce(t.waiting, 0)::bigint as waiting_units,
       coalesce(c.credited, 0)::bigint as credited_units, coalesce(o.received, 0)::bigint as received_units,
       coalesce(b.announced, 0)::bigint as announced, coalesce(b.acknowledged, 0)::bigint as acknowledged,
       coalesce(b.due, 0)::bigint as due, coalesce(b.exhausted, 0)::bigint as exhausted
  from merchant m
  left join (select merchant_id, count(*) as orders, sum(received) as received
               from recharge_order
              group by merchant_id) o on o.merchant_id = m.id
  left join (select a.merchant_id, count(*) as transfers, sum(t.amount) as arrived,
                    sum(t.amount) filter (where w.transfer_id is not null) as waiting
               from transfer t
               join deposit_address a on a.id = t.deposit_address_id
               left join waiting_transfer w on w.transfer_id = t.id
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
  'Per merchant what gateway audit adds up: arrived_units - waiting_units = credited_units = received_units.';
comment on column report.audit_merchants.arrived_units is 'All transfers to its addresses; waiting_units those without a credit yet.';
comment on column report.audit_merchants.announced is 'The sum of its callbacks'' amounts, in 1/10000 USDT; acknowledged: of those a merchant has acknowledged.';
comment on column report.audit_merchants.due is 'Callbacks neither acknowledged nor exhausted.';

-- ---------------------------------------------------------------- the role

-- Functions are open to everybody unless they are closed; ours are for the gateway, those of later migrations too.
alter default privileges revoke execute on functions from public;
do $$
declare
  made regprocedure;
begin
  for made in
    select p.oid
      from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proowner = current_user::regrole
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  loop
    execute format('revoke execute on function %s from public', made);
  end loop;
end $$;

-- Roles belong to the whole cluster: another database of it may have made this one, or be making it now.
do $$
begin
  if to_regrole('gateway_report') is null then
    create role gateway_report nologin;
  end if;
exception
  when duplicate_object or unique_violation then null; -- Made by another at this moment.
  when insufficient_privilege then
    raise warning 'role gateway_report is not there and this role may not create it: docs/admin.md says what to run';
end $$;

do $$
begin
  if to_regrole('gateway_report') is null then return; end if;
  grant usage on schema report to gateway_report;
  grant select on all tables in schema report to gateway_report;
  -- Views of later migrations, too.
  alter default privileges in schema report grant select on tables to gateway_report;
  -- Before Postgres 15 everybody may create tables in schema public.
  if has_schema_privilege('gateway_report', 'public', 'create') then
    execute format('grant create on schema public to %I', current_user);
    revoke create on schema public from public;
  end if;
end $$;
