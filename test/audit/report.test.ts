import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import pg from 'pg'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool } from '../../src/db/pool.ts'
import { cloneDatabase } from '../support/database.ts'
import { asReportRole } from './as-report-role.ts'
import { auditedDatabase } from './audited-database.ts'

const { pool } = await auditedDatabase()
const asAdmin = (sql: string) => asReportRole(pool, sql)

const { rows: views } = await pool.query<{ name: string; comment: string | null }>(
  `select c.relname as name, obj_description(c.oid) as comment
     from pg_class c
    where c.relnamespace = 'report'::regnamespace
    order by c.oid`,
)

test('the role reads every view of the schema, each of which says what it holds', async () => {
  assert.ok(views.length > 15)
  for (const { name, comment } of views) {
    assert.match(comment ?? '', /^[A-Z].*\.$/, name)
    await asAdmin(`select * from report.${name}`)
  }
  const rows = await asAdmin(
    'select appid, amount_usdt, amount_units from report.transfers order by transfer_id limit 1',
  )
  assert.deepEqual(rows, [{ appid: 'VunTq7Zk2Lm9h1l8', amount_usdt: '1.000050', amount_units: 1_000_050n }])
})

test('every column of the schema says what it holds', async () => {
  const { rows } = await pool.query<{ name: string; comment: string | null }>(
    `select c.relname || '.' || a.attname as name, col_description(c.oid, a.attnum) as comment
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'report'::regnamespace
      order by c.oid, a.attnum`,
  )
  assert.ok(rows.length > 240)
  assert.deepEqual(
    rows.filter(({ comment }) => !/^\S.*\.$/.test(comment ?? '')),
    [],
  )
})

test('docs/admin.md lists the views with the comments the database has', async () => {
  const text = await readFile(new URL('../../docs/admin.md', import.meta.url), 'utf8')
  const listed = [...text.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name, comment]) => ({
    name,
    comment,
  }))
  assert.deepEqual(listed, views)
})

test('it reads nothing else: no table, no sequence, no secret', async () => {
  const { rows } = await pool.query<{ name: string }>(
    `select c.oid::regclass::text as name
       from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
      where n.nspname not in ('pg_catalog', 'information_schema', 'report', 'pg_toast')
        and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      order by c.oid`,
  )
  assert.ok(
    rows.some(({ name }) => name === 'merchant_key') && rows.some(({ name }) => name.startsWith('bullmq.')),
  )
  for (const { name } of rows)
    await assert.rejects(asAdmin(`select * from ${name}`), /permission denied/, name)
  const { rows: columns } = await pool.query(
    `select table_name, column_name
       from information_schema.columns
      where table_schema = 'report' and (column_name ~ 'seal|secret|xpub|chain_code|public_key|^nonce$|^sign$' or data_type = 'bytea')`,
  )
  assert.deepEqual(columns, [])
})

test('it writes nothing, not through a view either, makes nothing and calls no function of ours', async () => {
  for (const sql of [
    `insert into report.merchants (appid) values ('x')`,
    `update report.merchants set name = 'x'`,
    `delete from report.discrepancies`,
    `insert into credit (transfer_id) values (1)`,
    `truncate credit`,
    `create table public.mine ()`,
    `create table report.mine ()`,
    `create schema mine`,
    `select public.make_month_partitions('callback_attempt', now())`,
    `select nextval('public.callback_epoch')`,
  ]) {
    await assert.rejects(asAdmin(sql), /permission denied|cannot (insert into|update|delete from) view/, sql)
  }
  const { rows } = await pool.query(
    `select p.oid::regprocedure::text as name
       from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'report'::regnamespace)
        and has_function_privilege('gateway_report', p.oid, 'execute')`,
  )
  assert.deepEqual(rows, [], 'functions are open to everybody unless they are closed')
})

test('it cannot log in, has no rights beyond these views, and is nobody else', async () => {
  const { rows } = await pool.query(
    `select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
            (select count(*) from pg_auth_members m where m.member = r.oid) as memberships
       from pg_roles r
      where rolname = 'gateway_report'`,
  )
  const none = { rolcanlogin: false, rolsuper: false, rolcreaterole: false, rolcreatedb: false }
  assert.deepEqual(rows, [{ ...none, rolreplication: false, rolbypassrls: false, memberships: 0n }])
})

test('a later view of the schema is readable without another grant', async () => {
  const later = await cloneDatabase()
  await later.pool.query('create view report.later as select 1 as one')
  const { rows } = await later.pool.query(
    `select has_table_privilege('gateway_report', 'report.later', 'select') as may`,
  )
  assert.deepEqual(rows, [{ may: true }])
})

test('whoever may not create roles can migrate all the same, and is told what is missing', async () => {
  const { pool: server, url } = await cloneDatabase()
  const name = `owner_${process.pid}`
  await server.query(`create role ${name} login password 'x' createdb`)
  const asOwner = url.replace(/\/\/[^@]*@/, `//${name}:x@`)
  const client = new pg.Client({ connectionString: asOwner })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const owned = createPool(asOwner.replace(/\/\w+$/, `/${name}`))
  try {
    // The role is the cluster's: it is there already, made by the template's migration.
    await migrate(owned, createLog('silent', 'test'))
    const { rows } = await owned.query(
      `select has_table_privilege('gateway_report', 'report.orders', 'select') as may`,
    )
    assert.deepEqual(rows, [{ may: true }])
    const notices: string[] = []
    const other = await owned.connect()
    other.on('notice', notice => notices.push(`${notice.severity} ${notice.message}`))
    // As on a cluster without the role: the same block, of another name.
    const sql = await readFile(
      new URL('../../prisma/migrations/0005_report/migration.sql', import.meta.url),
      'utf8',
    )
    const block = /do \$\$\nbegin\n {2}if to_regrole.*?\nend \$\$;/s.exec(sql)![0]
    await other.query(block.replaceAll('gateway_report', `missing_${process.pid}`))
    other.release(true)
    assert.match(
      notices.join('\n'),
      /^WARNING role missing_\d+ is not there and this role may not create it: docs\/admin\.md/,
    )
  } finally {
    await owned.end()
    await server.query(`drop database ${name} with (force)`)
    await server.query(`drop role ${name}`)
  }
})
