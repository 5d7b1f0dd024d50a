-- The first due callback of each lane that has one.
-- Read by lease_callbacks and by the courier's metrics (src/callbacks/sending/callback-metrics.ts).
-- Locks nothing.

-- It jumps from lane to lane along the index: the cost grows with the lanes that have due rows, not with their rows.
create or replace view due_lane as
with recursive waiting (lane_id, due_at) as (
  (select lane_id, due_at
     from callback_outbox
    where state = 'due'
    order by lane_id, due_at
    limit 1)
  union all
  select following.lane_id, following.due_at
    from waiting w
   cross join lateral (select b.lane_id, b.due_at
                         from callback_outbox b
                        where b.state = 'due' and b.lane_id > w.lane_id
                        order by b.lane_id, b.due_at
                        limit 1) following
)
select lane_id, due_at from waiting;
