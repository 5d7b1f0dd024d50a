import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import type { Pool } from '../../src/db/pool.ts'
import { addAddress, addOrder, creditedChain } from '../credits/credited-chain.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = createLog('silent', 'test')
const name = '9999_built'
const build = 'create index concurrently if not exists built on recharge_order (username);'

test('an index is built beside traffic: a transaction that is older holds up the build, and orders and credits go on', async () => {
  const { pool, block, credit } = await creditedChain()
  const folder = await folderWith(`-- Outside a transaction: a test's index.\n${build}`)
  const to = await addAddress(pool, 'u1')
  const older = await pool.connect()
  await older.query(`begin isolation level repeatable read; select from recharge_order`)
  const migrating = migrate(pool, log, folder)
  const second = migrate(pool, log, folder)
  await waitUntil('the build waits', async () => (await waitsForOlder(pool)) === 1)
  await addOrder(pool, 'u1', 'o-1', 5, 1)
  assert.equal((await credit([block(3, [[{ toBytes: to, units: 5n }]])]))?.credits, 1)
  await older.query('commit')
  older.release()
  assert.deepEqual([await migrating, await second].flat(), [name])
  assert.deepEqual(await indexes(pool), [true])
  assert.deepEqual(await migrate(pool, log, folder), [])
})

test('an index whose build was interrupted is built again, and one that is there is left alone', async () => {
  const { pool } = await creditedChain()
  const other = 'create index concurrently if not exists recharge_order_address on recharge_order (username);'
  const folder = await folderWith(`-- Outside a transaction.\n-- Two; of them.\n${other}\n\n${build}\n`)
  await pool.query(build)
  await pool.query(`update pg_index set indisvalid = false where indexrelid = 'built'::regclass`)
  const before = await oidOf(pool, 'recharge_order_address')
  assert.deepEqual(await migrate(pool, log, folder), [name])
  assert.deepEqual(await indexes(pool), [true])
  assert.equal(await oidOf(pool, 'recharge_order_address'), before)
})

test('a build that fails is not recorded, and is tried again the next time', async () => {
  const { pool } = await creditedChain()
  const failing = 'create index concurrently if not exists built on merchant ((1 / (id - id)));'
  const folder = await folderWith(`-- Outside a transaction.\n${failing}`)
  await assert.rejects(migrate(pool, log, folder), /division by zero/)
  assert.deepEqual(await indexes(pool), [false])
  await writeFile(new URL(`migrations/${name}/migration.sql`, folder), `-- Outside a transaction.\n${build}`)
  assert.deepEqual(await migrate(pool, log, folder), [name])
  assert.deepEqual(await indexes(pool), [true])
})

test('nothing else may be done outside a transaction', async () => {
  const { pool } = await creditedChain()
  const folder = await folderWith(`-- Outside a transaction.\n${build}\ndrop table credit;`)
  await assert.rejects(migrate(pool, log, folder), /only indexes are built.*drop table credit/)
  assert.deepEqual(await indexes(pool), [])
})

/** The shipped migrations and one more. */
async function folderWith(sql: string): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-prisma-'))
  after(() => rm(folder, { recursive: true, force: true }))
  await cp(new URL('../../prisma/', import.meta.url), folder, { recursive: true })
  await mkdir(join(folder, 'migrations', name))
  await writeFile(join(folder, 'migrations', name, 'migration.sql'), sql)
  return pathToFileURL(`${folder}/`)
}

async function waitsForOlder(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    `select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and query = $1 and wait_event = 'virtualxid'`,
    [build.slice(0, -1)],
  )
  return rows[0].waiting
}

/** Whether the test's index is valid; empty: it is not there. */
async function indexes(pool: Pool): Promise<boolean[]> {
  const { rows } = await pool.query(
    `select indisvalid as valid from pg_index where indexrelid = to_regclass('built')`,
  )
  return rows.map(({ valid }) => valid)
}

async function oidOf(pool: Pool, index: string): Promise<number> {
  const { rows } = await pool.query(`select $1::regclass::oid as oid`, [index])
  return rows[0].oid
}
