-- Tells whether a process may assign addresses now.
-- It may when the database's history is the accepted one, nothing is known to be lost, and it will be asked after a failover.
-- Called by every assignment, in its transaction (src/merchants/address-counter-store.ts), and by src/addresses/history-store.ts.
-- Locks nothing.

create or replace function may_assign(witness text) returns boolean language plpgsql stable as $$
begin
  return exists (select
                   from database_history h
                   join address_witness w on w.history = h.history
                  where w.id = witness and h.stopped_at is null and h.history = current_history());
end $$;
