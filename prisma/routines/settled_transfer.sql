-- Transfers that are settled outside now. Such a transfer neither waits nor has a credit: no order ever claims it.
-- Read by src/credits/rejection-store.ts, src/orders/transfer-page-store.ts, the audit and the console's search.
-- Locks nothing.

create or replace view settled_transfer as
select m.transfer_id, m.id as mark_id, m.merchant_id
  from money_mark m
 where m.kind = 'settled_outside'
   and not exists (select from money_mark w where w.withdraws = m.id);
