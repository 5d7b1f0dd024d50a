import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditGateway } from '../../src/audit/audit-gateway.ts'
import { usdt } from '../../src/base/money.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { releaseHeld } from '../../src/credits/release-held.ts'
import { settleDue } from '../../src/credits/settle.ts'
import { migrate } from '../../src/db/migrate.ts'
import {
  addAddress,
  addMerchant,
  addOrder,
  assertNoneHomeless,
  assertTotalsAddUp,
  at,
  orderOf,
  waiting,
} from '../credits/credited-chain.ts'
import { playedHosts, rulesFor } from '../credits/played-hosts.ts'
import { prismaFolder, rebuildBefore } from '../support/before-migration.ts'
import { bytesFor, makeBlock } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { recordLog } from '../support/recorded-log.ts'

const { log } = recordLog()
const proofMigration = '0020_proof'

test('a database with transfers, a held one and a cursor from before goes on, and what it has already keeps no proof', async () => {
  const { pool } = await cloneDatabase()
  await rebuildBefore(pool, proofMigration)
  const genesisId = makeBlock('before', null, at(0), []).parentHash
  const pin = { network: 'private', genesisId, usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' }
  const first = makeBlock('before', null, at(3), [
    [{ toBytes: bytesFor('u1'), units: 30n }],
    [{ toBytes: bytesFor('u1'), units: 500n }],
    [{ toBytes: bytesFor('u1'), units: 40n }],
  ])
  await addMerchant(pool)
  await addAddress(pool, 'u1')
  await addOrder(pool, 'u1', 'o-1', 1000, 1)
  // What the code before wrote: one credited, one held for a second node, one behind it.
  await pool.query(
    `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
     values ('private', $1, $2, 0, 1, $3, $4)`,
    [genesisId, pin.usdtContract, first.hash, first.time],
  )
  await pool.query(
    `insert into chain_block (height, hash, parent_hash, block_time, transaction_count, transfer_count) values (1, $1, $2, $3, 3, 3)`,
    [first.hash, first.parentHash, first.time],
  )
  for (const [n, { txid, amount, txIndex }] of first.transfers.entries()) {
    await pool.query(
      `with t as (
         insert into transfer (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index)
         select $1, 0, id, $5, $2, 1, $3, $4, $6 from deposit_address returning id, deposit_address_id)
       insert into waiting_transfer (transfer_id, deposit_address_id, reason, node)
       select id, deposit_address_id, $7, 'a' from t`,
      [txid, amount, first.hash, first.time, payer, txIndex, ['behind', 'held', 'behind'][n]],
    )
  }

  await migrate(pool, log, prismaFolder)
  const rules = { ...pin, graceMs: 0, quorumAmount: usdt(100n), proof: rulesFor(2) }
  // The held one is released as before, and what waited is credited.
  await releaseHeld(pool, rules, async () => ({ kind: 'agreed' }))
  assert.deepEqual(await waiting(pool), [])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 570n, announced: 5n })
  // Following goes on from the cursor.
  const second = makeBlock('before', first, at(6), [
    [{ toBytes: bytesFor('u1'), units: 7n }],
    [{ toBytes: bytesFor('u1'), units: 8n }],
  ])
  const shown = {
    ...second,
    node: 'a',
    transfers: second.transfers.map((one, n) => ({ ...one, signed: n === 0 })),
  }
  const done = await creditBlocks(pool, rules, (await readCursor(pool))!, [shown])
  assert.deepEqual([done!.credits, done!.unproved], [1, 1])
  await settleDue(pool, rules, playedHosts({ a: () => shown, b: () => shown }))
  const { rows } = await pool.query(
    `select t.amount, t.proof from report.transfers v join lateral (select v.amount_units as amount, v.proof) t on true order by v.transfer_id`,
  )
  assert.deepEqual(
    rows.map(({ amount, proof }) => [amount, proof]),
    [
      [30n, null],
      [500n, null],
      [40n, null],
      [7n, 'signed'],
      [8n, 'agreed'],
    ],
  )
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 585n, announced: 5n })
  await assertNoneHomeless(pool)
  await assertTotalsAddUp(pool)
  const { checks } = await auditGateway(pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
})

test('code from before goes on beside it: what it does not know of, it does not need', async () => {
  const { pool } = await cloneDatabase()
  const { rows } = await pool.query(
    `select table_name, column_name from information_schema.columns
      where table_schema = 'public' and table_name in ('transfer', 'waiting_transfer', 'credit', 'chain_cursor')
        and is_nullable = 'NO' and column_default is null and is_identity = 'NO' and is_generated = 'NEVER'`,
  )
  // The migration adds no column to what the code before writes.
  const before = new Set(await columnsBefore())
  assert.deepEqual(
    rows.map(row => `${row.table_name}.${row.column_name}`).filter(name => !before.has(name)),
    [],
  )
})

const payer = 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'

async function columnsBefore(): Promise<string[]> {
  const { pool } = await cloneDatabase()
  await rebuildBefore(pool, proofMigration)
  const { rows } = await pool.query(
    `select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'public'`,
  )
  return rows.map(({ name }) => name)
}
