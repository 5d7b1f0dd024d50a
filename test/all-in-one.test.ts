import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { usdt } from '../src/base/money.ts'
import { createCursor } from '../src/blocks/chain-store.ts'
import { addMerchant } from '../src/merchants/add-merchant.ts'
import { makePayment, sandboxAddresses } from '../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../src/sandbox/sandbox-node.ts'
import { processes, startGateway } from '../src/start-gateway.ts'
import { createTronNode } from '../src/tron/node/node-client.ts'
import { testXpub } from './support/api-under-test.ts'
import { cloneDatabase } from './support/database.ts'
import { startProcess } from './support/gateway-process.ts'
import { startMerchantEndpoint } from './support/merchant-endpoint.ts'
import { noRedis, startRedis } from './support/redis.ts'
import { sandboxSettings } from './support/sandbox-settings.ts'
import { formBody, signed, stamp } from './support/signed-request.ts'
import { waitUntil } from './support/wait-until.ts'

// All three processes in one, against a sandbox's chain, a real database and a played merchant.
const masterKey = randomBytes(32)
const scheme = 'hmac-sha256'

async function startParts() {
  const { url, pool } = await cloneDatabase()
  const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
  after(() => sandbox.close())
  sandbox.chain.mine(5)
  const settings = sandboxSettings({ database: url, masterKey, nodes: sandbox.url })
  const env = { ...settings, HOST: '127.0.0.1', PUBLIC_URL: 'http://127.0.0.1', START_BLOCK: '1' }
  return { pool, sandbox, env }
}

for (const [queue, least] of [
  ['Postgres', 9],
  ['Redis', 7],
] as const) {
  test(`with the queue on ${queue} all three in one take an order, credit it and call back with DATABASE_POOL=${least}`, {
    skip: queue === 'Redis' && noRedis,
  }, async () => {
    const { pool, sandbox, env } = await startParts()
    const endpoint = await startMerchantEndpoint({ status: 200, body: 'success' })
    const shop = await addMerchant(pool, masterKey, {
      ...{ name: 'shop', xpub: testXpub, scheme, callbackUrl: endpoint.url, checkUrl: () => null },
    })
    const settings = {
      ...env,
      DATABASE_POOL: `${least}`,
      ...(queue === 'Redis' && { REDIS_URL: (await startRedis()).url }),
    }
    const config = readConfig(settings, ...processes)
    const gateway = (await startGateway({ config, processes, log: createLog('silent', 'test') }))!
    try {
      const ask = async (path: string, parameters: Record<string, string>) => {
        const answer = await fetch(`${gateway.apiUrl}/api/merchant/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: formBody(signed({ ...shop, scheme }, path, { ...parameters, ...stamp() })),
        })
        return (await answer.json()) as { status: number; data: Record<string, string> }
      }
      await waitUntil('the chain is followed', async () => {
        return (await pool.query(`select from chain_cursor`)).rows.length > 0
      })
      const user = { username: 'alice', localusermark: 'u-1' }
      const asked = await ask('newAddress', user)
      const address = asked.data.address as Parameters<typeof makePayment>[1][0]['to']
      assert(address, JSON.stringify(asked))
      const made = await ask('TraderRechargeorder', { ...user, address, orderid: 'o-1', amount: '2.5' })
      assert.equal(made.status, asked.status, JSON.stringify(made))
      // Many reads at once wait for the only connection of theirs.
      const found = Array.from({ length: 20 }, () => ask('findorder', { orderid: 'o-1' }))
      sandbox.chain.add([
        makePayment(sandbox.chain.stamp(), [{ to: address, amount: usdt(2_500_000n) }], {
          from: sandboxAddresses.payer,
        }),
      ])
      sandbox.chain.mine(3)
      await waitUntil('the callback', () => endpoint.requests.length === 1)
      for (const answer of await Promise.all(found)) assert.equal(answer.status, asked.status)
      // All but this test's own.
      const { rows } = await pool.query(
        `select application_name as name from pg_stat_activity
          where datname = current_database() and application_name <> 'recharge-gateway'`,
      )
      assert(rows.length > 2 && rows.length <= least, rows.map(({ name }) => name).join())
    } finally {
      await gateway.stop()
    }
    const tooFew = readConfig({ ...settings, DATABASE_POOL: `${least - 1}` }, ...processes)
    await assert.rejects(
      startGateway({ config: tooFew, processes, log: createLog('silent', 'test') }),
      /at least/,
    )
  })
}

test('an alarm that the running gateway raises arrives signed at ALARM_WEBHOOK_URL, once', async () => {
  const { pool, sandbox, env } = await startParts()
  const node = createTronNode({
    headUrl: sandbox.url,
    solidUrl: sandbox.url,
    usdtContract: sandboxAddresses.usdt,
  })
  const [genesisId, solid] = [await node.genesisId(), await node.solidHead()]
  await node.close()
  // The last block that we recorded is one that this chain does not have.
  await createCursor(
    pool,
    { network: 'sandbox', genesisId, usdtContract: sandboxAddresses.usdt },
    { height: solid.height, hash: 'ab'.repeat(32) as typeof solid.hash, time: solid.time },
  )
  const receiver = await startMerchantEndpoint({ status: 204 })
  const secret = `whsec_${randomBytes(24).toString('base64')}`
  const gateway = startProcess(['start', ...processes], {
    ...env,
    ALARM_WEBHOOK_URL: `${receiver.url}/alarms`,
    ALARM_WEBHOOK_SECRET: secret,
  })
  try {
    await gateway.started
    sandbox.chain.mine(3)
    const { path, method, body, headers } = await waitUntil('a message', () => receiver.requests[0])
    assert.deepEqual([method, path], ['POST', '/callback/alarms'])
    new Webhook(secret).verify(body, headers as Record<string, string>)
    const { event, alarm, detail, gateway: name } = JSON.parse(body)
    assert.deepEqual([event, alarm, name], ['alarm.raised', 'unlinked', '127.0.0.1'])
    assert.equal(detail.height, solid.height + 1)
    await waitUntil('it is recorded', async () => {
      const { rows } = await pool.query(`select told from report.alarms where name = 'unlinked'`)
      return rows[0]?.told === 'raised'
    })
    assert.equal(receiver.requests.length, 1)
  } finally {
    await gateway.kill()
  }
})
