-- Outside a transaction: two indexes on recharge_order, built concurrently. Blocks neither reads nor writes, and waits for
-- transactions older than itself. Code from before can run beside it.

-- Open orders of an address in the order of attribution. Within one length of the window, which changes only with
-- ORDER_WINDOW, orders expire in the order they were created in: so those that are open at a time are one range, and neither
-- paid nor expired orders are read. routines/payable_orders.sql skips from length to length.
create index concurrently if not exists recharge_order_open
    on recharge_order (deposit_address_id, (expires_at - created_at), expires_at, id)
 where received < amount;

-- The same by what is missing, for payments of exactly that. The window and its end are written in another way than above, so
-- that a query that means one index cannot be planned with the other.
create index concurrently if not exists recharge_order_remainder
    on recharge_order (deposit_address_id, (amount - received), (created_at - expires_at), (expires_at at time zone 'UTC'), id)
 where received < amount;
