-- Everything that an attempt of a callback needs to know. That of a deposit has no order, and an address instead.
-- Read by renewLeases (src/callbacks/leasing/lease-store.ts), and by lease_callbacks, which returns its rows. Since that
-- function's type stands on it, columns can only be added at its end; any other change begins with `drop view if exists ...
-- cascade`, and the function is applied again after it. Either fails on open connections that have prepared a statement with
-- `f.*` of it ("cached plan must not change result type"): before columns change, running couriers must name those they read.
-- Locks nothing.

create or replace view callback_facts as
select c.id, c.merchant_id, c.order_id, c.attempts, c.key, c.body_amount, c.received, c.order_state, c.late,
       o.orderid, o.ordersn, coalesce(o.localusermark, a.localusermark) as localusermark, o.notify_url, o.amount as order_amount,
       t.txid, t.log_index, t.amount as transfer_amount,
       m.disabled_at is not null as disabled,
       a.address as deposit_address
  from callback c
  left join recharge_order o on o.id = c.order_id
  join credit r on r.id = c.credit_id
  join transfer t on t.id = r.transfer_id
  join merchant m on m.id = c.merchant_id
  left join deposit_address a on a.id = r.deposit_address_id;
