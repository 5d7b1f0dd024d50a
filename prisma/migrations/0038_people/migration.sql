-- People: who may use the console, and what for. New tables only: rewrites and locks nothing. Old code can run beside it.

create table console_user (
  id             bigint generated always as identity primary key,
  -- In lower case.
  email          text not null unique check (email = lower(email) and length(email) between 3 and 254),
  name           text not null default '' check (length(name) <= 100),
  -- An admin of the gateway, who sees every merchant.
  admin          boolean not null default false,
  -- scrypt, as a PHC string. Null: the invitation was not taken up.
  password       text,
  -- The secret of one-time codes, sealed under the master key. It counts from `totp_since` on.
  totp_sealed    bytea,
  totp_since     timestamptz,
  -- The last time step of which a code was used, so that none is used twice.
  totp_step      bigint not null default 0,
  locale         text check (locale in ('en', 'zh')),
  disabled_at    timestamptz,
  created_at     timestamptz not null default now(),
  check (totp_since is null or totp_sealed is not null)
);

create table membership (
  user_id     bigint not null references console_user,
  merchant_id bigint not null references merchant,
  role        text not null check (role in ('owner', 'developer', 'finance', 'support')),
  created_at  timestamptz not null default now(),
  primary key (user_id, merchant_id)
);
create index membership_merchant on membership (merchant_id);

-- A link that lets its holder choose a password, once. A user has one that counts: a new one ends the others.
create table invitation (
  token_hash bytea primary key check (length(token_hash) = 32),
  user_id    bigint not null references console_user,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index invitation_user on invitation (user_id);

create table recovery_code (
  user_id   bigint not null references console_user,
  code_hash bytea not null check (length(code_hash) = 32),
  used_at   timestamptz,
  primary key (user_id, code_hash)
);

create table passkey (
  credential_id bytea primary key check (length(credential_id) between 1 and 1023),
  user_id       bigint not null references console_user,
  public_key    bytea not null,
  counter       bigint not null default 0,
  transports    text[] not null default '{}',
  name          text not null check (length(name) between 1 and 100),
  created_at    timestamptz not null default now(),
  last_used_at  timestamptz
);
create index passkey_user on passkey (user_id);

create table console_session (
  -- SHA-256 of the session's id: who reads this table cannot use it.
  id_hash          bytea primary key check (length(id_hash) = 32),
  user_id          bigint not null references console_user,
  -- When the last thing was given that signing in asks for. Null: the second factor is still missing.
  signed_in_at     timestamptz,
  -- When the second factor was last given.
  second_factor_at timestamptz,
  -- What a passkey must sign next.
  challenge        text check (length(challenge) <= 200),
  address          text not null,
  user_agent       text not null check (length(user_agent) <= 300),
  created_at       timestamptz not null default now(),
  last_seen_at     timestamptz not null default now(),
  -- Signed out, or ended by its person or an admin. It is kept for a while: its address is known.
  ended_at         timestamptz
);
create index console_session_user on console_session (user_id);
create index console_session_seen on console_session (last_seen_at);

-- Failed sign-ins, counted by what they tried: an address, an account, or both.
create table sign_in_failure (
  key      text primary key check (length(key) <= 400),
  failures integer not null,
  -- Then they are forgotten.
  until    timestamptz not null
);
create index sign_in_failure_until on sign_in_failure (until);

create view report.people as
select u.id as user_id, u.email, u.name, u.admin, m.appid, s.role, u.totp_since is not null as one_time_codes,
       (select count(*) from passkey p where p.user_id = u.id) as passkeys, u.disabled_at, u.created_at
  from console_user u
  left join membership s on s.user_id = u.id
  left join merchant m on m.id = s.merchant_id;
comment on view report.people is 'Who may use the console: a line for each merchant that a person is a member of, one for who is of none.';
comment on column report.people.user_id is 'The person''s id.';
comment on column report.people.email is 'The mail address that the person signs in with, in lower case.';
comment on column report.people.name is 'The person''s name; empty until the invitation is taken up.';
comment on column report.people.admin is 'An admin of the gateway, who sees every merchant.';
comment on column report.people.appid is 'The merchant that the person is a member of.';
comment on column report.people.role is 'owner, developer, finance or support.';
comment on column report.people.one_time_codes is 'One-time codes are set up.';
comment on column report.people.passkeys is 'How many passkeys are set up.';
comment on column report.people.disabled_at is 'Since when the person may not sign in.';
comment on column report.people.created_at is 'When the person was invited.';
