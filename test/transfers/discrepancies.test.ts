import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addDiscrepancyCommands } from '../../src/cli/discrepancy-commands.ts'
import { firstPage } from '../../src/db/id-page.ts'
import { acknowledgeDiscrepancy } from '../../src/transfers/acknowledge-discrepancy.ts'
import {
  listDiscrepancies,
  noteDiscrepancy,
  openDiscrepancies,
  resolveDiscrepancy,
} from '../../src/transfers/discrepancy-store.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedAddress } from '../support/seed.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'

const { pool } = await cloneDatabase()
const shop = await seedMerchant(pool, anyShop)
const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
const [ours, theirs] = [
  await seedAddress(pool, { merchantId: shop.id, localusermark: 'u1' }),
  await seedAddress(pool, { merchantId: other.id, localusermark: 'x1' }),
]
const excess = (address: string, usdt: string) =>
  noteDiscrepancy(pool, { kind: 'balance_excess', subject: address, detail: { usdt } })
await excess(ours.address, '5')
await excess(theirs.address, '7')
await noteDiscrepancy(pool, { kind: 'block_header', subject: '123', detail: { hash: 'ab' } })
const all = await listDiscrepancies(pool, firstPage(10))
const acknowledge = (id: bigint, actor = 'alice') =>
  acknowledgeDiscrepancy(pool, { id, actor, reason: 'bought before we watched it' })

test('they are listed page by page, those of one merchant by its addresses', async () => {
  assert.deepEqual(
    all.map(({ kind, subject, appid }) => [kind, subject, appid]),
    [
      ['balance_excess', ours.address, anyShop.appid],
      ['balance_excess', theirs.address, other.appid],
      ['block_header', '123', null],
    ],
  )
  const ids = async (page: Parameters<typeof listDiscrepancies>[1]) =>
    (await listDiscrepancies(pool, page)).map(({ id }) => id)
  assert.deepEqual(await ids({ ...firstPage(1), after: all[0]!.id }), [all[1]!.id])
  assert.deepEqual(await ids({ ...firstPage(10), merchantId: shop.id }), [all[0]!.id])
})

test('one that a person acknowledges counts no more, is audited once, and stays in the list', async () => {
  assert.equal(await openDiscrepancies(pool), 3)
  const [{ id }] = all as [(typeof all)[0]]
  const results = await Promise.all([acknowledge(id), acknowledge(id, 'bob')])
  assert.deepEqual(results.sort(), ['already', 'done'])
  assert.equal(await acknowledge(id), 'already')
  assert.equal(await openDiscrepancies(pool), 2)
  const [listed] = await listDiscrepancies(pool, firstPage(1))
  assert.equal(listed!.acknowledgedReason, 'bought before we watched it')
  const { rows } = await pool.query(
    `select actor, reason, detail from audit_event where action ~ '^discrepancy' order by id`,
  )
  assert.equal(rows.length, 1)
  assert.deepEqual([rows[0].actor, rows[0].reason], [listed!.acknowledgedBy, listed!.acknowledgedReason])
  assert.deepEqual(rows[0].detail, {
    ...{ kind: 'balance_excess', about: ours.address },
    found: { usdt: '5' },
  })
})

test('found again as it was it stays acknowledged; as another one it does not', async () => {
  await excess(ours.address, '5')
  assert.equal(await openDiscrepancies(pool), 2)
  await excess(ours.address, '6')
  assert.equal(await openDiscrepancies(pool), 3)
  const [listed] = await listDiscrepancies(pool, firstPage(1))
  assert.deepEqual(
    [listed!.acknowledgedAt, listed!.acknowledgedBy, listed!.acknowledgedReason],
    [null, null, null],
  )
  assert.equal(await acknowledge(listed!.id), 'done')
})

test('one that is no longer found, or never was, is not acknowledged', async () => {
  await resolveDiscrepancy(pool, { kind: 'block_header', subject: '123' })
  assert.equal(await acknowledge(all[2]!.id), 'resolved')
  assert.equal(await acknowledge(999n), 'unknown')
})

test('the command lists and acknowledges them', async t => {
  process.env.DATABASE_URL = pool.options.connectionString!
  const discrepancies = (...args: string[]) =>
    commandInProcess(t, addDiscrepancyCommands, 'discrepancies', ...args)
  assert.match(await discrepancies('list'), /balance_excess .*"usdt":"7"/)
  const acknowledged = ['acknowledge', `${all[1]!.id}`, '--reason', 'known', '--by', 'bob']
  assert.equal(await discrepancies(...acknowledged), `discrepancy ${all[1]!.id} is acknowledged`)
  assert.equal(await discrepancies(...acknowledged), `discrepancy ${all[1]!.id} is acknowledged already`)
  await assert.rejects(discrepancies('acknowledge', '999', '--reason', 'x'), /there is no discrepancy 999/)
})
