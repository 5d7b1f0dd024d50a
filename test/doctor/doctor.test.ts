import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import { createCursor } from '../../src/blocks/chain-store.ts'
import { addDoctorCommand, asPage } from '../../src/cli/doctor-command.ts'
import { checkSettings } from '../../src/doctor/check-settings.ts'
import { type Finding, runCheck } from '../../src/doctor/finding.ts'
import { runDoctor } from '../../src/doctor/run-doctor.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { networks } from '../../src/tron/network.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { cloneDatabase } from '../support/database.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'

const masterKey = 'c3'.repeat(32)

/** A gateway that could run: a database, a node of the sandbox, and a merchant whose endpoint listens. */
async function world() {
  const { pool, url } = await cloneDatabase()
  const sandbox = await startSandboxNode({ autoMine: false })
  sandbox.chain.mine(2)
  const endpoint = createServer((_, response) => response.writeHead(404).end())
  await new Promise<void>(resolve => endpoint.listen(0, '127.0.0.1', resolve))
  after(async () => {
    endpoint.close()
    await sandbox.close()
  })
  const { genesisId } = sandbox.chain
  const pin = { network: 'sandbox', genesisId, usdtContract: networks.sandbox.usdtContract! }
  await createCursor(pool, pin, { height: 1, hash: sandbox.chain.block(1)!.id, time: new Date() })
  await seedMerchant(pool, anyShop)
  const origin = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`
  await pool.query(`update merchant set callback_url = $1`, [`${origin}/callback?token=verysecrettoken`])
  const env = {
    DATABASE_URL: url,
    MASTER_KEY: masterKey,
    PUBLIC_URL: 'http://127.0.0.1',
    TRON_NETWORK: 'sandbox',
    TRON_NODES: sandbox.url,
    CALLBACK_ALLOWED_NETWORKS: '127.0.0.0/8',
  }
  return { pool, env, sandbox, endpoint }
}

const of = (findings: readonly Finding[], area: string) => findings.filter(finding => finding.area === area)
const wrongs = (findings: readonly Finding[]) =>
  findings.filter(({ level }) => level === 'wrong').map(({ area, says }) => `${area}: ${says}`)

test('of a gateway that can run, only what does not run yet is wrong', async () => {
  const { env, pool } = await world()
  const findings = await runDoctor(env)
  // The tests' server gives up durability for speed, and nothing has been started.
  const expected = /fsync|full_page_writes|synchronous_commit|no api, no watcher, no courier|alarms:|disk/
  assert.deepEqual(
    wrongs(findings).filter(text => !expected.test(text)),
    [],
  )
  for (const area of [
    'version',
    'disk',
    'settings',
    'proxy',
    'database',
    'clock',
    'schema',
    'backup',
    'redis',
    'node',
    'callbacks',
    'gateway',
  ]) {
    assert(of(findings, area).length > 0, area)
  }
  assert.match(of(findings, 'node')[0]!.says, /solid at \d+, 0 behind/)
  assert.match(of(findings, 'callbacks')[0]!.says, /1 endpoints can be reached/)
  const changes = await pool.query('select from audit_event where chain_position > 1')
  assert.equal(changes.rowCount, 0)
})

test('no secret of the environment is on the page, whatever fails', async () => {
  const { env, sandbox, endpoint } = await world()
  endpoint.close()
  const bad = {
    ...env,
    DATABASE_URL: 'postgres://someone:databasepassword@127.0.0.1:1/db?application_name=tokenInQuery',
    REDIS_URL: 'redis://:redispassword@127.0.0.1:1',
    TRON_NODES: `${sandbox.url}/apikey0123456789abcdef|${sandbox.url}/apikey0123456789abcdef`,
    TRONGRID_API_KEY: 'f00dfeed-0000-4000-8000-000000000000',
  }
  const findings = await runDoctor(bad)
  const page = asPage(findings)
  for (const secret of [
    'databasepassword',
    'tokenInQuery',
    'redispassword',
    'apikey0123456789abcdef',
    masterKey,
    'f00dfeed',
  ]) {
    assert(!page.includes(secret), `${secret} in ${page}`)
  }
  assert.deepEqual(
    ['database', 'redis', 'node'].filter(area => !of(findings, area).some(({ level }) => level === 'wrong')),
    [],
  )
  assert(page.split('\n').length < 60, 'one page')
})

test('merchants whose word may be anywhere in an answer are named, with how to end that', async () => {
  const { env, pool } = await world()
  await pool.query(`update merchant set acknowledgement = 'success', acknowledgement_anywhere = true`)
  const { rows } = await pool.query('select appid, name from merchant')
  const [found] = of(await runDoctor(env), 'merchants')
  assert.equal(found!.level, 'look')
  assert(found!.says.includes(`${rows[0].name} (${rows[0].appid})`), found!.says)
  assert.match(found!.says, /merchant set --acknowledgement/)
})

test('a node of another chain, one that is away, and a database that is not migrated are wrong', async () => {
  const { env, pool, sandbox } = await world()
  await pool.query(`update chain_cursor set genesis_id = $1`, ['ab'.repeat(32)])
  await pool.query(`delete from _prisma_migrations where migration_name = '0028_parked'`)
  const findings = await runDoctor({ ...env, TRON_NODES: `${sandbox.url},http://127.0.0.1:1` })
  assert.deepEqual(
    of(findings, 'node').map(({ level }) => level),
    ['wrong', 'wrong', 'wrong', 'ok'],
  )
  assert.match(of(findings, 'schema')[0]!.says, /lacks the migration 0028_parked/)
})

test('wrong settings are named, misspelt ones too, and the other checks go on', async () => {
  const { env } = await world()
  const findings = await runDoctor({
    ...env,
    PORT: 'http',
    CALLBACK_ALLOWED_NETWORK: '10.0.0.0/8',
    TRON_NETWORK: 'moon',
  })
  const settings = of(findings, 'settings')
  assert(settings.some(({ level, says }) => level === 'wrong' && says.startsWith('PORT must be')))
  assert(settings.some(({ level, says }) => level === 'wrong' && says.startsWith('TRON_NETWORK must be')))
  assert(
    settings.some(({ level, says }) => level === 'look' && says.startsWith('CALLBACK_ALLOWED_NETWORK is no')),
  )
  assert(of(findings, 'database').length > 1)
  assert.deepEqual(checkSettings({}).filter(({ level }) => level === 'wrong').length > 0, true)
})

test('a check that throws, or says nothing, is a finding', async () => {
  const thrown = await runCheck('a', () => Promise.reject(new Error('broken')))
  assert.deepEqual(thrown, [{ area: 'a', level: 'wrong', says: 'broken' }])
  const silent = await runCheck('a', () => new Promise<Finding[]>(() => undefined), 10)
  assert.match(silent[0]!.says, /no answer within/)
})

test('the exit code says whether something is wrong', async (t: TestContext) => {
  const { env } = await world()
  Object.assign(process.env, env)
  const printed = await commandInProcess(t, addDoctorCommand, 'doctor')
  assert.match(printed, /\d+ wrong, \d+ to look at, \d+ ok$/)
  assert.equal(process.exitCode, 1)
  process.exitCode = undefined
})
