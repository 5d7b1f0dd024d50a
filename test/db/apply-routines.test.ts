import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createLog } from '../../src/base/log.ts'
import { leaseCallbacks, renewLeases } from '../../src/callbacks/leasing/lease-store.ts'
import { migrate } from '../../src/db/migrate.ts'
import type { Pool } from '../../src/db/pool.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedCallbacks } from '../support/seed-callback.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

const log = createLog('silent', 'test')
const shipped = new URL('../../prisma/', import.meta.url)
const names = (await readdir(new URL('routines/', shipped))).map(file => file.replace(/\.sql$/, '')).sort()

test('each routine of the database is what its file makes, and an edit of either is seen', async () => {
  const { pool } = await cloneDatabase()
  const migrated = await definitions(pool)
  assert.deepEqual([...migrated.keys()], names)
  for (const name of names) {
    const sql = await readFile(new URL(`routines/${name}.sql`, shipped), 'utf8')
    await pool.query(sql)
    assert.deepEqual(await definitions(pool), migrated, name)
    const edited = edit(sql)
    assert.notEqual(edited, sql, name)
    await pool.query(edited)
    assert.notEqual((await definitions(pool)).get(name), migrated.get(name), name)
    await pool.query(sql)
  }
})

test('no view of schema public and no later migration makes a routine beside its file', async () => {
  const { pool } = await cloneDatabase()
  const { rows } = await pool.query(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v' order by 1`,
  )
  assert.deepEqual(
    rows.map(row => row.name).filter(name => !names.includes(name)),
    [],
  )
  const folders = (await readdir(new URL('migrations/', shipped))).filter(name => name > '0010')
  for (const folder of folders) {
    const sql = await readFile(new URL(`migrations/${folder}/migration.sql`, shipped), 'utf8')
    const makes = new RegExp(String.raw`create (or replace )?(function|view) (${names.join('|')})\b`, 'i')
    assert.doesNotMatch(sql, makes, folder)
  }
})

test('every routine opens with what it is, who calls it and what it locks', async () => {
  for (const name of names) {
    const sql = await readFile(new URL(`routines/${name}.sql`, shipped), 'utf8')
    const heading = /^(-- .*\n)+/.exec(sql)![0]
    assert.match(heading, /^-- [A-Z].*\.\n-- (Called|Read) by [\s\S]*^-- Locks /m, name)
    assert.match(sql, new RegExp(String.raw`^create or replace (function|view) ${name}\b`, 'm'))
  }
})

test('an edited routine is applied again, with those that use it; others are not', async () => {
  const { pool } = await cloneDatabase()
  const before = await appliedAt(pool)
  const folder = await copyOfShipped()
  assert.deepEqual(await migrate(pool, log, folder), [])
  assert.deepEqual(await appliedAt(pool), before)

  await editRoutine(folder, 'due_lane', edit)
  assert.deepEqual(await migrate(pool, log, folder), ['due_lane', 'lease_callbacks'])
  const definition = (await definitions(pool)).get('due_lane')!
  assert.match(definition, /limit 1000000/i)
  const after = await appliedAt(pool)
  const changed = names.filter(name => after.get(name)!.getTime() !== before.get(name)!.getTime())
  assert.deepEqual(changed, ['due_lane', 'lease_callbacks'])
  assert.deepEqual(await migrate(pool, log, folder), [])
})

test('a view that is dropped and made anew takes the function that returns its rows with it, and that comes back', async () => {
  const { pool } = await cloneDatabase()
  const folder = await copyOfShipped()
  await editRoutine(folder, 'callback_facts', sql =>
    sql
      .replace('create or replace view', 'drop view if exists callback_facts cascade;\ncreate view')
      .replace('c.attempts, c.key', 'c.key, c.attempts'),
  )
  const merchant = await seedMerchant(pool)
  await seedCallbacks(pool, [{ merchant }, { merchant }])
  assert.equal((await leaseCallbacks(pool, 1, 30_000)).length, 1)
  assert.deepEqual(await migrate(pool, log, folder), ['callback_facts', 'lease_callbacks'])
  assert.equal((await leaseCallbacks(pool, 1, 30_000)).length, 1)
  const { rows } = await pool.query(
    `select has_function_privilege('gateway_report', oid, 'execute') as may from pg_proc where proname = 'lease_callbacks'`,
  )
  assert.deepEqual(
    rows,
    [{ may: false }, { may: false }],
    'a function made anew is closed to the report role as well',
  )
})

test('a broken routine is named, and leaves every routine as it was', async () => {
  const { pool } = await cloneDatabase()
  const before = [await definitions(pool), await appliedAt(pool)]
  const folder = await copyOfShipped()
  await editRoutine(folder, 'due_lane', edit)
  await editRoutine(folder, 'lease_callbacks', sql => sql.replace('declare', 'declaim'))
  await assert.rejects(migrate(pool, log, folder), /routine lease_callbacks was not applied, nor any other:/)
  assert.deepEqual([await definitions(pool), await appliedAt(pool)], before)
  assert.deepEqual(await migrate(pool, log), [])
})

test('of several that migrate at once, one applies an edited routine', async () => {
  const { pool } = await cloneDatabase()
  const folder = await copyOfShipped()
  await editRoutine(folder, 'make_month_partitions', edit)
  const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(pool, log, folder)))
  assert.deepEqual(applied.flat(), ['make_month_partitions'])
})

test('code that runs meanwhile leases every callback once, on connections that have called the old routine', async () => {
  const { pool } = await cloneDatabase()
  const merchant = await seedMerchant(pool)
  const orders = Array.from({ length: 30 }, () => ({ merchant }))
  await seedCallbacks(pool, orders)
  await pool.query('update callback_lane set cap = 1000')
  const folder = await copyOfShipped()
  const leased: bigint[] = []
  let wanted = Number.POSITIVE_INFINITY
  const courier = async () => {
    while (leased.length < wanted) {
      const leases = await leaseCallbacks(pool, 1, 60_000)
      leased.push(...leases.map(lease => lease.id))
      await renewLeases(pool, leases, { leaseMs: 60_000, marginMs: 1_000 })
    }
  }
  const couriers = Promise.all([courier(), courier()])
  for (const name of ['due_lane', 'callback_facts', 'lease_callbacks']) {
    await editRoutine(folder, name, edit)
    assert((await migrate(pool, log, folder)).includes(name))
    await seedCallbacks(pool, orders)
  }
  wanted = 4 * orders.length
  await couriers
  assert.equal(leased.length, wanted)
  assert.equal(new Set(leased).size, wanted)
})

test('the image has all that gateway migrate reads', async () => {
  const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8')
  const image = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  for (const folder of ['prisma/migrations', 'prisma/routines']) {
    assert(image.includes(`\nCOPY ${folder} ${folder}\n`), folder)
  }
})

/** Changes a routine's body, and nothing that a caller sees. */
function edit(sql: string): string {
  return sql.includes('language plpgsql')
    ? sql.replace(/^begin$/m, 'begin\n  perform 1;')
    : sql.replace(/;\n$/, '\n limit 1000000;\n')
}

async function definitions(pool: Pool): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ name: string; definition: string }>(
    `select relname::text as name, pg_get_viewdef(oid) as definition
       from pg_class
      where relnamespace = 'public'::regnamespace and relname::text = any($1::text[])
      union all
     -- With those of the same name and other parameters, which programs of before call.
     select proname, string_agg(pg_get_functiondef(oid), E'\\n' order by oid::regprocedure::text)
       from pg_proc
      where pronamespace = 'public'::regnamespace and proname::text = any($1::text[])
      group by proname
      order by 1`,
    [names],
  )
  return new Map(rows.map(({ name, definition }) => [name, definition]))
}

async function appliedAt(pool: Pool): Promise<Map<string, Date>> {
  const { rows } = await pool.query(`select name, applied_at from schema_routine order by name`)
  return new Map(rows.map(row => [row.name, row.applied_at]))
}

/** A copy of prisma/ that a test may edit. */
async function copyOfShipped(): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-routines-'))
  after(() => rm(folder, { recursive: true, force: true }))
  await cp(shipped, folder, { recursive: true })
  return pathToFileURL(`${folder}/`)
}

async function editRoutine(folder: URL, name: string, change: (sql: string) => string): Promise<void> {
  const file = new URL(`routines/${name}.sql`, folder)
  await writeFile(file, change(await readFile(file, 'utf8')))
}
