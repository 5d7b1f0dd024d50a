import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HDKey } from '@scure/bip32'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { startGateway } from '../src/cli/start-gateway.ts'
import { addMerchant } from '../src/merchants/add-merchant.ts'
import { type MerchantCredentials, startDemoMerchant } from '../src/sandbox/demo-merchant.ts'
import { startSandboxNode } from '../src/sandbox/sandbox-node.ts'
import { cloneDatabase } from './support/database.ts'
import { type GatewayProcess, startProcess } from './support/gateway-process.ts'
import { noRedis, startRedis } from './support/redis.ts'
import { waitUntil } from './support/wait-until.ts'

const payments = 30
const killsAtLeast = 6

// The watcher and the courier are real processes, killed with SIGKILL at random moments after they have started, and
// started again, while payments come in. Afterwards the chain's truth and the merchant's own record are compared.
for (const backend of ['redis', 'postgres'] as const) {
  const skip = backend === 'redis' && noRedis
  test(`watcher and courier killed again and again: every payment is credited once and delivered under one key, on ${backend}`, {
    skip,
  }, async () => {
    const world = await openWorld(backend)
    const orders = new Map<string, bigint>()
    const stopKilling = new AbortController()
    const killing = Promise.all([
      keepKilling(world, 'watcher', stopKilling.signal),
      keepKilling(world, 'courier', stopKilling.signal),
    ])
    for (let n = 0; n < payments; n++) {
      const amount = 1_000_000 + n * 100
      orders.set(await orderAndPay(world, n, amount), BigInt(amount / 100))
      await sleep(randomInt(200))
    }
    await waitUntil('enough kills', () => world.kills >= killsAtLeast, 60_000)
    stopKilling.abort()
    const processes = await killing
    try {
      await waitUntil(
        'every callback delivered',
        async () => {
          const { rows } = await world.pool.query(
            `select count(*)::int as n from callback_state where state = 'delivered'`,
          )
          return rows[0].n === payments
        },
        90_000,
      )
      await check(world, orders)
    } finally {
      for (const process of processes) assert.equal(await process.stop(), 0, process.output())
    }
  })
}

type World = Awaited<ReturnType<typeof openWorld>>

async function openWorld(backend: 'redis' | 'postgres') {
  const { pool, url } = await cloneDatabase()
  const redis = backend === 'redis' ? await startRedis() : null
  const node = await startSandboxNode({ blockIntervalMs: 60, solidificationDepth: 4 })
  after(() => node.close())
  const env: Record<string, string> = {
    DATABASE_URL: url,
    MASTER_KEY: '5a'.repeat(32),
    TRON_NETWORK: 'sandbox',
    TRON_NODES: node.url,
    PUBLIC_URL: 'http://127.0.0.1',
    PORT: '0',
    CALLBACK_ALLOWED_NETWORKS: '127.0.0.0/8',
    ...(redis && { REDIS_URL: redis.url }),
  }
  const config = readConfig(env)
  const api = (await startGateway({ config, roles: ['api'], log: createLog('silent', 'test') }))!
  after(() => api.stop())
  let credentials: MerchantCredentials | null = null
  const merchant = await startDemoMerchant(
    () => credentials!,
    () => undefined,
  )
  after(() => merchant.close())
  credentials = await addMerchant(pool, config.masterKey!, {
    name: 'shop',
    xpub: HDKey.fromMasterSeed(Buffer.alloc(32, 1)).derive("m/44'/195'/0'").publicExtendedKey,
    callbackUrl: merchant.callbackUrl,
    scheme: 'hmac-sha256',
    checkUrl: () => null,
  })
  return { pool, node, env, merchant, apiUrl: api.apiUrl!, kills: 0 }
}

/** Starts a process, kills it at a random moment after its start, and so on; the last one is left running. */
async function keepKilling(world: World, role: string, signal: AbortSignal): Promise<GatewayProcess> {
  for (;;) {
    const running = startProcess(['start', role], world.env)
    await running.started
    await sleep(randomInt(1_200))
    if (signal.aborted) return running
    await running.kill()
    world.kills++
  }
}

async function orderAndPay(
  { merchant, apiUrl, node }: World,
  n: number,
  amountUnits: number,
): Promise<string> {
  const orderid = `crash-${n}`
  const parameters = {
    username: `u${n % 5}`,
    localusermark: `u${n % 5}`,
    address: 'auto',
    amount: (amountUnits / 1e6).toFixed(6),
  }
  // Until the watcher has placed the cursor the API is not ready; a merchant tries again.
  const order = await waitUntil('the order is taken', () =>
    merchant.call(apiUrl, 'TraderRechargeorder', { ...parameters, orderid }).catch(() => null),
  )
  const response = await fetch(`${node.url}/sandbox/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ to: order.address, amount: parameters.amount }),
  })
  assert.equal(response.status, 200)
  return orderid
}

async function check({ pool, merchant }: World, orders: Map<string, bigint>): Promise<void> {
  const { rows } = await pool.query(
    `select o.orderid, o.received, count(distinct t.id)::int as transfers, count(distinct c.id)::int as credits,
            count(distinct cb.id)::int as callbacks
       from recharge_order o
       left join credit c on c.order_id = o.id
       left join transfer t on t.id = c.transfer_id
       left join callback cb on cb.credit_id = c.id
      group by o.id`,
  )
  assert.equal(rows.length, orders.size)
  for (const row of rows) {
    assert.deepEqual(
      [row.orderid, row.received / 100n, row.transfers, row.credits, row.callbacks],
      [row.orderid, orders.get(row.orderid), 1, 1, 1],
    )
  }
  assert.equal(merchant.received.length, orders.size, 'one key an order, whatever was sent twice')
  for (const callback of merchant.received) {
    assert.deepEqual(callback.faults, [])
    assert.equal(callback.amount, orders.get(callback.orderid), callback.orderid)
  }
  const heights = await pool.query(
    `select count(*)::int as blocks, max(height) - min(height) + 1 as span,
            count(*) filter (where parent_hash = (select p.hash from chain_block p where p.height = b.height - 1))::int as linked
       from chain_block b`,
  )
  const { blocks, span, linked } = heights.rows[0]
  assert.deepEqual([span, linked], [blocks, blocks - 1], 'no block skipped, every block linked')
}
