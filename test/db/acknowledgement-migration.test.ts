import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createPrisma } from '../../src/db/prisma-client.ts'
import { listMerchants } from '../../src/merchants/list-merchants.ts'
import { prismaFolder, rebuildBefore } from '../support/before-migration.ts'
import { cloneDatabase } from '../support/database.ts'

test('a word that was set before may go on standing anywhere in an answer', async () => {
  const { pool } = await cloneDatabase()
  await rebuildBefore(pool, '0024_acknowledgement')
  // By hand: the seed kit writes today's tables.
  await pool.query(
    `with counter as (
       insert into address_counter (public_key, chain_code, xpub)
       select decode(repeat('02', 32) || lpad(n::text, 2, '0'), 'hex'), decode(repeat('00', 32), 'hex'), 'xpub'
         from generate_series(1, 2) n
       returning id
     )
     insert into merchant (appid, name, address_counter_id, acknowledgement)
     select 'VunTq7Zk2Lm9h1l' || n, 'shop', id, case n when 1 then 'success' end
       from (select id, row_number() over (order by id) as n from counter) counter`,
  )
  await migrate(pool, createLog('silent', 'test'), prismaFolder)
  const merchants = await listMerchants(createPrisma(pool))
  assert.deepEqual(
    merchants.map(({ acknowledgement, acknowledgementAnywhere }) => [
      acknowledgement,
      acknowledgementAnywhere,
    ]),
    [
      ['success', true],
      [null, false],
    ],
  )
})
