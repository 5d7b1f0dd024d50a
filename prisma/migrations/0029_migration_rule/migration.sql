-- Whether older programs may run beside each migration. A new table: locks and rewrites nothing. Old code can run beside it: it does not
-- read it.

-- Written by gateway migrate, read by every program at its start, about the migrations that it does not know.
create table migration_rule (
  migration_name text primary key,
  older_may_run  boolean not null
);
