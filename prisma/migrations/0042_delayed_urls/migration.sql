-- Default callback URLs that take effect later, and notices of what people change. New tables only: locks nothing. Old code
-- can run beside it: it reads a URL that has taken effect as soon as a newer process has written it into `merchant`.

-- A default URL that takes effect at a time, unless its merchant cancels it. At most one of a merchant waits.
create table callback_url_change (
  id           bigint generated always as identity primary key,
  merchant_id  bigint not null references merchant,
  -- Null: none any more.
  url          text check (length(url) between 1 and 512),
  asked_by     text not null,
  asked_at     timestamptz not null default now(),
  effective_at timestamptz not null,
  -- replaced: by a later change, whether that waits or not.
  outcome      text check (outcome in ('applied', 'cancelled', 'replaced')),
  ended_at     timestamptz,
  ended_by     text,
  check ((outcome is null) = (ended_at is null) and (outcome is null) = (ended_by is null))
);
create unique index callback_url_change_waiting on callback_url_change (merchant_id) where outcome is null;

-- One message about one thing that somebody changed: to ALARM_WEBHOOK_URL, or to one mail address.
create table notice (
  id           bigint generated always as identity primary key,
  kind         text not null check (kind ~ '^[a-z_]{1,40}$'),
  merchant_id  bigint references merchant,
  channel      text not null check (channel in ('webhook', 'mail')),
  -- Of a mail. Nothing that a header or an SMTP command could take for its end.
  recipient    text check (length(recipient) <= 254 and recipient ~ '^[^[:space:][:cntrl:]<>,;:"()\\@]+@[^[:space:][:cntrl:]<>,;:"()\\@]+$'),
  text         text not null check (length(text) between 1 and 5000),
  created_at   timestamptz not null default now(),
  -- When it is sent, and until when a process is sending it. No time: it was sent, or it is given up.
  due_at       timestamptz default now(),
  leased_until timestamptz,
  failures     integer not null default 0,
  sent_at      timestamptz,
  check ((channel = 'mail') = (recipient is not null)),
  check (sent_at is null or due_at is null)
);
create index notice_due on notice (due_at) where due_at is not null;
