import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { CallbackId } from '../../src/base/ids.ts'
import { leaseCallbacks, renewLeases } from '../../src/callbacks/leasing/lease-store.ts'
import { cloneDatabase } from '../support/database.ts'

test('callbacks in every state come through the move into the outbox, leases and history with them', async () => {
  const { pool } = await cloneDatabase()
  await pool.query('drop schema public cascade; create schema public')
  // As it was before the migration, by hand: the seed kit writes today's tables.
  for (const name of ['0001_gateway', '0002_following', '0003_rescan']) await pool.query(await sqlOf(name))
  await pool.query(
    `with counter as (
       insert into address_counter (public_key, chain_code, xpub)
       values (decode(repeat('02', 33), 'hex'), decode(repeat('00', 32), 'hex'), 'xpub') returning id
     )
     insert into merchant (appid, name, address_counter_id)
     select 'VunTq7Zk2Lm9h1l8', 'shop', id from counter;
     insert into deposit_address (address, address_bytes, merchant_id, localusermark, username, is_base)
     select 'T' || repeat('1', 33), decode(repeat('01', 20), 'hex'), id, '1', 'u', true from merchant;
     insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, announced, expires_at)
     select merchant_id, 'o', 'u', '1', id, 5000000, 5000000, 50000, now() from deposit_address;
     insert into transfer
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index)
     select repeat('0', 64), n, id, 'T', 1000000, 1, 'h', now(), 0 from deposit_address, generate_series(1, 5) n;
     insert into credit (transfer_id, order_id, amount, received, late)
     select t.id, o.id, 1000000, 1000000, false from transfer t, recharge_order o order by t.log_index;
     insert into callback_lane (merchant_id, origin) select id, 'none' from merchant;
     insert into callback
       (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id, state, attempts,
        schedule_step, due_at, lease_epoch, leased_until, last_status, delivered_at)
     select 'cb_' || lpad(c.id::text, 32, '0'), o.merchant_id, o.id, c.id, 10000, 1000000, 'paid', false, l.id, s.state,
            s.attempts, s.step, '2026-11-01', s.epoch,
            case when s.state = 'in_flight' then now() + interval '1 hour' end, s.status,
            case when s.state = 'delivered' then timestamptz '2026-11-02' end
       from (values (1, 'due', 2, 2, 3, 503), (2, 'in_flight', 0, 0, 7, null), (3, 'held', 0, 0, 0, null),
                    (4, 'delivered', 1, 1, 1, 200), (5, 'exhausted', 15, 15, 15, 500))
              as s (n, state, attempts, step, epoch, status)
       join credit c on c.id = (select id from credit order by id offset s.n - 1 limit 1)
       join recharge_order o on o.id = c.order_id
       join callback_lane l on true;
     insert into callback_attempt (callback_id, attempt, started_at, duration_ms, url, outcome)
     select id, 15, '2026-11-05', 1, 'u', 'refused' from callback where state = 'exhausted'`,
  )
  for (const name of ['0004_outbox', '0007_lease']) await pool.query(await sqlOf(name))
  const { rows } = await pool.query(
    `select s.state, s.due_at, s.schedule_step as step, c.attempts, c.last_status as status, c.delivered_at, c.exhausted_at
       from callback c
       join callback_state s on s.callback_id = c.id
      order by c.id`,
  )
  const open = { due_at: await timeOf('2026-11-01'), delivered_at: null, exhausted_at: null }
  const over = { due_at: null, step: null, delivered_at: null, exhausted_at: null }
  assert.deepEqual(rows, [
    { ...open, state: 'due', step: 2, attempts: 2, status: 503 },
    { ...open, state: 'in_flight', step: 0, attempts: 0, status: null },
    { ...open, state: 'held', step: 0, attempts: 0, status: null },
    { ...over, state: 'delivered', attempts: 1, status: 200, delivered_at: await timeOf('2026-11-02') },
    { ...over, state: 'exhausted', attempts: 15, status: 500, exhausted_at: await timeOf('2026-11-05') },
  ])
  // The function of now: a migration's own is replaced by its file. It writes a column of later.
  await pool.query('alter table callback_lane add column cap_reached boolean not null default false')
  await pool.query(
    await readFile(new URL('../../prisma/routines/lease_callbacks.sql', import.meta.url), 'utf8'),
  )
  const times = { leaseMs: 30_000, marginMs: 15_000 }
  const underWay = { id: 2n as CallbackId, epoch: 7n }
  assert.equal((await renewLeases(pool, [underWay], times)).length, 1, 'a call under way is still good')
  const [lease] = await leaseCallbacks(pool, 5, 30_000)
  assert.equal(lease!.id, 1n)
  assert(lease!.epoch > 15n, 'no call of before fits a lease of now')

  async function timeOf(text: string): Promise<Date> {
    return (await pool.query(`select $1::timestamptz as at`, [text])).rows[0].at
  }
})

function sqlOf(name: string): Promise<string> {
  return readFile(new URL(`../../prisma/migrations/${name}/migration.sql`, import.meta.url), 'utf8')
}
