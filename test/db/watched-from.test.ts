import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { cloneDatabase } from '../support/database.ts'

test('addresses imported before there was a first block for each get the first one no older than their import', async () => {
  const { pool } = await cloneDatabase()
  await pool.query('drop schema public, report cascade; create schema public')
  // As it was before the migration, by hand: the seed kit writes today's tables.
  for (const name of ['0001_gateway', '0002_following']) await pool.query(await sqlOf(name))
  await pool.query(
    `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
     values ('private', repeat('0', 64), 'T', 4, 14, repeat('0', 64), '2026-01-01 00:00:42');
     insert into chain_block (height, hash, parent_hash, block_time, transaction_count, transfer_count)
     select h, 'h', 'p', '2026-01-01'::timestamptz + h * interval '3 s', 0, 0 from generate_series(5, 14) h;
     with counter as (
       insert into address_counter (public_key, chain_code, xpub)
       values (decode(repeat('02', 33), 'hex'), decode(repeat('00', 32), 'hex'), 'xpub') returning id),
     merchant as (
       insert into merchant (appid, name, address_counter_id)
       select 'VunTq7Zk2Lm9h1l8', 'shop', id from counter returning id, address_counter_id)
     insert into deposit_address (address, address_bytes, merchant_id, localusermark, username, is_base, counter_id, index, created_at)
     select 'T' || repeat(n::text, 33), decode(repeat(lpad(n::text, 2, '0'), 20), 'hex'), id, n::text, 'u', true,
            case when n = 9 then address_counter_id end, case when n = 9 then 0 end,
            '2026-01-01'::timestamptz + n * interval '7 s'
       from merchant, unnest(array[1, 3, 5, 8, 9]) n`,
  )
  await pool.query(await sqlOf('0003_rescan'))
  const { rows } = await pool.query('select localusermark, watched_from from deposit_address order by id')
  assert.deepEqual(
    rows.map(row => [row.localusermark, row.watched_from]),
    [
      ['1', 5],
      ['3', 7],
      ['5', 12],
      // Younger than every block: from the next one on.
      ['8', 15],
      // Derived.
      ['9', null],
    ],
  )
})

function sqlOf(migration: string): Promise<string> {
  return readFile(new URL(`../../prisma/migrations/${migration}/migration.sql`, import.meta.url), 'utf8')
}
