-- Drops the partitions of months that ended at or before the time given. Returns their names.
-- Called by dropOldPartitions (src/db/partitions.ts) by the API every ten minutes.
-- Locks the table and each partition it drops against everything until the transaction ends; the caller limits the wait.

create or replace function drop_month_partitions(parent text, ended_by timestamptz) returns setof text language plpgsql as $$
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
