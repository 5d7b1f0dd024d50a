import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { cloneDatabase } from './support/database.ts'
import { gatewayProgram } from './support/gateway-program.ts'

const xpub =
  'xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd'

function run(args: string[], env: Record<string, string> = {}) {
  const [node, ...program] = gatewayProgram
  const { status, stdout, stderr } = spawnSync(node, [...program, ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('help says what there is, and is no error', () => {
  const help = run(['--help'])
  assert.equal(help.status, 0)
  for (const command of ['start', 'migrate', 'merchant', 'address', 'sandbox', 'demo']) {
    assert.match(help.stdout, new RegExp(`^ +${command}\\b`, 'm'))
  }
})

test('missing and wrong settings are all named at once, and end with 2', () => {
  const { status, stderr } = run(['start'], { TRON_NETWORK: 'moon', PORT: 'eighty' })
  assert.equal(status, 2)
  for (const name of ['DATABASE_URL', 'MASTER_KEY', 'PUBLIC_URL', 'TRON_NETWORK', 'TRON_NODES', 'PORT']) {
    assert.match(stderr, new RegExp(`^error: ${name}\\b`, 'm'))
  }
})

for (const [what, args] of [
  ['an unknown command', ['fly']],
  ['an unknown option', ['migrate', '--fast']],
  ['a process that does not exist', ['start', 'payer']],
  ['an argument that is missing', ['merchant', 'disable']],
] as const) {
  test(`${what} ends with 2 and a sentence`, () => {
    const { status, stderr } = run([...args])
    assert.equal(status, 2)
    assert.match(stderr, /^error: /m)
  })
}

test('a merchant is added, listed without secrets, changed, disabled and enabled from the command line', async () => {
  const { pool, url } = await cloneDatabase()
  const env = { DATABASE_URL: url, MASTER_KEY: '22'.repeat(32) }
  const added = run(
    [
      'merchant',
      'add',
      '--name',
      'shop',
      '--xpub',
      xpub,
      '--callback-url',
      'https://shop.example/cb',
      '--json',
    ],
    env,
  )
  assert.equal(added.status, 0, added.stderr)
  const merchant = JSON.parse(added.stdout)
  assert.deepEqual(Object.keys(merchant), ['appid', 'key', 'webhook_secret', 'first_address'])
  assert.equal(merchant.first_address, 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH')
  const listed = run(['merchant', 'list'], env).stdout
  assert.match(listed, new RegExp(merchant.appid))
  assert(!listed.includes(merchant.key) && !listed.includes(merchant.webhook_secret))

  const set = ['merchant', 'set', merchant.appid]
  assert.equal(
    run([...set, '--callback-format', 'json', '--always-200', 'yes', '--acknowledgement', 'ok'], env).status,
    0,
  )
  const { rows } = await pool.query('select callback_format, always_200, acknowledgement from merchant')
  assert.deepEqual(rows, [{ callback_format: 'json', always_200: true, acknowledgement: 'ok' }])
  assert.equal(run([...set, '--return-url', 'yes', '--display-name', 'My shop'], env).status, 0)
  assert.equal(run([...set, '--accent', '#0b6e4f'], env).status, 0)
  const page = await pool.query('select return_url, display_name, accent from merchant, merchant_page')
  assert.deepEqual(page.rows, [{ return_url: true, display_name: 'My shop', accent: '#0b6e4f' }])
  const wrong = run([...set, '--callback-url', 'http://127.0.0.1/'], env)
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /callback URL/)

  assert.equal(
    run(['merchant', 'rename', merchant.appid, '小店'], env).stdout,
    `${merchant.appid}: renamed\n`,
  )
  const named = run(['merchant', 'list'], env).stdout
  assert.match(named, new RegExp(`^${merchant.appid}  小店  hmac-sha256  https://shop.example/cb  `, 'm'))

  assert.match(run(['merchant', 'disable', merchant.appid], env).stdout, /disabled/)
  assert.match(run(['merchant', 'enable', merchant.appid], env).stdout, /enabled/)
  const events = await pool.query(`select action from audit_event where action ~ '^merchant' order by id`)
  assert.deepEqual(
    events.rows.map(row => row.action),
    [
      ...['merchant.added', 'merchant.set', 'merchant.set', 'merchant.page_set', 'merchant.page_set'],
      ...['merchant.renamed', 'merchant.disabled', 'merchant.enabled'],
    ],
  )
})

test('a second merchant of the same name is refused, unless it is meant', async () => {
  const { pool, url } = await cloneDatabase()
  const env = { DATABASE_URL: url, MASTER_KEY: '22'.repeat(32) }
  const add = ['merchant', 'add', '--name', 'shop', '--xpub', xpub]
  assert.equal(run(add, env).status, 0)
  const refused = run(add, env)
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /has the name "shop" already.*give --again/)
  assert.equal((await pool.query('select 1 from merchant')).rowCount, 1)
  assert.equal(run([...add, '--again'], env).status, 0)
})

test('an account key that is private, or of another depth, is refused', async () => {
  const { url } = await cloneDatabase()
  const env = { DATABASE_URL: url, MASTER_KEY: '22'.repeat(32) }
  // The same account's key one level down, where wallets keep the addresses: not what indexes are derived from.
  const deeper =
    'xpub6EuK4CZWW5urEHdwAVDdDw327danAtccFcrXYvgf1DHrPXRwErt36xStQ2PNhn4hpwzPbzJ8pJVpewgChRnSs59q5Ay61GCfQZKUe71gbLq'
  const { status, stderr } = run(['merchant', 'add', '--name', 'shop', '--xpub', deeper], env)
  assert.equal(status, 2)
  assert.match(stderr, /depth/)
})

test('a database that is not migrated is said in the same sentence by every command, with 1', async () => {
  const { pool, url } = await cloneDatabase()
  await pool.query('drop schema public, report cascade; create schema public')
  // By Prisma, by us, and through a view.
  for (const command of [['merchant', 'list'], ['status'], ['addresses', 'export']]) {
    const { status, stderr } = run(command, { DATABASE_URL: url })
    assert.deepEqual(
      [status, stderr],
      [1, 'error: the database is not migrated: run `gateway migrate` first\n'],
    )
  }
})

test('a database that cannot be reached is said in a sentence, with 1', () => {
  const { status, stderr } = run(['migrate'], { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/none' })
  assert.equal(status, 1)
  assert.match(stderr, /^error: .*ECONNREFUSED/m)
})
