import { run, type Tx } from './pool.ts'

/**
 * Makes the role `gateway_report` and its rights again where they are missing: roles belong to the cluster, so a dump that is
 * restored elsewhere brings none, and without its ACLs (`--no-acl`) no rights either. Changes nothing where all is there.
 * Where the gateway's role may not, Postgres raises a warning.
 */
export async function grantReports(tx: Tx): Promise<void> {
  await run(tx, grants)
}

const grants = `
do $$
declare
  routine regprocedure;
begin
  if to_regnamespace('report') is null then return; end if;
  if to_regrole('gateway_report') is null then
    begin
      create role gateway_report nologin;
    exception
      when duplicate_object or unique_violation then null; -- Made by another database's migration at this moment.
    end;
  end if;
  if has_schema_privilege('gateway_report', 'report', 'usage')
     and not exists (select from pg_class
                      where relnamespace = 'report'::regnamespace and relkind in ('v', 'm')
                        and not has_table_privilege('gateway_report', oid, 'select')) then
    return;
  end if;
  grant usage on schema report to gateway_report;
  grant select on all tables in schema report to gateway_report;
  alter default privileges in schema report grant select on tables to gateway_report;
  -- What migrations take from everybody: functions, and in Postgres 14 the right to create in the schema public.
  alter default privileges revoke execute on functions from public;
  for routine in
    select oid::regprocedure from pg_proc
     where pronamespace in ('public'::regnamespace, 'report'::regnamespace) and pg_has_role(proowner, 'usage')
       and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = pg_proc.oid and d.deptype = 'e')
  loop
    execute format('revoke execute on routine %s from public', routine);
  end loop;
  if has_schema_privilege('gateway_report', 'public', 'create') then
    execute format('grant create on schema public to %I', current_user);
    revoke create on schema public from public;
  end if;
exception
  when insufficient_privilege then
    raise warning 'the role gateway_report is not there, or lacks rights, and this role may not help: docs/admin.md says what to run';
end $$`
