import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import pg from 'pg'
import type { Pool } from '../../src/db/pool.ts'
import { freePort } from '../../src/demo/embedded-database.ts'
import { findProgram } from './programs.ts'
import { waitUntil } from './wait-until.ts'

const program = findProgram('pgbouncer')

/** Why tests through a pooling proxy cannot run here, or false: made for node:test's `skip`. */
export const noPgbouncer: string | false = program ? false : 'pgbouncer is not on the PATH'

const version = program ? `${spawnSync(program, ['--version']).stdout}` : ''

/** Whether it keeps prepared statements across transactions as we start it: by default since 1.24. */
export const keepsPreparedStatements = Number(/ 1\.(\d+)/.exec(version)?.[1] ?? 0) >= 24

/**
 * Starts a pooling proxy before a database, with its defaults.
 * @param mode `transaction`: whoever connects through it keeps no session from one transaction to the next.
 */
export async function startPgbouncer(
  databaseUrl: string,
  mode: 'session' | 'transaction' | 'statement' = 'transaction',
): Promise<{ url: string }> {
  const { username, password, hostname, port, pathname } = new URL(databaseUrl)
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-pgbouncer-'))
  const listen = await freePort()
  const name = pathname.slice(1)
  await writeFile(join(folder, 'users'), `"${username}" "${password}"\n`)
  await writeFile(
    join(folder, 'ini'),
    `[databases]
${name} = host=${hostname} port=${port} dbname=${name} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listen}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users')}
pool_mode = ${mode}
max_client_conn = 200
default_pool_size = ${mode === 'session' ? 40 : 10}
`,
  )
  // It refuses to run as root, and then has to be able to read its files.
  await chmod(folder, 0o755)
  const user = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
  const server = spawn(program!, [...user, join(folder, 'ini')], { stdio: 'ignore' })
  const exited = new Promise(resolve => server.once('exit', resolve))
  after(async () => {
    server.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  })
  const url = `postgres://${username}:${password}@127.0.0.1:${listen}/${name}`
  await waitUntil('pgbouncer answers', async () => {
    const client = new pg.Client({ connectionString: url })
    const connected = await client.connect().then(
      () => true,
      () => false,
    )
    await client.end().catch(() => undefined) // It was never connected.
    return connected
  })
  return { url }
}

/** Gives the tests' role the settings that the gateway asks for where it cannot set its own. The server's are odd. */
export async function settleRole(pool: Pool): Promise<void> {
  const { rows } = await pool.query(
    `select format('alter role %I in database %I set ', current_user, current_database()) as alter`,
  )
  for (const setting of [
    ...[`TimeZone = 'UTC'`, `DateStyle = 'ISO, MDY'`, `IntervalStyle = 'postgres'`, `bytea_output = 'hex'`],
    ...[`extra_float_digits = '1'`, `standard_conforming_strings = 'on'`, `array_nulls = 'on'`],
    ...[
      `default_transaction_isolation = 'read committed'`,
      `synchronous_commit = 'on'`,
      'search_path = public',
    ],
  ])
    await pool.query(rows[0].alter + setting)
}
