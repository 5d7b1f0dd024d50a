import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { dropOldPartitions } from '../../src/db/partitions.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { findRunning } from '../../src/db/running-processes.ts'
import { startEmbeddedDatabase } from '../../src/demo/embedded-database.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { processes, startGateway } from '../../src/start-gateway.ts'
import { testXpub } from '../support/api-under-test.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { findProgram } from '../support/programs.ts'
import { recordLog } from '../support/recorded-log.ts'
import { sandboxSettings } from '../support/sandbox-settings.ts'
import { formBody, signed } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

// A cluster of this file's own, since roles belong to a cluster: it begins as a new volume does, with the superuser alone.
const cluster = await startEmbeddedDatabase(['-c', 'fsync=off'])
after(() => cluster.stop())
const folder = new URL('../../compose/', import.meta.url)
const roleSql = await readFile(new URL('gateway-role.sql', folder), 'utf8')
const password = `it's-$ecret`

/** The database's URL for the superuser, and for the gateway's role. */
const asSuper = (database: string) => cluster.url(database)
const asRole = (database: string, word = password) => {
  const url = new URL(cluster.url(database))
  url.username = 'gateway_app'
  url.password = encodeURIComponent(word)
  return url.href
}

async function poolOf(url: string): Promise<Pool> {
  const pool = createPool(url, { max: 4 })
  after(() => pool.end())
  return pool
}

/** A database without any migration. */
async function createDatabase(name: string): Promise<Pool> {
  const admin = createPool(asSuper('postgres'), { max: 1 })
  await admin.query(`create database ${name}`)
  await admin.end()
  return poolOf(asSuper(name))
}

async function giveRole(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(roleSql)
    await client.query(`alter role gateway_app password '${password.replaceAll("'", "''")}'`)
  } finally {
    client.release(true)
  }
}

/** What somebody else owns of what is the gateway's. */
async function ownedByOthers(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query(
    `with ours as (select oid, nspname, nspowner from pg_namespace where nspname in ('public', 'report', 'bullmq'))
     select 'schema ' || nspname as name from ours where nspowner <> 'gateway_app'::regrole
      union all
     select 'relation ' || c.oid::regclass from pg_class c join ours on ours.oid = relnamespace
      where relowner <> 'gateway_app'::regrole
      union all
     select 'routine ' || p.oid::regprocedure from pg_proc p join ours on ours.oid = pronamespace
      where proowner <> 'gateway_app'::regrole
      union all
     select 'type ' || t.oid::regtype from pg_type t join ours on ours.oid = typnamespace
      where typowner <> 'gateway_app'::regrole`,
  )
  return rows.map(({ name }) => name)
}

/** A shop with a chain: `pay` runs all three processes as a role, and has an order paid, credited and announced. */
async function openShop(pool: Pool) {
  const masterKey = randomBytes(32)
  const sandbox = await startSandboxNode({ blockIntervalMs: 50, solidificationDepth: 2 })
  after(() => sandbox.close())
  const endpoint = await startMerchantEndpoint()
  const scheme = 'hmac-sha256' as const
  const callbackUrl = endpoint.url
  const options = { name: 'shop', xpub: testXpub, scheme, callbackUrl, checkUrl: () => null }
  const shop = { ...(await addMerchant(pool, masterKey, options)), scheme }
  let orders = 0
  const pay = async (url: string, whileRunning = async () => {}) => {
    const settings = sandboxSettings({ database: url, masterKey, nodes: sandbox.url })
    const config = readConfig(settings, ...processes)
    const gateway = (await startGateway({ config, processes, log: createLog('silent', 'test') }))!
    try {
      const ask = async (name: string, parameters: Record<string, string>) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        const body = formBody(signed(shop, name, parameters))
        const at = `${gateway.apiUrl}/api/merchant/${name}`
        return (await (await fetch(at, { method: 'POST', headers, body })).json()) as {
          status: number
          data: { address: string }
        }
      }
      const user = { username: 'a', localusermark: 'u' }
      const assigned = await waitUntil('an address', async () => {
        const answer = await ask('newAddress', user)
        return answer.status === 1 ? answer : null
      })
      const { address } = assigned.data
      const orderid = `order-${++orders}`
      const made = await ask('TraderRechargeorder', { ...user, address, orderid, amount: '3' })
      assert.equal(made.status, 1, JSON.stringify(made))
      await fetch(`${sandbox.url}/sandbox/send`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ to: address, amount: '3' }),
      })
      await waitUntil(`the callback of ${orderid}`, () =>
        endpoint.requests.some(({ body }) => body.includes(orderid)),
      )
      await whileRunning()
    } finally {
      await gateway.stop()
    }
  }
  return { pay }
}

async function auditIsClean(pool: Pool): Promise<void> {
  const { checks } = await auditGateway(pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
}

test('on a new volume the gateway migrates and works as a role that is no superuser', async () => {
  const admin = await createDatabase('fresh')
  await giveRole(admin)
  const pool = await poolOf(asRole('fresh'))
  const { log, lines } = recordLog()
  const applied = await migrate(pool, log)
  assert(applied.includes('0005_report'))
  // Nothing had to be left out, as the role that admins read by would be.
  assert.deepEqual(lines('migration.warned'), [])
  const { rows } = await pool.query(
    `select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as powerful,
            (select datdba = r.oid from pg_database where datname = current_database()) as "ownsDatabase",
            (select count(*)::int from pg_auth_members where member = r.oid) as memberships
       from pg_roles r
      where rolname = current_user`,
  )
  assert.deepEqual(rows, [{ powerful: false, ownsDatabase: false, memberships: 0 }])
  await (await openShop(pool)).pay(asRole('fresh'))
  await auditIsClean(pool)
  assert.deepEqual(await ownedByOthers(pool), [])
  await readsReportsOnly(admin)
})

test('a volume that the superuser made is handed over; afterwards the gateway works as either role', async () => {
  const admin = await createDatabase('handed')
  await migrate(admin, createLog('silent', 'test'))
  const { pay } = await openShop(admin)
  await pay(asSuper('handed'))
  assert.notDeepEqual(await ownedByOthers(admin), [])
  await giveRole(admin)
  assert.deepEqual(await ownedByOthers(admin), [])
  const pool = await poolOf(asRole('handed'))
  await pay(asRole('handed'))
  // Code from before, as it was set up before; the new role sees that it runs.
  await pay(asSuper('handed'), async () => {
    const running = await findRunning(pool)
    assert(
      running.some(line => line.includes('gateway api+watcher+courier')),
      running.join(),
    )
  })
  await pay(asRole('handed'))
  await auditIsClean(pool)
  await readsReportsOnly(admin)
  // Later migrations replace routines and make tables, and retention drops partitions.
  await pool.query(`update schema_routine set checksum = 'of another version'`)
  assert((await migrate(pool, createLog('silent', 'test'))).includes('lease_callbacks'))
  const dropped = await dropOldPartitions(pool, new Date(Date.now() + 400 * 86_400_000), 1)
  assert(dropped.length > 0)
  await pool.query(`create view report.later as select 1 as one; create table later (id integer)`)
  const { rows } = await pool.query(
    `select has_table_privilege('gateway_report', 'report.later', 'select') as reads`,
  )
  assert.equal(rows[0].reads, true)
})

test('handing over again takes what the old role has made since', async () => {
  const admin = await createDatabase('again')
  await migrate(admin, createLog('silent', 'test'))
  await giveRole(admin)
  await admin.query(`create table made_by_old_code (id integer generated always as identity)`)
  await admin.query(`create function report.made_by_old_code() returns integer language sql as 'select 1'`)
  assert.equal((await ownedByOthers(admin)).length > 0, true)
  await giveRole(admin)
  assert.deepEqual(await ownedByOthers(admin), [])
})

test('behind a backup the handover gives up within seconds and changes nothing', async () => {
  const admin = await createDatabase('backed_up')
  await migrate(admin, createLog('silent', 'test'))
  const before = await ownedByOthers(admin)
  const backup = await admin.connect()
  try {
    await backup.query('begin; lock table recharge_order in access share mode')
    await assert.rejects(giveRole(admin), /lock timeout/)
    assert.deepEqual(await ownedByOthers(admin), before)
  } finally {
    await backup.query('rollback')
    backup.release()
  }
  await giveRole(admin)
  assert.deepEqual(await ownedByOthers(admin), [])
})

test('the script of the postgres image does the same, with any password, and asks for a missing one', {
  skip: !findProgram('psql'),
}, async () => {
  const admin = await createDatabase('scripted')
  const { port, password } = new URL(cluster.url('scripted'))
  const word = `other $word's "quoted" \\ back`
  const run = (env: Record<string, string>) =>
    spawnSync('sh', [fileURLToPath(new URL('gateway-role.sh', folder))], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        ...{ PGHOST: '127.0.0.1', PGPORT: port, PGPASSWORD: password, POSTGRES_USER: 'gateway' },
        ...{ POSTGRES_DB: 'scripted', GATEWAY_ROLE_SQL: fileURLToPath(new URL('gateway-role.sql', folder)) },
        ...env,
      },
    })
  const missing = run({})
  assert.notEqual(missing.status, 0)
  assert.match(missing.stderr, /set GATEWAY_DB_PASSWORD in \.env/)
  const done = run({ GATEWAY_DB_PASSWORD: word })
  assert.equal(done.status, 0, done.stderr)
  assert(!`${done.stdout}${done.stderr}`.includes(word))
  const pool = await poolOf(asRole('scripted', word))
  await migrate(pool, createLog('silent', 'test'))
  assert.deepEqual(await ownedByOthers(admin), [])
})

test('docker-compose.md shows the SQL that is run', async () => {
  const page = await readFile(new URL('../../docs/docker-compose.md', import.meta.url), 'utf8')
  const [, shown] = /<!-- compose\/gateway-role\.sql -->\n```sql\n(.*?)^```$/ms.exec(page)!
  assert.equal(shown, roleSql)
})

/** The role for reports reads the views, and no table. */
async function readsReportsOnly(admin: Pool): Promise<void> {
  const client = await admin.connect()
  try {
    await client.query('set role gateway_report')
    await client.query('select from report.orders')
    await assert.rejects(client.query('select from public.merchant_key'), /permission denied/)
    await assert.rejects(client.query('create table public.mine (id integer)'), /permission denied/)
  } finally {
    client.release(true)
  }
}
