-- Returns the orders that transfers may pay, of however many an address has.
-- Called by crediting: readPayableOrders (src/orders/order-totals-store.ts) says what it asks for, and
-- src/credits/attribution.ts what is chosen.
-- Locks nothing: whoever credits holds the cursor's lock, and nobody else changes an order's totals.

-- Each line asks for one address: with an amount, for the oldest open orders that lack exactly it (`takes` of them); without
-- one, for the oldest open orders, the newest eligible order and the oldest of all.
-- What a line costs does not depend on how many orders the address has, as long as each index serves what it was made for.
-- The planner cannot know that: it sees averages, and most addresses have few orders. So it may neither sort nor collect
-- rows first, which leaves only the index that has them in this order. Its plan is kept for the session.
create or replace function payable_orders(
  address_ids bigint[], times timestamptz[], eligible_until timestamptz[], amounts bigint[], takes integer[])
returns table (
  id bigint, merchant_id bigint, deposit_address_id bigint, amount bigint, received bigint, announced bigint,
  created_at timestamptz, expires_at timestamptz, callback_url text)
language plpgsql stable
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select o.id, o.merchant_id, o.deposit_address_id, o.amount, o.received, o.announced, o.created_at, o.expires_at,
         coalesce(o.notify_url, m.callback_url)
    from recharge_order o
    join merchant m on m.id = o.merchant_id
   where o.id = any(array(
     select distinct candidate.id
       from unnest(address_ids, times, eligible_until, amounts, takes)
              as asked (address_id, time, eligible_until, amount, take)
      cross join lateral (
        -- The oldest open ones of each length of the window. Both ends of the range are times of expiry.
        (with recursive open_window (length) as (
           (select o.expires_at - o.created_at
              from recharge_order o
             where asked.amount is null
               and o.deposit_address_id = asked.address_id
               and o.received < o.amount
             order by o.expires_at - o.created_at
             limit 1)
           union all
           select longer.length
             from open_window w
            cross join lateral (
              select o.expires_at - o.created_at as length
                from recharge_order o
               where o.deposit_address_id = asked.address_id
                 and o.received < o.amount
                 and o.expires_at - o.created_at > w.length
               order by o.expires_at - o.created_at
               limit 1) longer
         )
         select oldest.id
           from open_window w
          cross join lateral (
            select o.id
              from recharge_order o
             where o.deposit_address_id = asked.address_id
               and o.received < o.amount
               and o.expires_at - o.created_at = w.length
               and o.expires_at >= asked.time
               -- In seconds: an interval of days would depend on the session's time zone.
               and o.expires_at <= asked.eligible_until + make_interval(secs => extract(epoch from w.length)::float8)
             order by o.expires_at, o.id
             limit asked.take) oldest)
        union all
        -- The same among those that lack exactly the amount. Here the length is negative.
        (with recursive exact_window (length) as (
           (select o.created_at - o.expires_at
              from recharge_order o
             where o.deposit_address_id = asked.address_id
               and o.received < o.amount
               and o.amount - o.received = asked.amount
             order by o.created_at - o.expires_at
             limit 1)
           union all
           select shorter.length
             from exact_window w
            cross join lateral (
              select o.created_at - o.expires_at as length
                from recharge_order o
               where o.deposit_address_id = asked.address_id
                 and o.received < o.amount
                 and o.amount - o.received = asked.amount
                 and o.created_at - o.expires_at > w.length
               order by o.created_at - o.expires_at
               limit 1) shorter
         )
         select oldest.id
           from exact_window w
          cross join lateral (
            select o.id
              from recharge_order o
             where o.deposit_address_id = asked.address_id
               and o.received < o.amount
               and o.amount - o.received = asked.amount
               and o.created_at - o.expires_at = w.length
               and o.expires_at at time zone 'UTC' >= asked.time at time zone 'UTC'
               and o.expires_at at time zone 'UTC'
                   <= (asked.eligible_until - make_interval(secs => extract(epoch from w.length)::float8)) at time zone 'UTC'
             order by o.expires_at at time zone 'UTC', o.id
             limit asked.take) oldest)
        union all
        (select o.id
           from recharge_order o
          where asked.amount is null
            and o.deposit_address_id = asked.address_id
            and o.created_at <= asked.eligible_until
          order by o.created_at desc, o.id desc
          limit 1)
        union all
        (select o.id
           from recharge_order o
          where asked.amount is null
            and o.deposit_address_id = asked.address_id
          order by o.created_at, o.id
          limit 1)
      ) candidate
   ));
end $$;
