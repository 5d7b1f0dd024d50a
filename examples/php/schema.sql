create table if not exists shop_user (
  id text primary key,
  name text not null,
  balance integer not null default 0 -- 1/10000 USDT
);

create table if not exists top_up (
  id text primary key, -- the gateway's orderid
  user_id text not null references shop_user,
  amount text not null, -- decimal USDT
  address text, -- null until the gateway has answered
  created_at text not null default current_timestamp
);

-- A callback that was booked. Its key is unique: a callback that comes again is not booked again.
create table if not exists booking (
  callback_key text primary key,
  top_up_id text not null references top_up,
  amount integer not null check (amount > 0), -- 1/10000 USDT
  booked_at text not null default current_timestamp
);

create index if not exists booking_of_top_up on booking (top_up_id);

insert into shop_user (id, name) values ('42', 'alice') on conflict do nothing;
