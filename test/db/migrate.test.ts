import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { CallbackId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { makePartitions } from '../../src/db/partitions.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedAttempt } from '../support/seed-callback.ts'

const log = createLog('silent', 'test')
/** Attempts name a callback without a foreign key. */
const callbackId = 1n as CallbackId

test('migrating twice applies nothing the second time, and several at once do not disturb each other', async () => {
  const { pool } = await cloneDatabase()
  const again = await Promise.all([migrate(pool, log), migrate(pool, log), migrate(pool, log)])
  assert.deepEqual(again, [[], [], []])
})

test('a migration edited after it was applied is refused', async () => {
  const { pool } = await cloneDatabase()
  await pool.query(`update _prisma_migrations set checksum = 'edited' where migration_name = '0001_gateway'`)
  await assert.rejects(migrate(pool, log), /0001_gateway was applied with other contents/)
})

test('schema.prisma has every table and column of the database, of the same type and nullability', async () => {
  const { pool } = await cloneDatabase()
  const { rows } = await pool.query(
    `select table_name, column_name, udt_name, is_nullable
       from information_schema.columns
       join information_schema.tables using (table_schema, table_name)
      where table_schema = 'public' and table_type = 'BASE TABLE'
        and table_name not like '\\_prisma%' and table_name not similar to '(callback_attempt|api_request)_%'`,
  )
  const database = rows.map(
    r => `${r.table_name}.${r.column_name} ${r.udt_name} ${r.is_nullable === 'YES' ? 'null' : ''}`,
  )
  const schema = await readFile(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8')
  const prisma = [...schema.matchAll(/^model \w+ \{\n(.*?)^\}/gms)].flatMap(([, body]) =>
    scalarColumns(body!),
  )
  assert.deepEqual(prisma.sort(), database.sort())
})

test('schema.prisma says of each model what a row is and where it is written', async () => {
  const schema = await readFile(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8')
  const described = [...schema.matchAll(/^\/\/\/ .+ Written by .+\.\nmodel (\w+) \{$/gm)].map(
    ([, name]) => name,
  )
  assert.deepEqual(
    described,
    [...schema.matchAll(/^model (\w+)/gm)].map(([, name]) => name),
  )
})

test('a month that has rows in the default partition stays there, and the others get theirs', async () => {
  const { pool } = await cloneDatabase()
  await seedAttempt(pool, { callbackId, startedAt: new Date('2031-02-10') })
  await makePartitions(pool, new Date('2031-01-05T00:00:00Z'))
  const { rows } = await pool.query(
    `select inhrelid::regclass::text as name from pg_inherits
      where inhparent = 'callback_attempt'::regclass and inhrelid::regclass::text like '%2031%' order by 1`,
  )
  assert.deepEqual(
    rows.map(row => row.name),
    ['callback_attempt_2031_01', 'callback_attempt_2031_03'],
  )
})

test('months get their partitions once, and what no partition fits goes to the default one', async () => {
  const { pool } = await cloneDatabase()
  const at = new Date('2026-11-23T00:00:00Z')
  await makePartitions(pool, at)
  await makePartitions(pool, at)
  const { rows } = await pool.query(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'callback_attempt'::regclass order by 1`,
  )
  assert.deepEqual(
    rows.map(row => row.name),
    [
      'callback_attempt_2026_11',
      'callback_attempt_2026_12',
      'callback_attempt_2027_01',
      'callback_attempt_default',
    ],
  )
  await seedAttempt(pool, { callbackId, attempt: 1, startedAt: new Date('2026-12-31T23:59:59Z') })
  await seedAttempt(pool, { callbackId, attempt: 2, startedAt: new Date('2031-01-01T00:00:00Z') })
  const { rows: placed } = await pool.query(
    `select tableoid::regclass::text as name from callback_attempt order by attempt`,
  )
  assert.deepEqual(
    placed.map(row => row.name),
    ['callback_attempt_2026_12', 'callback_attempt_default'],
  )
})

test('transfers, credits and audit events cannot be changed or deleted', async () => {
  const { pool } = await cloneDatabase()
  await pool.query(`insert into audit_event (actor, action, subject) values ('test', 'test', 'test')`)
  for (const sql of [
    'update audit_event set actor = null',
    'delete from audit_event',
    'truncate audit_event',
  ]) {
    await assert.rejects(pool.query(sql), /append-only/, sql)
  }
  for (const table of ['transfer', 'credit']) {
    await assert.rejects(pool.query(`truncate ${table} cascade`), /append-only/, table)
  }
})

function scalarColumns(model: string): string[] {
  const types: Record<string, string> = {
    BigInt: 'int8',
    Int: 'int4',
    String: 'text',
    Bytes: 'bytea',
    Boolean: 'bool',
    Json: 'jsonb',
    DateTime: 'timestamptz',
    'String[]': '_text',
    'BigInt[]': '_int8',
  }
  const table = /@@map\("(\w+)"\)/.exec(model)![1]
  const fields = [...model.matchAll(/^ {2}(\w+) +(\w+(?:\[\])?)(\?)?(?: |$)(?!.*@relation)(.*)$/gm)].filter(
    ([, , type]) => types[type!],
  )
  return fields.map(([, name, type, optional, rest]) => {
    const column = /@map\("(\w+)"\)/.exec(rest!)?.[1] ?? name
    const udt = /@db\.Date\b/.test(rest!) ? 'date' : types[type!]
    return `${table}.${column} ${udt} ${optional ? 'null' : ''}`
  })
}
