import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { usdt } from '../src/base/money.ts'
import { readCursor } from '../src/blocks/chain-store.ts'
import type { Pool } from '../src/db/pool.ts'
import { makePayment } from '../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../src/sandbox/sandbox-node.ts'
import type { TronAddress } from '../src/tron/address.ts'
import { bytesFor } from './support/chain-blocks.ts'
import { cloneDatabase } from './support/database.ts'
import { type GatewayProcess, startProcess } from './support/gateway-process.ts'
import { noPgbouncer, settleRole, startPgbouncer } from './support/pgbouncer.ts'
import { alwaysOpen, seedAddresses, seedOrders } from './support/seed.ts'
import { anyShop, seedMerchant } from './support/seed-merchant.ts'
import { waitUntil } from './support/wait-until.ts'

const users = 5
const blocks = 200
/** Another watcher has to lead by then. */
const takeoverDeadlineMs = 10_000

// Two real processes on one database, catching up with a node that suspends whoever asks too often; the leader is killed
// with SIGKILL in the middle. The other has to finish, and what is recorded is compared with the chain's truth.
for (const through of ['directly', 'through a transaction-pooling proxy'] as const) {
  const skip = through !== 'directly' && noPgbouncer
  test(`the leader dies in the middle of a catch-up, under 429s: another takes over and nothing is lost, ${through}`, {
    skip,
  }, async () => {
    const { pool, url } = await cloneDatabase()
    if (through !== 'directly') await settleRole(pool)
    const databaseUrl = through === 'directly' ? url : (await startPgbouncer(url)).url
    const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 2 })
    after(() => sandbox.close())
    const addresses = await assign(pool)
    for (let n = 0; n < blocks; n++) {
      const payment = { to: addresses[n % users]!, amount: usdt(BigInt(1_000_000 + n)) }
      sandbox.chain.add([makePayment(sandbox.chain.stamp(), [payment], {})])
      sandbox.chain.mine(1)
    }
    sandbox.faults.set({ kind: 'rate-limit', rps: 60, seconds: 1 })
    const env = {
      DATABASE_URL: databaseUrl,
      TRON_NETWORK: 'sandbox',
      // One node at two doors, whose limit counts the calls at both.
      TRON_NODES: through === 'directly' ? `${sandbox.grpcUrl},${sandbox.url}` : sandbox.url,
      START_BLOCK: '1',
      NODE_REQUESTS_PER_SECOND: '90',
    }
    const watchers = [startProcess(['start', 'watcher'], env), startProcess(['start', 'watcher'], env)]
    try {
      const leader = await waitUntil('a leader', () => watchers.find(watcher => leads(watcher)))
      const reached = await waitUntil(
        'the middle of the catch-up',
        async () => {
          const height = (await readCursor(pool))?.height ?? 0
          return height > 20 ? height : null
        },
        60_000,
      )
      assert(reached < blocks, 'still catching up')
      await leader.kill()
      const heir = watchers.find(watcher => watcher !== leader)!
      await waitUntil('the other leads', () => leads(heir), takeoverDeadlineMs)
      await waitUntil(
        'the solidified head',
        async () => (await readCursor(pool))!.height === sandbox.chain.solid.height,
        90_000,
      )
      await compare(pool, sandbox.chain.truth().transfers)
      assert.equal(await heir.stop(), 0, heir.output())
    } finally {
      // Whatever failed above, no process is left behind.
      for (const watcher of watchers) await Promise.race([watcher.kill(), sleep(1_000)])
    }
  })
}

function leads(watcher: GatewayProcess): boolean {
  return watcher.output().includes('lease.taken')
}

/** Users with an address and an order each. */
async function assign(pool: Pool): Promise<TronAddress[]> {
  await seedMerchant(pool, anyShop)
  const added = await seedAddresses(
    pool,
    Array.from({ length: users }, (_, n) => ({ localusermark: `u${n}`, bytes: bytesFor(`user ${n}`) })),
  )
  await seedOrders(
    pool,
    added.map(({ addressId }) => ({ addressId, amount: 1_000_000n, ...alwaysOpen })),
  )
  return added.map(({ address }) => address)
}

async function compare(
  pool: Pool,
  truth: readonly { txid: string; logIndex: number; amount: bigint; height: number }[],
) {
  const { rows } = await pool.query(
    `select t.txid, t.log_index as "logIndex", t.amount, t.block_height as height, count(c.id)::int as credits
       from transfer t left join credit c on c.transfer_id = t.id
      group by t.id order by t.block_height, t.tx_index, t.log_index`,
  )
  assert.deepEqual(
    rows,
    truth.map(({ txid, logIndex, amount, height }) => ({ txid, logIndex, amount, height, credits: 1 })),
  )
  const { rows: chain } = await pool.query(
    `select count(*)::int as blocks, max(height) as last,
            count(*) filter (where parent_hash = (select p.hash from chain_block p where p.height = b.height - 1))::int as linked
       from chain_block b`,
  )
  assert.deepEqual(chain[0], { blocks: chain[0].last, last: chain[0].last, linked: chain[0].blocks - 1 })
}
