import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Pool } from '../../src/db/pool.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { startGateway } from '../../src/start-gateway.ts'
import { form, testXpub } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'
import { sandboxSettings } from '../support/sandbox-settings.ts'
import { formBody, signed } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

// A lock on a table that these reads need, and creates do not, makes them as slow as a table of any size would.

test('while the reads of many requests are slow, another merchant creates and finds orders, and the lease is renewed', async () => {
  const { pool, gateway, shops } = await startAll()
  const [slow, quick] = shops
  const ask = askAt(gateway.apiUrl!)
  const order = { username: 'u', localusermark: '1', address: 'auto', amount: '1' }
  assert.equal((await ask(quick, 'TraderRechargeorder', { ...order, orderid: 'o-1' })).status, 1)
  const unlock = await lock(pool, 'chain_cursor')
  const held = Array.from({ length: 20 }, () => ask(slow, 'orders', { localusermark: 'nobody' }))
  let answers: Wire[] = []
  try {
    await waitUntil('a page waits for the lock', async () => {
      const { rowCount } = await pool.query(
        `select from pg_stat_activity
          where datname = current_database() and application_name = 'recharge-gateway-reads' and wait_event_type = 'Lock'`,
      )
      return rowCount! > 0
    })
    const before = await leaseOf(pool)
    assert.equal((await ask(quick, 'TraderRechargeorder', { ...order, orderid: 'o-2' })).status, 1)
    await waitUntil('the lease is renewed', async () => (await leaseOf(pool)) > before)
  } finally {
    answers = await Promise.all(held)
    await unlock()
  }
  assert.ok(answers.every(({ code }) => code === 'unavailable'))
  // The one that ran was cancelled. The others had waited too long for their turn.
  assert.ok(answers.some(({ err }) => err?.includes('narrow the filter')))
  assert.equal((await ask(slow, 'orders', { localusermark: 'nobody' })).status, 1)
})

test('while statements and sums wait, orders are found and listed', async () => {
  const { pool, gateway, shops } = await startAll()
  const [slow, quick] = shops
  const ask = askAt(gateway.apiUrl!)
  const order = { username: 'u', localusermark: '1', address: 'auto', orderid: 'o-1', amount: '1' }
  assert.equal((await ask(quick, 'newAddress', { username: 'u', localusermark: '1' })).status, 1)
  assert.equal((await ask(quick, 'TraderRechargeorder', order)).status, 1)
  const unlock = await lock(pool, 'waiting_transfer')
  const period = { from: '1662249600', to: '1662336000' }
  const held = [
    ...[slow, quick].map(shop => ask(shop, 'statement', period)),
    ...Array.from({ length: 20 }, () => ask(quick, 'finduseraddress', { username: 'u', localusermark: '1' })),
  ]
  await waitUntil('both kinds wait for the lock', async () => {
    const { rowCount } = await pool.query(
      `select from pg_stat_activity
        where datname = current_database() and application_name = 'recharge-gateway-reads' and wait_event_type = 'Lock'`,
    )
    return rowCount! >= 3
  })
  assert.equal((await ask(quick, 'findorder', { orderid: 'o-1' })).status, 1)
  assert.equal((await ask(quick, 'orders', {})).data.orders.length, 1)
  await unlock()
  for (const answer of await Promise.all(held))
    assert.ok(answer.status === 1 || answer.code === 'unavailable')
})

test('while many pages of the console are slow, orders are listed', async () => {
  const { pool, gateway, shops } = await startAll()
  const [, quick] = shops
  const unlock = await lock(pool, 'console_user')
  const held = Array.from({ length: 40 }, () => fetch(`${gateway.apiUrl}/console/orders`))
  try {
    await waitUntil('pages wait for the lock', async () => {
      const { rowCount } = await pool.query(
        `select from pg_stat_activity
          where datname = current_database() and application_name like 'recharge-gateway-%' and wait_event_type = 'Lock'`,
      )
      return rowCount! >= 4
    })
    for (let n = 0; n < 10; n++)
      assert.deepEqual((await askAt(gateway.apiUrl!)(quick, 'orders', {})).data.orders, [])
  } finally {
    await unlock()
    await Promise.all(held)
  }
})

// biome-ignore lint/suspicious/noExplicitAny: whatever the wire says.
type Wire = { status: number; code?: string; err?: string; data: any }
type Shop = Parameters<typeof signed>[0]

/** API and watcher in one process, on a sandbox that mines, and two merchants. */
async function startAll() {
  const { url, pool } = await cloneDatabase()
  const sandbox = await startSandboxNode({ blockIntervalMs: 100, solidificationDepth: 2 })
  after(() => sandbox.close())
  const masterKey = randomBytes(32)
  const scheme = 'hmac-sha256' as const
  const shops = await Promise.all(
    ['slow', 'quick'].map(async name => {
      const callbackUrl = 'https://shop.example/cb'
      const added = await addMerchant(pool, masterKey, {
        ...{ name, xpub: testXpub, scheme, callbackUrl },
        checkUrl: () => null,
      })
      return { appid: added.appid, key: added.key, scheme }
    }),
  )
  const settings = {
    ...sandboxSettings({ database: url, masterKey, nodes: sandbox.url }),
    HEALTH_PORT: '0',
  }
  const processes = ['api', 'watcher'] as const
  const config = readConfig(settings, ...processes)
  const gateway = (await startGateway({ config, processes, log: createLog('silent', 'test') }))!
  after(() => gateway.stop())
  await waitUntil(
    'the watcher follows',
    async () => (await pool.query('select from chain_cursor')).rowCount! > 0,
  )
  await waitUntil('the watcher leads', async () => (await leaseOf(pool)) > 0)
  return { url, pool, gateway, shops: shops as [Shop, Shop] }
}

/** When the lease ends, in ms; 0 without one. */
async function leaseOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query('select expires_at as "expiresAt" from watcher_lease')
  return rows[0]?.expiresAt.getTime() ?? 0
}

/** @returns unlocks. */
async function lock(pool: Pool, table: string): Promise<() => Promise<void>> {
  const client = await pool.connect()
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  return async () => {
    await client.query('rollback')
    client.release()
  }
}

function askAt(apiUrl: string) {
  return async (shop: Shop, endpoint: string, parameters: Record<string, string>): Promise<Wire> => {
    const answer = await fetch(`${apiUrl}/api/merchant/${endpoint}`, {
      method: 'POST',
      headers: { 'content-type': form },
      body: formBody(signed(shop, endpoint, parameters)),
    })
    return (await answer.json()) as Wire
  }
}
