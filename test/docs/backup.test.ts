import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { CreditRules } from '../../src/credits/credit-rules.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { testXpub } from '../support/api-under-test.ts'
import { bytesFor, makeBlock } from '../support/chain-blocks.ts'
import { gatewayProgram } from '../support/gateway-program.ts'
import {
  findInstalledPostgres,
  type InstalledCluster,
  startInstalledPostgres,
} from '../support/installed-postgres.ts'
import { seedAddress, seedOrder } from '../support/seed.ts'

// The commands of docs/backup.md, as the page has them: a dump of one cluster is restored into others.
const page = await readFile(new URL('../../docs/backup.md', import.meta.url), 'utf8')
const roleSql = await readFile(new URL('../../compose/gateway-role.sql', import.meta.url), 'utf8')
const programs = findInstalledPostgres()
const folder = await mkdtemp(join(tmpdir(), 'backup-page-'))
after(() => rm(folder, { recursive: true }))
await writeFile(
  join(folder, 'gateway'),
  `#!/bin/sh\nexec ${gatewayProgram.map(part => `'${part}'`).join(' ')} "$@"\n`,
)
// What the containers would run, here.
await writeFile(
  join(folder, 'docker'),
  `#!/bin/sh
case "$*" in
  'compose exec -T postgres '*) shift 4; exec "$@" ;;
  'compose run --rm migrate') exec gateway migrate ;;
  'compose run --rm --no-deps api '*) shift 5; exec gateway "$@" ;;
  'compose up -d --wait postgres') ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
`,
)
for (const name of ['gateway', 'docker']) await chmod(join(folder, name), 0o755)

test('the commands of the page bring back every row, owner, right and password', {
  skip: !programs && 'Postgres with pg_dump is not installed',
}, async () => {
  const from = await startCluster()
  const admin = openPool(from.url('postgres'))
  await admin.query('create database gateway template template0')
  const source = openPool(from.url('gateway'))
  await once(source, roleSql)
  await source.query(
    `alter role gateway_app password 'secret'; create role alice login password 'hers' in role gateway_report`,
  )
  const app = openPool(asRole(from, 'gateway_app', 'gateway'))
  await migrate(app, createLog('silent', 'test'))
  await payAnOrder(app)
  run('backup', from)

  const to = await startCluster()
  run('restore', to)
  const restored = openPool(to.url('gateway'))
  assert.deepEqual(await contentsOf(restored), await contentsOf(source))
  assert.deepEqual(await rightsOf(restored), await rightsOf(source))
  assert.deepEqual(await loginsOf(restored), await loginsOf(source))
  const printed = run('after', to, asRole(to, 'gateway_app', 'gateway'))
  assert.match(printed, /20 of them watched/)
  const alice = openPool(asRole(to, 'alice', 'gateway'))
  assert.equal((await alice.query('select from report.credits')).rowCount, 1)
  await assert.rejects(alice.query('select from merchant_key'), /permission denied/)

  const managed = await startCluster()
  const provider = openPool(managed.url('postgres'))
  await provider.query('create role plain login createrole')
  await provider.query('create database shop template template0 owner plain')
  const url = asRole(managed, 'plain', 'shop')
  run('restore without a superuser', managed, url)
  const plain = openPool(url)
  assert.deepEqual(await contentsOf(plain), await contentsOf(source))
  assert.equal((await plain.query(`select to_regrole('gateway_report') as role`)).rows[0].role, null)
  run('after without a superuser', managed, url)
  // A later view, too, and no function is anybody's.
  await plain.query('create view report.later as select 1 as one')
  const { rows } = await openPool(managed.url('shop')).query(
    `select (select bool_and(has_table_privilege('gateway_report', oid, 'select'))
               from pg_class where relnamespace = 'report'::regnamespace and relkind = 'v') as views,
            (select count(*)::int from pg_class
              where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                and has_table_privilege('gateway_report', oid, 'select')) as tables,
            (select count(*)::int from pg_proc
              where pronamespace = 'public'::regnamespace
                and has_function_privilege('gateway_report', oid, 'execute')) as functions`,
  )
  assert.deepEqual(rows, [{ views: true, tables: 0, functions: 0 }])
})

test('the commands for Docker Compose bring back a database into a new volume', {
  skip: !programs && 'Postgres with pg_dump is not installed',
}, async () => {
  const [from, to] = [await startNewVolume(), await startNewVolume()]
  const source = openPool(asRole(from, 'gateway_app', 'gateway'))
  await migrate(source, createLog('silent', 'test'))
  await payAnOrder(source)
  run('docker backup', from)
  const printed = run('docker restore', to, asRole(to, 'gateway_app', 'gateway'))
  assert.match(printed, /20 of them watched/)
  const restored = openPool(to.url('gateway'))
  const [before, now] = [await contentsOf(source), await contentsOf(restored)]
  for (const table of [
    'transfer',
    'credit',
    'callback',
    'recharge_order',
    'chain_cursor',
    'merchant',
    'merchant_key',
  ])
    assert.equal(now[`public.${table}`], before[`public.${table}`], table)
  assert.deepEqual(await rightsOf(restored), await rightsOf(openPool(from.url('gateway'))))
})

/** As the image's entrypoint leaves it: the superuser `gateway`, its database, and the role that the gateway works as. */
async function startNewVolume(): Promise<InstalledCluster> {
  const cluster = await startCluster()
  const admin = openPool(cluster.url('postgres'))
  await admin.query('create role gateway superuser login')
  await admin.query('create database gateway template template0 owner gateway')
  await once(openPool(cluster.url('gateway')), roleSql)
  return cluster
}

async function startCluster(): Promise<InstalledCluster> {
  const cluster = await startInstalledPostgres(programs!)
  after(() => cluster.stop())
  return cluster
}

function openPool(url: string): Pool {
  const pool = createPool(url, { max: 2 })
  after(() => pool.end())
  return pool
}

function asRole(cluster: InstalledCluster, role: string, database: string): string {
  return cluster.url(database).replace('postgres@', `${role}@`)
}

/** Runs the page's commands of that name in a shell that stops at the first failure. @returns what they printed. */
function run(name: string, cluster: InstalledCluster, DATABASE_URL = ''): string {
  const block = new RegExp(`<!-- test: ${name} -->\\n\`\`\`sh\\n(.*?)^\`\`\`$`, 'ms').exec(page)
  assert(block, `the page has no commands for: ${name}`)
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-ec', block[1]!.replace('--skip 10000', '--skip 20')],
    {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: `${folder}:${programs}:${process.env.PATH}`,
        PGHOST: '127.0.0.1',
        PGPORT: `${cluster.port}`,
        PGUSER: 'postgres',
        DATABASE_URL,
      },
      timeout: 120_000,
    },
  )
  assert.equal(status, 0, `${name}: ${stdout}${stderr}`)
  return stdout
}

/** Runs statements in a session that nobody uses afterwards. */
async function once(pool: Pool, sql: string): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(sql)
  } finally {
    client.release(true)
  }
}

/** A merchant with sealed secrets, whose order is paid and announced. */
async function payAnOrder(pool: Pool): Promise<void> {
  const scheme = 'hmac-sha256' as const
  const callbackUrl = 'https://shop.example/cb'
  await addMerchant(pool, randomBytes(32), {
    name: 'shop',
    xpub: testXpub,
    scheme,
    callbackUrl,
    checkUrl: () => null,
  })
  const genesis = makeBlock('backup page', null, new Date(), [])
  const rules: CreditRules = {
    network: 'private',
    genesisId: genesis.parentHash,
    usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
    graceMs: 0,
    quorumAmount: null,
  }
  await createCursor(pool, rules, { height: 0, hash: genesis.parentHash, time: new Date() })
  const toBytes = bytesFor('u1')
  const { addressId } = await seedAddress(pool, { bytes: toBytes })
  await seedOrder(pool, { addressId, orderid: 'o-1' })
  const block = makeBlock('backup page', null, new Date(), [[{ toBytes, units: 3_000_000n }]])
  assert.equal((await creditBlocks(pool, rules, (await readCursor(pool))!, [block]))?.credits, 1)
}

/** Every table and sequence with what it holds, as a checksum. */
async function contentsOf(pool: Pool): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ name: string; kind: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name, c.relkind as kind
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'bullmq') and c.relkind in ('r', 'S')
      order by name`,
  )
  assert(rows.length > 30)
  const contents: Record<string, string> = {}
  for (const { name, kind } of rows) {
    // What a sequence has taken ahead is not in a dump.
    const from = kind === 'S' ? `(select last_value, is_called from ${name})` : name
    const held = await pool.query(
      `select md5(string_agg(t::text, ',' order by t::text)) as sum from ${from} t`,
    )
    contents[name] = held.rows[0].sum
  }
  return contents
}

/** Owners and rights of everything, of the database too. */
async function rightsOf(pool: Pool): Promise<unknown[]> {
  const { rows } = await pool.query(
    `select 'relation ' || c.oid::regclass as name, relowner::regrole::text as owner, relacl::text as rights
       from pg_class c where relnamespace in (select oid from pg_namespace where nspname in ('public', 'report', 'bullmq'))
        and relkind in ('r', 'p', 'v', 'm', 'S')
      union all
     select 'routine ' || oid::regprocedure, proowner::regrole::text, proacl::text
       from pg_proc where pronamespace in (select oid from pg_namespace where nspname in ('public', 'report', 'bullmq'))
      union all
     select 'schema ' || nspname, nspowner::regrole::text, nspacl::text
       from pg_namespace where nspname in ('public', 'report', 'bullmq')
      union all
     select 'database', datdba::regrole::text, datacl::text from pg_database where datname = current_database()
      order by 1`,
  )
  return rows
}

async function loginsOf(pool: Pool): Promise<unknown[]> {
  const { rows } = await pool.query(
    `select rolname, rolsuper, rolcanlogin, rolpassword,
            array(select roleid::regrole::text from pg_auth_members where member = a.oid order by 1) as "in"
       from pg_authid a where rolname !~ '^pg_' order by 1`,
  )
  return rows
}
