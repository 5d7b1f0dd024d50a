-- Everything from a merchant to a callback's attempts. On an empty database: locks nothing, no older code runs beside it.

-- ---------------------------------------------------------------- who may ask

-- One counter per account public key and chain code, whichever merchants share it.
create table address_counter (
  id          bigint generated always as identity primary key,
  public_key  bytea not null check (octet_length(public_key) = 33),
  chain_code  bytea not null check (octet_length(chain_code) = 32),
  xpub        text not null,
  next_index  bigint not null default 0 check (next_index between 0 and 2147483648),
  created_at  timestamptz not null default now(),
  unique (public_key, chain_code)
);

create table merchant (
  id                 bigint generated always as identity primary key,
  appid              text not null unique check (appid ~ '^[A-Za-z0-9]{16}$'),
  name               text not null check (length(name) between 1 and 100),
  address_counter_id bigint not null references address_counter,
  callback_url       text check (length(callback_url) between 1 and 512),
  callback_format    text not null default 'form' check (callback_format in ('form', 'json')),
  callback_fields    text not null default 'six' check (callback_fields in ('six', 'full')),
  -- When set, a 2xx acknowledges only if its body contains this word.
  acknowledgement    text check (length(acknowledgement) between 1 and 100),
  always_200         boolean not null default false,
  require_nonce      boolean not null default false,
  disabled_at        timestamptz,
  created_at         timestamptz not null default now()
);

create table merchant_key (
  id          bigint generated always as identity primary key,
  merchant_id bigint not null references merchant,
  scheme      text not null check (scheme in ('hmac-sha256', 'sha1')),
  sealed      bytea not null,
  -- The promoted key signs callbacks; every key not retired verifies requests.
  promoted    boolean not null default false,
  created_at  timestamptz not null default now(),
  retired_at  timestamptz,
  check (not (promoted and retired_at is not null))
);
create index merchant_key_merchant on merchant_key (merchant_id);
create unique index merchant_key_promoted on merchant_key (merchant_id) where promoted;

create table webhook_secret (
  id          bigint generated always as identity primary key,
  merchant_id bigint not null references merchant,
  sealed      bytea not null,
  created_at  timestamptz not null default now(),
  retired_at  timestamptz
);
create index webhook_secret_merchant on webhook_secret (merchant_id);

-- Merchants, keys and secrets are held in memory by every process and read again when this number changes.
create table merchant_version (
  single  boolean primary key default true check (single),
  version bigint not null default 1
);
insert into merchant_version default values;

create function bump_merchant_version() returns trigger language plpgsql as $$
begin
  update merchant_version set version = version + 1;
  return null;
end $$;
create trigger merchant_bumps_version after insert or update or delete on merchant
  for each statement execute function bump_merchant_version();
create trigger merchant_key_bumps_version after insert or update or delete on merchant_key
  for each statement execute function bump_merchant_version();
create trigger webhook_secret_bumps_version after insert or update or delete on webhook_secret
  for each statement execute function bump_merchant_version();

create table request_nonce (
  merchant_id bigint not null references merchant,
  nonce       text not null,
  sign        text not null,
  created_at  timestamptz not null default now(),
  primary key (merchant_id, nonce)
);
create index request_nonce_age on request_nonce (created_at);

-- ---------------------------------------------------------------- assigned address

create table deposit_address (
  id            bigint generated always as identity primary key,
  address       text not null unique check (address ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
  -- The same address as the 20 bytes that stand in a log's topic: what blocks are joined on.
  address_bytes bytea not null unique check (octet_length(address_bytes) = 20),
  merchant_id   bigint not null references merchant,
  localusermark text not null,
  username      text not null,
  -- The user's base address, or one asked for with an orderid, for that order alone, or neither (a later import).
  is_base       boolean not null,
  orderid       text,
  counter_id    bigint references address_counter,
  index         integer check (index >= 0),
  uuid          text not null unique default replace(gen_random_uuid()::text, '-', ''),
  created_at    timestamptz not null default now(),
  unique (counter_id, index),
  check ((counter_id is null) = (index is null)),
  check (not (is_base and orderid is not null))
);
create index deposit_address_user on deposit_address (merchant_id, localusermark);
create unique index deposit_address_base on deposit_address (merchant_id, localusermark) where is_base;
create unique index deposit_address_orderid on deposit_address (merchant_id, orderid) where orderid is not null;

-- ---------------------------------------------------------------- signed order

create table recharge_order (
  id                 bigint generated always as identity primary key,
  merchant_id        bigint not null references merchant,
  orderid            text not null check (length(orderid) between 1 and 50),
  ordersn            text not null unique default 'cz-' || replace(gen_random_uuid()::text, '-', ''),
  username           text not null check (length(username) between 1 and 64),
  localusermark      text not null check (length(localusermark) between 1 and 64),
  deposit_address_id bigint not null references deposit_address,
  -- Base units, 1 USDT = 1 000 000.
  amount             bigint not null check (amount > 0),
  received           bigint not null default 0 check (received >= 0),
  -- Legacy units of 1/10000 USDT: the sum of body_amount over the order's callbacks.
  announced          bigint not null default 0 check (announced between 0 and received / 100),
  notify_url         text check (length(notify_url) between 1 and 512),
  created_at         timestamptz not null default now(),
  expires_at         timestamptz not null,
  unique (merchant_id, orderid)
) with (fillfactor = 90);
create index recharge_order_address on recharge_order (deposit_address_id, created_at, id);
create index recharge_order_page on recharge_order (merchant_id, created_at desc, id desc);

-- ---------------------------------------------------------------- block

-- The last solidified block whose transfers are recorded, and what this database is pinned to.
create table chain_cursor (
  single        boolean primary key default true check (single),
  network       text not null,
  genesis_id    text not null check (genesis_id ~ '^[0-9a-f]{64}$'),
  usdt_contract text not null,
  start_height  integer not null,
  height        integer not null check (height >= start_height),
  hash          text not null check (hash ~ '^[0-9a-f]{64}$'),
  block_time    timestamptz not null,
  updated_at    timestamptz not null default now()
);

create table chain_block (
  height            integer primary key,
  hash              text not null,
  parent_hash       text not null,
  block_time        timestamptz not null,
  transaction_count integer not null,
  transfer_count    integer not null
);

-- ---------------------------------------------------------------- transfer

create table transfer (
  id                 bigint generated always as identity primary key,
  txid               text not null check (txid ~ '^[0-9a-f]{64}$'),
  -- Position in its transaction's logs.
  log_index          integer not null check (log_index >= 0),
  deposit_address_id bigint not null references deposit_address,
  from_address       text not null,
  amount             bigint not null check (amount > 0),
  block_height       integer not null,
  block_hash         text not null,
  block_time         timestamptz not null,
  -- Position of its transaction in the block.
  tx_index           integer not null,
  created_at         timestamptz not null default now(),
  unique (txid, log_index)
);
create index transfer_address on transfer (deposit_address_id, block_height, tx_index, log_index);

create table waiting_transfer (
  transfer_id        bigint primary key references transfer,
  deposit_address_id bigint not null references deposit_address,
  reason             text not null check (reason in ('unclaimed', 'held', 'quarantined')),
  created_at         timestamptz not null default now()
);
create index waiting_transfer_address on waiting_transfer (deposit_address_id);

create table quarantine (
  id           bigint generated always as identity primary key,
  txid         text not null,
  log_index    integer not null,
  block_height integer not null,
  reason       text not null,
  -- The log as the node sent it.
  log          jsonb not null,
  created_at   timestamptz not null default now(),
  resolved_at  timestamptz,
  unique (txid, log_index)
);

-- ---------------------------------------------------------------- credit

create table credit (
  id          bigint generated always as identity primary key,
  transfer_id bigint not null unique references transfer,
  order_id    bigint not null references recharge_order,
  amount      bigint not null check (amount > 0),
  -- The order's received right after this credit.
  received    bigint not null check (received >= amount),
  late        boolean not null,
  created_at  timestamptz not null default now()
);
create index credit_order on credit (order_id);

-- ---------------------------------------------------------------- callback

-- Where callbacks queue: one lane per merchant and origin.
create table callback_lane (
  id          bigint generated always as identity primary key,
  merchant_id bigint not null references merchant,
  origin      text not null,
  cap         integer not null default 8 check (cap > 0),
  served_at   timestamptz not null default '-infinity',
  unique (merchant_id, origin)
);

create table callback (
  id              bigint generated always as identity primary key,
  key             text not null unique check (key ~ '^cb_[0-9a-f]{32}$'),
  merchant_id     bigint not null references merchant,
  order_id        bigint not null references recharge_order,
  credit_id       bigint not null unique references credit,
  -- What it announces, in 1/10000 USDT.
  body_amount     bigint not null check (body_amount > 0),
  -- The order's received and state right after the credit that caused it: every attempt says the same.
  received        bigint not null,
  order_state     text not null check (order_state in ('underpaid', 'paid', 'overpaid')),
  late            boolean not null,
  lane_id         bigint not null references callback_lane,
  state           text not null default 'due'
                  check (state in ('due', 'in_flight', 'held', 'delivered', 'exhausted')),
  -- Attempts made in all; the schedule's step begins again at a resend.
  attempts        integer not null default 0,
  schedule_step   integer not null default 0,
  due_at          timestamptz not null default now(),
  lease_epoch     integer not null default 0,
  leased_until    timestamptz,
  last_status     integer,
  delivered_at    timestamptz,
  created_at      timestamptz not null default now(),
  check ((state = 'in_flight') = (leased_until is not null)),
  check (state <> 'delivered' or delivered_at is not null)
) with (fillfactor = 80);
create index callback_due on callback (lane_id, due_at, id) where state = 'due';
create index callback_in_flight on callback (lane_id, leased_until) where state = 'in_flight';
create index callback_held on callback (merchant_id) where state = 'held';
create index callback_order on callback (order_id);

create table callback_attempt (
  callback_id bigint not null,
  attempt     integer not null,
  started_at  timestamptz not null,
  duration_ms integer not null,
  url         text not null,
  -- acknowledged, or what was wrong: refused (a status or a body that does not acknowledge), or the kind of error.
  outcome     text not null,
  status      integer,
  -- The first 2 KiB of the answer, as text.
  answer      text,
  primary key (callback_id, attempt, started_at)
) partition by range (started_at);
create table callback_attempt_default partition of callback_attempt default;

-- Makes the partitions of the month given and of the two after it, where they are missing.
create function make_month_partitions(parent text, at timestamptz) returns void language plpgsql as $$
declare
  first date := date_trunc('month', at at time zone 'UTC')::date;
  month date;
begin
  for i in 0..2 loop
    month := (first + make_interval(months => i))::date;
    execute format(
      'create table if not exists %I partition of %I for values from (%L) to (%L)',
      parent || '_' || to_char(month, 'YYYY_MM'), parent,
      month::timestamp at time zone 'UTC', (month + interval '1 month')::timestamp at time zone 'UTC');
  end loop;
end $$;

-- ---------------------------------------------------------------- what was done by hand

create table audit_event (
  id         bigint generated always as identity primary key,
  actor      text not null,
  action     text not null,
  subject    text not null,
  detail     jsonb not null default '{}',
  created_at timestamptz not null default now()
);

-- ---------------------------------------------------------------- append-only where money is

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end $$;
create trigger transfer_append_only before update or delete on transfer
  for each row execute function refuse_change();
create trigger transfer_no_truncate before truncate on transfer
  for each statement execute function refuse_change();
create trigger credit_append_only before update or delete on credit
  for each row execute function refuse_change();
create trigger credit_no_truncate before truncate on credit
  for each statement execute function refuse_change();
create trigger audit_event_append_only before update or delete on audit_event
  for each row execute function refuse_change();
create trigger audit_event_no_truncate before truncate on audit_event
  for each statement execute function refuse_change();
