-- Makes the partitions of the month given and of the two months after it, where they are missing.
-- Called by makePartitions (src/db/partitions.ts), when the API or the courier starts and every ten minutes, one caller at a time.
-- Locks the table and its default partition against everything while it makes one; where all exist it locks nothing.

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
    -- The default partition has rows of that month already, after a clock was wrong for example. They stay there, and the
    -- process starts all the same.
    exception when check_violation then
      raise warning '% of % stays in the default partition, which has rows of it', to_char(month, 'YYYY-MM'), parent;
    end;
  end loop;
end $$;
