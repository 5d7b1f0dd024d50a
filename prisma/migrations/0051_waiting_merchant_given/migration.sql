-- The trigger looks up the merchant of a waiting transfer only where that is left out: crediting writes it, in the statement that writes
-- the transfers. Locks waiting_transfer for a moment. Old code can run beside it.

drop trigger waiting_transfer_merchant on waiting_transfer;
create trigger waiting_transfer_merchant before insert on waiting_transfer
  for each row when (new.merchant_id is null) execute function write_waiting_merchant();
