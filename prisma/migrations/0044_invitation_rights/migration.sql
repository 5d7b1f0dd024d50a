-- An invitation says what it gives: rights are a person's once the link is taken up. Three columns without a default to write, on a small
-- table: locks it for a moment, rewrites nothing. Old code can run beside it: it knows links that set a password, as these without rights are.

alter table invitation
  -- Makes its person an admin of the gateway.
  add column admin boolean not null default false,
  -- Makes its person a member of this merchant, with this role.
  add column merchant_id bigint references merchant,
  add column role text check (role in ('owner', 'developer', 'finance', 'support')),
  add constraint invitation_rights check ((merchant_id is null) = (role is null) and not (admin and role is not null));
create index invitation_merchant on invitation (merchant_id);
