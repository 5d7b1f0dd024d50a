-- Who may call for a merchant, and every authenticated call that was made. A new column with a default and a new table:
-- neither rewrites anything, and older code runs beside them.

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
