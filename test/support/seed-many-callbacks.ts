import type { MerchantId } from '../../src/base/ids.ts'
import { inTransaction, type Pool } from '../../src/db/pool.ts'
import { seedAddress } from './seed.ts'
import { seedMerchants } from './seed-merchant.ts'

/**
 * Adds callbacks by the ten thousand, made by the database, each of an order of its own, with two attempts. They are of 20
 * merchants with two origins each, in turn. Of ten, six are delivered, and one each is due,
 * due again after it failed, held and exhausted. What they announce is in no other table; each order's request is in the history.
 * @returns the merchants' ids.
 */
export async function seedManyCallbacks(pool: Pool, count: number): Promise<MerchantId[]> {
  const merchants = await seedMerchants(
    pool,
    Array.from({ length: 20 }, () => ({ callbackUrl: 'https://shop.example/cb' })),
  )
  const ids = merchants.map(({ id }) => id)
  const { addressId } = await seedAddress(pool, { merchantId: ids[0]! })
  await inTransaction(pool, async tx => {
    // Without the checks of references.
    await tx.query('set local session_replication_role = replica')
    await tx.query(
      `insert into callback_lane (merchant_id, origin)
       select id, 'https://shop' || n || '.example:443' from unnest($1::bigint[]) id, generate_series(0, 1) n`,
      [ids],
    )
    await tx.query(
      `insert into recharge_order
         (id, merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, created_at, expires_at)
       overriding system value
       select n, ($1::bigint[])[1 + n / 10 % 20], 'o-' || n, 'u', 'u', $3, 1000000, 1000000,
              now() - ($2 - n) * interval '1 second', now() + interval '1 day'
         from generate_series(1, $2::int) n`,
      [ids, count, addressId],
    )
    await tx.query(
      `insert into callback
         (id, key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id, attempts, created_at,
          delivered_at, exhausted_at)
       overriding system value
       select o.id, 'cb_' || lpad(to_hex(o.id), 32, '0'), o.merchant_id, o.id, o.id, 10000, 1000000, 'paid', false,
              (select id from callback_lane l
                where l.merchant_id = o.merchant_id and l.origin = 'https://shop' || o.id / 200 % 2 || '.example:443'),
              2, o.created_at,
              case when o.id % 10 >= 4 then o.created_at + interval '1 second' end,
              case when o.id % 10 = 3 then o.created_at + interval '3 days' end
         from recharge_order o`,
    )
    await tx.query(
      `insert into callback_outbox (callback_id, lane_id, state, due_at, schedule_step)
       select id, lane_id, case when id % 10 = 2 then 'held' else 'due' end, created_at, case when id % 10 = 1 then 2 else 0 end
         from callback
        where id % 10 < 3`,
    )
    await tx.query(
      `insert into callback_attempt (callback_id, attempt, started_at, duration_ms, url, outcome, status, answer)
       select id, n, created_at + n * interval '1 millisecond', 12, 'https://shop.example/cb', 'refused', 500, 'no'
         from callback, generate_series(1, 2) n`,
    )
    await tx.query(
      `insert into api_request (merchant_id, endpoint, code, orderid, client_address, started_at, duration_ms)
       select merchant_id, 'TraderRechargeorder', 'ok', orderid, '192.0.2.1', created_at, 5 from recharge_order`,
    )
  })
  await pool.query(
    'vacuum analyze callback, callback_outbox, callback_attempt, recharge_order, callback_lane, api_request',
  )
  return ids
}
