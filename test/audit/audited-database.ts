import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { makePartitions } from '../../src/db/partitions.ts'
import { inTransaction, type Pool } from '../../src/db/pool.ts'
import { addOrder, type CreditedChain, creditedChain } from '../credits/credited-chain.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { seedAddress } from '../support/seed.ts'
import { seedAttempt } from '../support/seed-callback.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

/**
 * Two merchants and what may happen to orders: u1's is paid in parts, with a rest that is carried (transfers 1, 2, 4), u2's
 * overpaid late (5), u3 has no order (3), the other merchant's u4 pays exactly (6), and u5's payment is held (7). Of the
 * callbacks, u1's first is acknowledged, u2's exhausted after a 503, the others are due.
 */
export async function auditedDatabase(): Promise<CreditedChain> {
  const it = await creditedChain('audited', 40_000_000n)
  const { pool } = it
  await makePartitions(pool, new Date())
  const { rows } = await pool.query(`select id, address_counter_id from merchant`)
  const [shop] = rows
  const other = await seedMerchant(pool, {
    appid: 'Other0therOther1',
    name: 'other shop',
    callbackUrl: 'https://other.example/cb',
    addressCounterId: shop.address_counter_id,
  })
  const to: Record<string, Buffer> = {}
  for (const user of ['u1', 'u2', 'u3', 'u5', 'u4']) {
    const { bytes } = await seedAddress(pool, {
      merchantId: user === 'u4' ? other.id : shop.id,
      localusermark: user,
      username: `name of ${user}`,
      bytes: bytesFor(user),
    })
    to[user] = bytes
  }
  await pool.query(
    `update deposit_address set counter_id = (select id from address_counter), index = id - 1 where localusermark <> 'u5'`,
  )
  await pool.query(`update address_counter set next_index = 5`)
  await addOrder(pool, 'u1', 'o-1', 3_000_000, 0)
  await addOrder(pool, 'u2', 'o-2', 5_000_000, 0, 5)
  await addOrder(pool, 'u4', 'o-4', 7_000_000, 0)
  await addOrder(pool, 'u5', 'o-5', 50_000_000, 0)
  await it.credit([
    it.block(3, [[{ toBytes: to.u1!, units: 1_000_050n }]]),
    it.block(6, [[{ toBytes: to.u1!, units: 40n }], [{ toBytes: to.u3!, units: 9_000_000n }]]),
    it.block(9, [[{ toBytes: to.u1!, units: 10n }], [{ toBytes: to.u2!, units: 6_000_000n }]]),
    it.block(12, [[{ toBytes: to.u4!, units: 7_000_000n }], [{ toBytes: to.u5!, units: 50_000_000n }]]),
    it.block(15, []),
  ])
  await deliver(pool, 'o-1', 'acknowledged', 200)
  await deliver(pool, 'o-2', 'refused', 503)
  return it
}

/** What the courier writes when an order's first callback is acknowledged, or given up. */
async function deliver(
  pool: Pool,
  orderid: string,
  outcome: 'acknowledged' | 'refused',
  status: number,
): Promise<void> {
  await inTransaction(pool, async tx => {
    const { rows } = await tx.query(
      `select min(b.id) as id from callback b join recharge_order o on o.id = b.order_id where o.orderid = $1`,
      [orderid],
    )
    const answer = outcome === 'refused' ? 'busy' : 'ok'
    await seedAttempt(tx, { callbackId: rows[0].id, outcome, status, answer })
    await tx.query(
      `update callback
          set attempts = 1, last_status = $3, delivered_at = case when $2 = 'acknowledged' then now() end,
              exhausted_at = case when $2 = 'refused' then now() end
        where id = $1`,
      [rows[0].id, outcome, status],
    )
    await tx.query(`delete from callback_outbox where callback_id = $1`, [rows[0].id])
  })
}

/** Changes rows as nobody can who works by the rules: past triggers and foreign keys, as only a superuser's session may. */
export async function tamper(pool: Pool, sql: string): Promise<void> {
  await inTransaction(pool, async tx => {
    await tx.query(`set local session_replication_role = replica`)
    await tx.query(sql)
  })
}

/** The checks that differ, with how many differences, and everything they say of them. */
export async function differencesOf(
  pool: Pool,
  appid: string | null = null,
): Promise<{ checks: Record<string, number>; said: string }> {
  const { checks } = await auditGateway(pool, { appid, dueMaxS: 900 })
  const differing = checks.filter(({ differences }) => differences > 0)
  return {
    checks: Object.fromEntries(differing.map(({ name, differences }) => [name, differences])),
    said: differing
      .flatMap(({ name, first }) => first.map(one => `${name} ${one.appid} ${one.subject}: ${one.detail}`))
      .join('\n'),
  }
}
