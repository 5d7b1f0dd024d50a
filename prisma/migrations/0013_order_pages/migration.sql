-- Outside a transaction: indexes on recharge_order, built concurrently. Blocks neither reads nor writes, and waits for
-- transactions older than itself. Code from before can run beside it.

-- Pages of `orders` with a filter, newest first. Without these a filter that few orders pass reads all of the merchant's.
create index concurrently if not exists recharge_order_user_page
    on recharge_order (merchant_id, localusermark, created_at desc, id desc);

-- A partial index for each state, rather than one on an expression: Prisma can ask for it, and only the first costs a create
-- anything.
create index concurrently if not exists recharge_order_pending_page
    on recharge_order (merchant_id, created_at desc, id desc)
 where received = 0;
create index concurrently if not exists recharge_order_underpaid_page
    on recharge_order (merchant_id, created_at desc, id desc)
 where received > 0 and received < amount;
create index concurrently if not exists recharge_order_paid_page
    on recharge_order (merchant_id, created_at desc, id desc)
 where received = amount;
create index concurrently if not exists recharge_order_overpaid_page
    on recharge_order (merchant_id, created_at desc, id desc)
 where received > amount;
