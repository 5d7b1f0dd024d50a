-- Outside a transaction: indexes on callback and callback_outbox, built concurrently. Blocks neither reads nor writes, and waits
-- for transactions older than itself. Old code can run beside it.

-- A merchant's exhausted callbacks, the newest first. `exhausted_at` is indexed anyway, so nothing else that is written pays.
create index concurrently if not exists callback_exhausted_page
    on callback (merchant_id, exhausted_at desc, id desc)
 where exhausted_at is not null;

-- What waits for another attempt in a lane, in the order of its times. Only callbacks that have failed are in it.
create index concurrently if not exists callback_outbox_failing
    on callback_outbox (lane_id, due_at, callback_id)
 where state = 'due' and schedule_step > 0;

-- What is held in a lane, in the order in which all that waits is listed. Replaces callback_outbox_held, which the next migration
-- drops.
create index concurrently if not exists callback_outbox_held_page
    on callback_outbox (lane_id, due_at, callback_id)
 where state = 'held';
