-- Writes the merchant into the waiting transfers of before, and indexes them by it. Locks the rows of waiting_transfer against
-- changes while it writes: a second for a hundred thousand, and reading goes on. Old code can run beside it.

update waiting_transfer w
   set merchant_id = a.merchant_id
  from deposit_address a
 where a.id = w.deposit_address_id and w.merchant_id is null;

-- A merchant's list, and its sums.
create index waiting_transfer_merchant on waiting_transfer (merchant_id, reason, transfer_id);
