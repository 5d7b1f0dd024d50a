-- The default URLs that have taken effect by the database's clock and are not in `merchant` yet.
-- Read by readMerchants (src/merchants/merchant-rows.ts), and by what writes them there (src/merchants/url-change-store.ts).
-- A merchant whose deposits were turned on meanwhile keeps its URL: they cannot be without one.
-- Locks nothing.

create or replace view due_callback_url as
select c.id, c.merchant_id, c.url
  from callback_url_change c
  join merchant m on m.id = c.merchant_id
 where c.outcome is null and c.effective_at <= now() and not (m.deposits and c.url is null);
