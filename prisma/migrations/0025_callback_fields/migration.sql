-- A list of fields for callbacks. Another check on merchant, which is small; locks nothing else. Old code can run beside it: it
-- sends the six to merchants that are set to a list.

alter table merchant drop constraint merchant_callback_fields_check;
-- `six`, `full`, or names beside the six: src/merchants/chosen-fields.ts knows which.
alter table merchant add constraint merchant_callback_fields_check
  check (callback_fields ~ '^[a-z_]+(,[a-z_]+)*$' and length(callback_fields) <= 200);

comment on column report.merchants.callback_fields is
  'Fields of a callback''s body: six, the original ones; full, all; or the names of those that are sent beside the six.';
