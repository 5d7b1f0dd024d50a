-- When the console may ask a node again. A new table: locks nothing. Old code can run beside it: it asks nothing for the console.

-- The only row. All processes together ask at most once a second, by this database's clock.
create table look_up_turn (
  single  boolean primary key default true check (single),
  next_at timestamptz not null
);
