-- Outside a transaction: indexes on waiting_transfer and quarantine, built concurrently. Blocks neither reads nor writes, and waits
-- for transactions older than itself. Old code can run beside it.

-- The rare reasons. Unclaimed and held transfers have an index each; beside a million unclaimed ones these are found at once.
create index concurrently if not exists waiting_transfer_stopped
    on waiting_transfer (reason, transfer_id)
 where reason in ('quarantined', 'behind');

-- What is still open. What was resolved stays for ever.
create index concurrently if not exists quarantine_open
    on quarantine (id)
 where resolved_at is null;
