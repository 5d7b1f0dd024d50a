-- The id of each call's request. Locks api_request and its partitions for a moment and rewrites nothing; code from before
-- can run beside it.

-- As in the answer's x-request-id and in the log. Null: written by code that did not keep it yet.
alter table api_request add column request_id text;

create or replace view report.api_requests as
select r.started_at, r.merchant_id, m.appid, r.endpoint, r.code, r.orderid, r.client_address, r.duration_ms, r.request_id
  from api_request r
  join merchant m on m.id = r.merchant_id;
