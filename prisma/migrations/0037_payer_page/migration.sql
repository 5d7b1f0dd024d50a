-- The payer's page: a link for each order, and how a merchant's page looks. New tables, and a column with a constant default on
-- `merchant`: rewrites nothing, and locks `merchant` for a moment. Old code can run beside it: an order that it creates gets its link
-- when it is next answered.

-- The link of an order. Whoever has the token sees the order's page, and nothing else.
create table pay_link (
  order_id   bigint primary key references recharge_order on delete cascade,
  token      bytea not null unique check (length(token) = 16),
  -- Where the page leads back to.
  return_url text check (length(return_url) between 1 and 1024)
);

-- What a merchant's page shows. A merchant without a row has the defaults.
create table merchant_page (
  merchant_id     bigint primary key references merchant,
  -- Empty: none is shown. `merchant.name` is for operators.
  display_name    text not null default '' check (length(display_name) <= 64),
  accent          text check (accent ~ '^#[0-9a-f]{6}$'),
  support_url     text check (length(support_url) between 1 and 512),
  qr              text not null default 'address' check (qr in ('address', 'tron', 'tron-amount')),
  -- Origins whose pages may show it in a frame.
  frame_ancestors text[] not null default '{}' check (cardinality(frame_ancestors) <= 10),
  logo            bytea check (length(logo) between 1 and 65536),
  logo_type       text check (logo_type in ('image/png', 'image/jpeg', 'image/webp')),
  check ((logo is null) = (logo_type is null))
);

alter table merchant add column return_url boolean not null default false;

-- Its directory is read anew when `return_url` changes; the page's own settings are read with the page.
