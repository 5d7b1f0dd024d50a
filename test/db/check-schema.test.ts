import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { checkSchema } from '../../src/db/check-schema.ts'
import { migrationNames } from '../../src/db/migrate.ts'
import { olderMayRun } from '../../src/db/migration-rule.ts'
import { lastingRefusal } from '../../src/db/outage.ts'
import { createPool, rows } from '../../src/db/pool.ts'
import { startGateway } from '../../src/start-gateway.ts'
import { cloneDatabase } from '../support/database.ts'
import { recordLog } from '../support/recorded-log.ts'
import { waitUntil } from '../support/wait-until.ts'

const fileOf = (name: string) => new URL(`../../prisma/migrations/${name}/migration.sql`, import.meta.url)

test('each migration says in its comment whether older programs may run beside it', async () => {
  const rules = (await migrationNames()).map(name => [name, olderMayRun(readFileSync(fileOf(name), 'utf8'))])
  assert.deepEqual(
    rules.filter(([, rule]) => rule === null),
    [],
  )
  assert.deepEqual(
    rules.filter(([, rule]) => rule === false).map(([name]) => name),
    ['0001_gateway', '0004_outbox', '0034_deposits', '0040_money_marks'],
  )
})

test('what a comment says is read in each of its forms', () => {
  assert.equal(olderMayRun('-- A.\n-- Old code can run beside it.\ncreate'), true)
  assert.equal(olderMayRun('-- A. Old code can run\n-- beside it: it does not read it.\n'), true)
  assert.equal(olderMayRun('-- Code from before cannot run beside it.\n'), false)
  assert.equal(olderMayRun('-- A.\ncreate table a (); -- Old code can run beside it.\n'), null)
})

test('the database knows the rule of every migration', async () => {
  const { pool } = await cloneDatabase()
  const known = await rows<{ name: string }>(
    pool,
    'select migration_name as name from migration_rule order by 1',
  )
  assert.deepEqual(
    known.map(({ name }) => name),
    await migrationNames(),
  )
})

test('a program starts beside a newer migration that allows it, and refuses one that does not', async () => {
  const { pool } = await cloneDatabase()
  await checkSchema(pool)
  const add = async (name: string, olderMayRun: boolean) => {
    await pool.query(
      `insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       values ($1, 'x', $1, now(), 1)`,
      [name],
    )
    await pool.query('insert into migration_rule values ($1, $2)', [name, olderMayRun])
  }
  await add('9998_harmless', true)
  await checkSchema(pool)
  await add('9999_other', false)
  await assert.rejects(
    checkSchema(pool),
    /migrated by a newer version: no older program may run beside 9999_other/,
  )
})

test('a program does not start on a database that lacks one of its migrations', async () => {
  const { pool } = await cloneDatabase()
  await pool.query(`delete from _prisma_migrations where migration_name = '0028_parked'`)
  await assert.rejects(checkSchema(pool), /lacks the migration 0028_parked: run `gateway migrate` first/)
})

for (const [what, change, says] of [
  ['a database that is not there', { pathname: '/nowhere' }, /database "nowhere" does not exist/],
  ['a role that is not there', { username: 'nobody' }, /DATABASE_URL: .*"nobody"/],
] as const) {
  test(`${what} ends the start with a sentence, when it stays so for a while`, async () => {
    const { url } = await cloneDatabase()
    const changed = new URL(url)
    Object.assign(changed, change)
    const settings = { DATABASE_URL: changed.href, TRON_NETWORK: 'sandbox', TRON_NODES: 'http://127.0.0.1:1' }
    const config = readConfig(settings, 'watcher')
    const { log, lines } = recordLog()
    await assert.rejects(
      startGateway({ config, processes: ['watcher'], log, refusalMaxMs: 1_500 }),
      error => {
        // Not a UsageError, with which the process ends with 2 and a supervisor does not start it again.
        assert.equal((error as Error).name, 'Error')
        assert.match((error as Error).message, says)
        return true
      },
    )
    const refusals = lines('database.unreachable').map(({ refusal }) => refusal)
    assert(refusals.length >= 2)
    for (const refusal of refusals) assert.match(refusal as string, says)
  })
}

test('a database that refuses a role at first, and lets it in soon after, is waited for', async () => {
  const { url, pool } = await cloneDatabase()
  const role = `late_${randomBytes(6).toString('hex')}`
  await pool.query(`create role ${role} login password 'secret'`)
  const changed = Object.assign(new URL(url), { username: role, password: 'secret' })
  const settings = { DATABASE_URL: changed.href, TRON_NETWORK: 'sandbox', TRON_NODES: 'http://127.0.0.1:1' }
  const { log, lines } = recordLog()
  const config = readConfig(settings, 'watcher')
  const starting = startGateway({ config, processes: ['watcher'], log })
  starting.catch(() => undefined) // Looked at below.
  await waitUntil('it is refused', () => lines('database.unreachable').some(({ refusal }) => refusal))
  await pool.query(
    `grant usage on schema public to ${role}; grant all on all tables in schema public to ${role}`,
  )
  const gateway = (await starting)!
  await gateway.stop()
  assert.match(lines('database.unreachable')[0]!.refusal as string, /permission denied/)
  await pool.query(`drop owned by ${role}; drop role ${role}`)
})

test('a wrong password, a missing role or database do not pass; a database that starts or is full does', async () => {
  for (const code of ['3D000', '28P01', '28000', '42501']) {
    assert.match(lastingRefusal({ code, message: 'no' })!, /^DATABASE_URL: no: /)
  }
  for (const code of ['57P03', '53300', 'ECONNREFUSED', undefined]) {
    assert.equal(lastingRefusal({ code, message: 'no' }), null)
  }
  const { url } = await cloneDatabase()
  const missing = new URL(url)
  missing.pathname = '/nowhere'
  const pool = createPool(missing.href)
  after(() => pool.end())
  const error = await pool.query('select 1').catch((error: unknown) => error)
  assert.match(lastingRefusal(error)!, /nowhere/)
})
