-- Makes the role `gateway_app`, as which the gateway works, and hands over to it what another role has made.
-- A superuser runs it in the gateway's database: before the first `gateway migrate`, or later, and again at any time.
-- Locks every table it hands over until it commits, some milliseconds, so stop the gateway's processes first. Afterwards code
-- runs as the old role, if that is a superuser, as well as the new one.
begin;
-- Behind a backup it gives up and changes nothing. Waiting would hold up everybody who comes after.
set local lock_timeout = '2s';

do $$
begin
  if to_regrole('gateway_app') is null then create role gateway_app; end if;
  -- Roles that read the schema report are members of this one. The gateway itself may not make roles.
  if to_regrole('gateway_report') is null then create role gateway_report nologin; end if;
end $$;
alter role gateway_app login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;

do $$
declare
  object record;
begin
  -- Its migrations make schemas. The database itself stays the superuser's.
  execute format('grant connect, temporary, create on database %I to gateway_app', current_database());
  alter schema public owner to gateway_app;
  -- Before Postgres 15 everybody may create tables there.
  revoke create on schema public from public;
  for object in
    select format('schema %I', nspname) as name
      from pg_namespace
     where nspname in ('report', 'bullmq') and nspowner <> 'gateway_app'::regrole
     union all
    select format('%s %s',
                  case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                                 else 'table' end,
                  c.oid::regclass)
      from pg_class c
     where c.relnamespace in (select oid from pg_namespace where nspname in ('public', 'report', 'bullmq'))
       and c.relkind in ('r', 'p', 'v', 'm', 'S') and c.relowner <> 'gateway_app'::regrole
       -- A column's sequence goes with its table. What belongs to an extension stays the superuser's.
       and not exists (select from pg_depend d
                        where d.classid = 'pg_class'::regclass and d.objid = c.oid
                          and (d.deptype = 'e' or (c.relkind = 'S' and d.deptype in ('a', 'i'))))
     union all
    select format('routine %s', p.oid::regprocedure)
      from pg_proc p
     where p.pronamespace in (select oid from pg_namespace where nspname in ('public', 'report', 'bullmq'))
       and p.proowner <> 'gateway_app'::regrole
       and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
     union all
    select format('type %s', t.oid::regtype)
      from pg_type t
     where t.typnamespace in (select oid from pg_namespace where nspname in ('public', 'report', 'bullmq'))
       and t.typtype in ('d', 'e') and t.typowner <> 'gateway_app'::regrole
       and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
  loop
    execute format('alter %s owner to gateway_app', object.name);
  end loop;
end $$;

-- What the migrations set for the role that ran them, for objects of later migrations.
alter default privileges for role gateway_app revoke execute on functions from public;
do $$
begin
  if to_regnamespace('report') is null then return; end if;
  grant usage on schema report to gateway_report;
  grant select on all tables in schema report to gateway_report;
  alter default privileges for role gateway_app in schema report grant select on tables to gateway_report;
end $$;
commit;
