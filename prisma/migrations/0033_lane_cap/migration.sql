-- How many callbacks a lane may have in flight follows how its endpoint answers. New columns with constant defaults: rewrites
-- nothing, and locks callback_lane for a moment. Old code can run beside it: it leaves `cap` as it is.

alter table callback_lane
  -- Whether the last leasing filled the lane. Only then does its cap hold anything back.
  add column cap_reached boolean not null default false,
  -- Quick acknowledgements since the cap last grew. It grows by one when they are as many as the cap.
  add column cap_answers integer not null default 0 check (cap_answers >= 0),
  -- The most that the cap may become.
  add column cap_max integer not null default 128 check (cap_max > 0),
  -- Until then the cap stays below the one at which the endpoint said that it was too much.
  add column cap_limit integer check (cap_limit > 0),
  add column cap_limited_until timestamptz;

-- A cap that somebody has set is not passed.
update callback_lane set cap_max = cap where cap <> 8;

comment on column report.callback_lanes.in_flight_max is
  'How many of the lane''s callbacks may be in flight at once now: 8 to 128 while its endpoint works, by how quickly it acknowledges.';
