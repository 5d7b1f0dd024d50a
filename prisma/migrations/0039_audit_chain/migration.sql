-- Audit events form a chain: each has the SHA-256 over the hash of the one before it and its own content. New columns, a table of
-- one row, and indexes; fills in the merchant of older events and reads all of them once. Locks `audit_event` meanwhile: a second
-- for 100 000 events. Old code can run beside it: the database computes the hashes, so events of older programs are in the chain.

alter table audit_event
  -- Why it was done, as its author put it. Older events have it in `detail`.
  add column reason         text,
  -- From where: an address of the network.
  add column address        text,
  -- The merchant that it concerns, where that is known.
  add column merchant_id    bigint references merchant,
  -- 1, 2, 3 and so on, in the order of the commits; null: from before the chain.
  add column chain_position bigint unique check (chain_position > 0),
  add column hash           bytea check (length(hash) = 32),
  add check ((chain_position is null) = (hash is null));

drop trigger audit_event_append_only on audit_event;
update audit_event e
   set merchant_id = m.id
  from merchant m
 where e.subject = 'merchant ' || m.appid;

-- Pages are read by time, the newest first.
create index audit_event_time on audit_event (created_at, id);
create index audit_event_merchant on audit_event (merchant_id, created_at, id) where merchant_id is not null;
create index audit_event_actor on audit_event (actor, created_at, id);
create index audit_event_action on audit_event (action, created_at, id);

-- The only row: the end of the chain.
create table audit_chain (
  id             boolean primary key default true check (id),
  chain_position bigint not null,
  hash           bytea not null check (length(hash) = 32)
);
insert into audit_chain (chain_position, hash) values (0, decode(repeat('00', 32), 'hex'));

-- Adds an event to the chain. What is hashed is 32 bytes, then the event as a JSON array: jsonb as text has one form only. The audit
-- (src/audit/trail-checks.ts) writes it out by itself.
create function chain_audit_event() returns trigger language plpgsql
  -- A commit is not limited by statement_timeout. Nothing holds the chain's end for longer than a commit takes.
  set lock_timeout = '5s'
  set search_path from current
as $$
declare
  chain audit_chain;
begin
  update audit_chain c
     set chain_position = c.chain_position + 1,
         hash = sha256(c.hash || convert_to(jsonb_build_array(
           c.chain_position + 1, new.id, (extract(epoch from new.created_at) * 1000000)::bigint, new.actor, new.action,
           new.subject, new.detail, new.reason, new.address, new.merchant_id)::text, 'UTF8'))
  returning c.* into strict chain;
  update audit_event
     set chain_position = chain.chain_position, hash = chain.hash
   where id = new.id;
  return null;
end $$;

-- At the end of the transaction, when it takes no more locks. So the chain's end cannot be part of a deadlock, and a program that
-- stops between its event and its commit keeps nobody waiting.
create constraint trigger audit_event_chained after insert on audit_event
  deferrable initially deferred for each row execute function chain_audit_event();

-- Only the trigger above may write: it is one trigger deep.
create trigger audit_event_append_only before update or delete on audit_event
  for each row when (pg_trigger_depth() = 0 or old.chain_position is not null) execute function refuse_change();
create trigger audit_chain_append_only before update or delete on audit_chain
  for each row when (pg_trigger_depth() = 0) execute function refuse_change();
create trigger audit_chain_no_truncate before truncate on audit_chain
  for each statement execute function refuse_change();

create or replace view report.audit_events as
select e.id as audit_event_id, e.created_at, e.actor, e.action, e.subject, e.detail,
       coalesce(e.reason, case when e.action <> 'quarantine.retried' then e.detail ->> 'reason' end) as reason, e.address, m.appid, e.chain_position, encode(e.hash, 'hex') as hash
  from audit_event e
  left join merchant m on m.id = e.merchant_id;
comment on view report.audit_events is 'What was changed, by whom and why. Append-only.';
comment on column report.audit_events.actor is
  'Who did it: command line, then a name or user@host; or name and mail address of a person who was signed in. watcher, gateway: it did so by itself.';
comment on column report.audit_events.reason is 'Why, as its author put it.';
comment on column report.audit_events.address is 'The network address it was done from. Null: the server''s command line, or not known.';
comment on column report.audit_events.appid is 'The app id of the merchant that it concerns. Null: none, or not known.';
comment on column report.audit_events.chain_position is
  'Its place in the chain: 1, 2, 3 and so on. Null: from before the chain, which began with the event audit.began.';
comment on column report.audit_events.hash is
  'SHA-256 over the hash before it and its content: 64 hex digits. gateway audit compares all of them.';

-- The first event of the chain has one digest of all older ones.
insert into audit_event (actor, action, subject, detail)
select 'gateway migrate', 'audit.began', 'audit events',
       jsonb_build_object('events', count(*), 'digest', encode(sha256(coalesce(string_agg(
         sha256(convert_to(jsonb_build_array(
           id, (extract(epoch from created_at) * 1000000)::bigint, actor, action, subject, detail)::text, 'UTF8')),
         ''::bytea order by id), ''::bytea)), 'hex'))
  from audit_event;
