-- Who may call for a merchant, every authenticated call that was made, and what its statement reads by. A new column with a
-- default and a new table rewrite nothing, and older code runs beside them; the index is built while callbacks are not
-- written, a second for a million of them.

-- Addresses and CIDRs; empty: any client.
alter table merchant
  add column allowed_clients text[] not null default '{}' check (cardinality(allowed_clients) <= 100);

-- Written in batches, off the hot path; pruned by dropping months. No secret is ever in it.
create table api_request (
  id             bigserial,
  merchant_id    bigint not null,
  endpoint       text not null,
  -- How it was answered: ok, or the refusal's code.
  code           text not null,
  -- The order it names, where it names one; cut to what an orderid may be.
  orderid        text check (length(orderid) <= 50),
  client_address text not null,
  started_at     timestamptz not null,
  duration_ms    integer not null,
  primary key (id, started_at)
) partition by range (started_at);
create table api_request_default partition of api_request default;
create index api_request_merchant on api_request (merchant_id, started_at);

-- Drops the partitions of months that ended at or before the time given. Returns their names.
create function drop_month_partitions(parent text, ended_by timestamptz) returns setof text language plpgsql as $$
declare
  child text;
begin
  for child in
    select c.relname
      from pg_inherits i
      join pg_class c on c.oid = i.inhrelid
     where i.inhparent = parent::regclass
       and c.relname ~ ('^' || parent || '_\d{4}_\d{2}$')
     order by c.relname
  loop
    if (to_date(right(child, 7), 'YYYY_MM') + interval '1 month')::timestamp at time zone 'UTC' <= ended_by then
      execute format('drop table %I', child);
      return next child;
    end if;
  end loop;
end $$;

-- A month that has rows in the default partition already (a clock that was wrong, say) stays there: no reason not to start.
create or replace function make_month_partitions(parent text, at timestamptz) returns void language plpgsql as $$
declare
  first date := date_trunc('month', at at time zone 'UTC')::date;
  month date;
begin
  for i in 0..2 loop
    month := (first + make_interval(months => i))::date;
    begin
      execute format(
        'create table if not exists %I partition of %I for values from (%L) to (%L)',
        parent || '_' || to_char(month, 'YYYY_MM'), parent,
        month::timestamp at time zone 'UTC', (month + interval '1 month')::timestamp at time zone 'UTC');
    exception when check_violation then
      raise warning '% of % stays in the default partition, which has rows of it', to_char(month, 'YYYY-MM'), parent;
    end;
  end loop;
end $$;

create view report.api_requests as
select r.started_at, r.merchant_id, m.appid, r.endpoint, r.code, r.orderid, r.client_address, r.duration_ms
  from api_request r
  join merchant m on m.id = r.merchant_id;
comment on view report.api_requests is 'Every authenticated call of a merchant, as far back as months are kept.';
comment on column report.api_requests.code is 'ok, or the code it was refused with.';

-- A merchant's callbacks of some days, for its statement. An attempt changes neither column.
create index callback_merchant_time on callback (merchant_id, created_at);
