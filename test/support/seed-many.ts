import { type Pool, type Queryable, run } from '../../src/db/pool.ts'

// A gateway that has run for a while, made by the database in few statements: for reading plans and for measuring. Its rows have
// the shapes that matter: merchants of different sizes, orders in the order of their time, every state, attempts that failed.

export interface Many {
  merchants: number
  orders: number
  /** Spread over the last so many days. */
  days: number
  /** Attempts of each callback, on average; a callback's last one is the one that counts. */
  attempts: number
}

const slice = 50_000

/** The appid of merchant n, from 0 on. */
export const appidOf = (n: number) => `Merchant${`${n}`.padStart(8, '0')}`

/** Adds merchants with the ids 1, 2, ... A quarter of the orders are of the first, the others have the rest in equal parts. */
export async function seedMany(pool: Pool, many: Many): Promise<void> {
  const { merchants, orders, days } = many
  await run(
    pool,
    `with counter as (
       insert into address_counter (public_key, chain_code, xpub, next_index)
       values (decode('02' || repeat('11', 32), 'hex'), decode(repeat('22', 32), 'hex'), 'xpub of many', 1)
       returning id
     ), merchant_added as (
       insert into merchant (id, appid, name, address_counter_id, callback_url)
       overriding system value
       select n + 1, 'Merchant' || lpad(n::text, 8, '0'), 'Merchant ' || n, counter.id, 'https://m' || n || '.example/cb'
         from counter, generate_series(0, $1::int - 1) n
       returning id
     )
     insert into callback_lane (id, merchant_id, origin)
     overriding system value
     select id, id, 'https://m' || id - 1 || '.example:443' from merchant_added`,
    [merchants],
  )
  for (let month = 0; month <= days / 28 + 1; month++)
    for (const table of ['callback_attempt', 'api_request'])
      await run(pool, `select make_month_partitions($1, now() - make_interval(months => $2))`, [table, month])
  for (let first = 1; first <= orders; first += slice)
    await seedSlice(pool, { ...many, first, last: Math.min(first + slice - 1, orders) })
  for (const table of [
    'merchant',
    'callback_lane',
    'deposit_address',
    'recharge_order',
    'transfer',
    'credit',
    'callback',
  ])
    await run(pool, `select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`)
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
  )
  for (const { name } of tables) await run(pool, `vacuum analyze "${name}"`)
}

type Slice = Many & { first: number; last: number }

/**
 * Order n is of user n / 5, and pays as n % 10 says: 0 nothing, 1 too little, 2 too much, otherwise exactly. Its transfer, credit
 * and callback have the number n, too. Of a thousand callbacks two are exhausted; of the last thousand some are due.
 */
async function seedSlice(
  db: Queryable,
  { merchants, orders, days, attempts, first, last }: Slice,
): Promise<void> {
  const numbers = `
    select n, case when n / 5 % 4 = 0 then 1 else n / 20 % $3::int + 1 end as merchant_id, n / 5 + 1 as user_no,
           now() - ($4::int - n) * ($5::float8 * interval '1 day' / $4::int) as at,
           ((n::bigint * 7919) % 900 + 100) * 100000 as amount,
           case n % 10 when 0 then 0 when 1 then 500000 when 2 then ((n::bigint * 7919) % 900 + 100) * 100000 + 1000000
             else ((n::bigint * 7919) % 900 + 100) * 100000 end as received
      from generate_series($1::int, $2::int) n`
  const values = [first, last, merchants, orders, days]
  await run(
    db,
    `with many as (${numbers}), addresses as (
       insert into deposit_address (id, address, address_bytes, merchant_id, localusermark, username, is_base, created_at)
       overriding system value
       select distinct on (user_no) user_no,
              'T' || left(translate(encode(sha256(user_no::text::bytea), 'hex'), '0', 'z'), 33),
              substring(sha256(user_no::text::bytea) for 20), merchant_id, 'u' || user_no, 'user' || user_no, true, at
         from many
           on conflict do nothing
     )
     select 1`,
    values,
  )
  await run(
    db,
    `insert into recharge_order
       (id, merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, announced, created_at, expires_at)
     overriding system value
     select n, merchant_id, 'order-' || n, 'user' || user_no, 'u' || user_no, user_no, amount, received, received / 100,
            at, at + interval '1 day'
       from (${numbers}) many`,
    values,
  )
  await run(
    db,
    `insert into pay_link (order_id, token)
     select n, decode(md5(n::text), 'hex') from generate_series($1::int, $2::int) n`,
    [first, last],
  )
  await run(
    db,
    `insert into transfer (id, txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index, created_at)
     overriding system value
     select n, encode(sha256(('tx' || n)::bytea), 'hex'), 0, user_no, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', greatest(received, 250000),
            n, 'hash', at + interval '1 minute', 0, at + interval '2 minutes'
       from (${numbers}) many
      -- Some orders without a payment stand for transfers that nobody claims.
      where received > 0 or n % 990 = 0`,
    values,
  )
  await run(
    db,
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason, created_at)
     select n, user_no, 'unclaimed', at from (${numbers}) many where n % 990 = 0`,
    values,
  )
  await run(
    db,
    `insert into credit (id, transfer_id, order_id, amount, received, late, created_at)
     overriding system value
     select n, n, n, received, received, false, at + interval '2 minutes' from (${numbers}) many where received > 0`,
    values,
  )
  const exhausted = 'n % 500 = 3'
  const due = `n > $4::int - 1000 and n % 50 = 4`
  await run(
    db,
    `with many as (${numbers}), announced as (
       insert into callback (id, key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id, attempts,
                             last_status, delivered_at, exhausted_at, created_at)
       overriding system value
       select n, 'cb_' || md5('cb' || n), merchant_id, n, n, received / 100, received,
              case when received < amount then 'underpaid' when received = amount then 'paid' else 'overpaid' end,
              false, merchant_id, $6::int, case when ${exhausted} or ${due} then 500 else 200 end,
              case when not (${exhausted} or ${due}) then at + interval '2 minutes' + (n % 40) * interval '100 milliseconds' end,
              case when ${exhausted} then at + interval '1 hour' end, at + interval '2 minutes'
         from many
        where received > 0
     )
     insert into callback_outbox (callback_id, lane_id, state, due_at, schedule_step)
     select n, merchant_id, 'due', now() - interval '5 seconds', 1
       from many
      where received > 0 and ${due} and not (${exhausted})`,
    [...values, Math.ceil(attempts)],
  )
  await run(
    db,
    `insert into callback_attempt (callback_id, attempt, started_at, duration_ms, url, outcome, status, answer)
     select n, attempt, at + interval '2 minutes' + attempt * interval '10 seconds', (n % 40) * 5 + 3,
            'https://m' || (merchant_id - 1) || '.example/cb',
            case when attempt = last then 'acknowledged' else 'refused' end, case when attempt = last then 200 else 500 end, 'ok'
       from (select *, floor($6::float8)::int + (n % 1000 < ($6::float8 - floor($6::float8)) * 1000)::int as last
               from (${numbers}) all_many where received > 0) many,
            generate_series(1, last) attempt`,
    [...values, attempts],
  )
}
