-- Secrets may be sealed for their own row. Locks merchant_version for a moment and rewrites nothing. Old code can run beside it.

-- In which version new keys and secrets are sealed: 1 binds them to merchant and purpose, and every release opens it; 2 binds
-- them to their row too. `gateway reseal` sets 2, once no process is left that opens only 1.
alter table merchant_version
  add column sealing integer not null default 1,
  add constraint merchant_version_sealing_check check (sealing in (1, 2));
