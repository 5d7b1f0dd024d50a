-- A callback's state as it is shown. due_at and schedule_step are null when no attempt is owed.
-- Read by the order queries (src/orders/order-query-store.ts), report.callbacks and report.callbacks_open. Since those two
-- views stand on it, columns can only be added at its end; any other change needs a migration that rebuilds them.
-- Locks nothing.

create or replace view callback_state as
select c.id as callback_id,
       coalesce(b.state, case when c.delivered_at is not null then 'delivered' else 'exhausted' end) as state,
       b.due_at,
       b.schedule_step
  from callback c
  left join callback_outbox b on b.callback_id = c.id;
