import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { freePort } from '../src/demo/embedded-database.ts'
import { addMerchant } from '../src/merchants/add-merchant.ts'
import { retireKey } from '../src/merchants/rotate-keys.ts'
import { startSandboxNode } from '../src/sandbox/sandbox-node.ts'
import { startGateway } from '../src/start-gateway.ts'
import { followChain, testXpub } from './support/api-under-test.ts'
import { cloneDatabase } from './support/database.ts'
import { recordLog } from './support/recorded-log.ts'
import { formBody, signed } from './support/signed-request.ts'
import { waitUntil } from './support/wait-until.ts'

test('a retired key stops working while every connection of the API is busy', async () => {
  const { url, pool } = await cloneDatabase()
  await followChain(pool)
  const masterKey = randomBytes(32)
  const scheme = 'hmac-sha256'
  const shop = await addMerchant(pool, masterKey, {
    name: 'shop',
    xpub: testXpub,
    scheme,
    checkUrl: () => null,
  })
  const settings = {
    DATABASE_URL: url,
    MASTER_KEY: masterKey.toString('hex'),
    PUBLIC_URL: 'http://127.0.0.1',
    PORT: '0',
  }
  const config = readConfig(settings, 'api')
  const gateway = (await startGateway({ config, processes: ['api'], log: createLog('silent', 'test') }))!
  after(() => gateway.stop())
  const lock = await pool.connect()
  const unlock = async () => {
    await lock.query('rollback')
    lock.release()
  }
  await lock.query('begin; lock table recharge_order in access exclusive mode')
  const ask = async (t = `${Math.floor(Date.now() / 1_000)}`) => {
    const parameters = { orderid: 'o-1', t, nonce: randomBytes(16).toString('hex') }
    const all = signed({ ...shop, scheme }, 'resendcallback', parameters)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await fetch(`${gateway.apiUrl}/api/merchant/resendcallback`, {
      method: 'POST',
      headers,
      body: formBody(all),
    })
    return ((await answer.json()) as { code?: string }).code
  }
  const held = Array.from({ length: 40 }, () => ask())
  try {
    const waitingForALock = async () =>
      (await pool.query(`select from pg_locks where not granted`)).rows.length
    await waitUntil('every connection waits for the lock', async () => (await waitingForALock()) >= 10)
    // A stale t is refused as soon as the sign is verified, without the database.
    assert.equal(await ask('1'), 'stale_timestamp')
    const { rows } = await pool.query(`select id from merchant_key`)
    await retireKey(pool, shop.appid, rows[0].id, { evenIfPromoted: true })
    await waitUntil('the key is refused', async () => (await ask('1')) === 'bad_sign')
    assert.ok((await waitingForALock()) >= 10, 'every connection still waits')
  } finally {
    await unlock()
    await Promise.all(held)
  }
})

test('a watcher whose requests for the lease are not answered for longer than it lasts is not ready, until they are', async () => {
  const { url, pool } = await cloneDatabase()
  const sandbox = await startSandboxNode()
  after(() => sandbox.close())
  const healthPort = await freePort()
  const settings = {
    DATABASE_URL: url,
    TRON_NETWORK: 'sandbox',
    TRON_NODES: sandbox.url,
    HEALTH_PORT: `${healthPort}`,
  }
  const { log, lines } = recordLog()
  const gateway = (await startGateway({
    ...{ config: readConfig(settings, 'watcher'), processes: ['watcher'], log },
  }))!
  after(() => gateway.stop())
  const answers = async (status: number) => {
    const answer = await fetch(`http://127.0.0.1:${healthPort}/readyz`)
    return answer.status === status
  }
  await waitUntil('it leads', () => lines('lease.taken').length === 1)
  await waitUntil('it is ready', () => answers(200))
  // The lease's table alone: everything else is answered.
  const lock = await pool.connect()
  try {
    await lock.query('begin; lock table watcher_lease in access exclusive mode')
    await waitUntil('it is not ready', () => answers(503), 30_000)
    const why = () => pool.query(`select why from running_process`)
    await waitUntil(
      'it says why',
      async () => /requests for the lease/.test((await why()).rows[0]?.why ?? ''),
      60_000,
    )
  } finally {
    await lock.query('rollback')
    lock.release()
  }
  await waitUntil('it is ready again', () => answers(200), 30_000)
})
