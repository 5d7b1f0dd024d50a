import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTransaction } from '../../src/db/pool.ts'
import { insertTransfers, transfersToUs } from '../../src/transfers/transfer-store.ts'
import { addAddress, creditedChain } from '../credits/credited-chain.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { seedNumberedAddresses } from '../support/seed-numbered.ts'

test('a batch that pays thousands of strangers finds the one address that is ours without reading the others', async () => {
  const { pool, block } = await creditedChain()
  const ours = await addAddress(pool, 'u1')
  await seedNumberedAddresses(pool, { first: 1, count: 3_000 })
  await pool.query('analyze deposit_address')
  const payments = Array.from({ length: 3_000 }, (_, i) => [
    { toBytes: bytesFor(`stranger ${i}`), units: 1n },
  ]).toSpliced(1_234, 0, [{ toBytes: ours, units: 5n }])
  await inTransaction(pool, async tx => {
    const scans = async () =>
      (await tx.query(`select seq_scan from pg_stat_xact_user_tables where relname = 'deposit_address'`))
        .rows[0]
    const before = await scans()
    const recorded = await insertTransfers(tx, await transfersToUs(tx, [block(3, payments)], 1))
    assert.deepEqual(
      recorded.map(({ amount, txIndex }) => ({ amount, txIndex })),
      [{ amount: 5n, txIndex: 1_234 }],
    )
    // As many look-ups as there are strangers: read whole, the table would cost more with every address in it.
    assert.deepEqual(await scans(), before)
  })
})
