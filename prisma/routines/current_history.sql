-- Names the history that this server writes: cluster, database, timeline.
-- A failover begins a new timeline, and so does recovery from a backup and WAL.
-- Any role may read this; where a provider has closed it, the name lacks the timeline.
-- Called by may_assign and by src/addresses/history-store.ts. Fails on a standby, which writes none.
-- Locks nothing.

create or replace function current_history() returns text language plpgsql stable as $$
declare
  cluster text;
  timeline text := '-';
begin
  select s.system_identifier || '-' || d.oid
    into cluster
    from pg_control_system() s, pg_database d
   where d.datname = current_database();
  begin
    -- Not pg_control_checkpoint(), which has the old timeline until the first checkpoint after a promotion.
    timeline := ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer;
  exception when feature_not_supported or insufficient_privilege or undefined_function then
    null;
  end;
  return cluster || '/' || timeline;
end $$;
