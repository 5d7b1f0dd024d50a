import type { MerchantId } from '../../src/base/ids.ts'
import { type Pool, run } from '../../src/db/pool.ts'
import { followChain } from './api-under-test.ts'
import { seedMerchants } from './seed-merchant.ts'

/** How many rows each of the big tables has, at least. */
export const bigTableRows = 5_000
const orders = 25_000
const waiting = 6_000

/** What a row of number n has: the same text wherever it is named. */
export const bigRow = {
  txid: (n: number) => n.toString(16).padStart(64, '0'),
  key: (n: number) => `cb_${n.toString(16).padStart(32, '0')}`,
  orderid: (n: number) => `big-${n}`,
  user: (n: number) => `user-${n}`,
}

/**
 * Fills a database with some 150 000 rows: nearly all of one merchant, a few of another, and thirty with nothing. Order n is
 * paid by transfer n and announced by callback n; transfers above 25 000 wait. The other merchant has the last ten orders.
 */
export async function seedBigDatabase(pool: Pool): Promise<{ big: MerchantId; small: MerchantId }> {
  await followChain(pool)
  const merchants = await seedMerchants(
    pool,
    Array.from({ length: 32 }, (_, n) => ({ name: `shop ${n}`, callbackUrl: 'https://shop.example/cb' })),
  )
  const [big, small] = merchants.map(({ id }) => id) as [MerchantId, MerchantId]
  const ids = [big, small]
  await run(
    pool,
    `insert into deposit_address (address, address_bytes, merchant_id, localusermark, username, is_base)
     select 'T' || left(translate(encode(h, 'hex'), '0', 'z'), 33), substring(h for 20),
            case when n > ${orders - 10} and n <= ${orders} then $2::bigint else $1 end, 'user-' || n, 'u', true
       from generate_series(1, ${orders + waiting}) n, lateral (select sha256(n::text::bytea) as h) hashed
      order by n`,
    ids,
  )
  const numbered = `(select *, row_number() over (order by id) as n from deposit_address) a`
  await run(
    pool,
    `insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, announced, created_at, expires_at)
     select merchant_id, 'big-' || n, username, localusermark, id, n * 10000, n * 10000, n * 100,
            now() - interval '90 days' + n * interval '5 minutes', now() - interval '89 days' + n * interval '5 minutes'
       from ${numbered}
      where n <= ${orders}
      order by n`,
  )
  await run(
    pool,
    `insert into pay_link (order_id, token) select id, substring(sha256(id::text::bytea) for 16) from recharge_order`,
  )
  await run(
    pool,
    `insert into transfer
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index)
     select lpad(to_hex(n), 64, '0'), 0, id, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', n * 10000, n, 'hash', now(), 0
       from ${numbered}
      order by n`,
  )
  await run(
    pool,
    `insert into credit (transfer_id, order_id, amount, received, late)
     select t.id, o.id, o.amount, o.amount, t.id % 100 = 0
       from recharge_order o
       join transfer t on t.deposit_address_id = o.deposit_address_id
      order by t.id`,
  )
  await run(
    pool,
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason)
     select t.id, t.deposit_address_id, 'unclaimed' from transfer t left join credit c on c.transfer_id = t.id where c.id is null`,
  )
  await run(
    pool,
    `insert into callback_lane (merchant_id, origin) select id, 'https://shop.example:443' from merchant`,
  )
  await run(
    pool,
    `insert into callback
       (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id, delivered_at)
     select 'cb_' || lpad(to_hex(t.block_height), 32, '0'), o.merchant_id, o.id, c.id, o.amount / 100, o.amount, 'paid', c.late,
            l.id, now()
       from credit c
       join recharge_order o on o.id = c.order_id
       join transfer t on t.id = c.transfer_id
       join callback_lane l on l.merchant_id = o.merchant_id
      order by c.id`,
  )
  await run(
    pool,
    `insert into pending_proof
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, node, hosts,
        ended_at, ended_as)
     select 'e' || lpad(to_hex(block_height), 63, '0'), 0, deposit_address_id, from_address, amount, block_height, 'hash', now(), 0, 'n', '{n}',
            now(), 'rejected'
       from transfer where block_height <= ${waiting}`,
  )
  await run(
    pool,
    `insert into seen_transfer (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time)
     select 'f' || lpad(to_hex(block_height), 63, '0'), 0, deposit_address_id, from_address, amount, block_height + 1000000, 'hash', now()
       from transfer where block_height <= ${waiting}`,
  )
  await run(
    pool,
    `insert into quarantine (txid, log_index, block_height, tx_index, reason, log)
     select 'd' || lpad(to_hex(n), 63, '0'), 0, n, 0, 'not understood', '{}' from generate_series(1, ${waiting}) n`,
  )
  await run(pool, 'analyze')
  return { big, small }
}
