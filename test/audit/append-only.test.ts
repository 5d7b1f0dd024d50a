import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { assignUnclaimed } from '../../src/credits/assign-unclaimed.ts'
import { makeMark } from '../../src/credits/make-mark.ts'
import { auditedDatabase } from './audited-database.ts'

const { pool, rules } = await auditedDatabase()
const because = { actor: 'test', reason: 'test' }
const { rows: unclaimed } = await pool.query(
  `select transfer_id as id from waiting_transfer where reason = 'unclaimed'`,
)
await assignUnclaimed(pool, rules, unclaimed[0].id, { orderid: 'o-1' }, because)
const target = { transferId: unclaimed[0].id }
await makeMark(pool, rules, { kind: 'correction', target, amount: usdt(1n), txid: null }, because)
await pool.query(`insert into audit_event (actor, action, subject) values ('test', 'test', 'test')`)

for (const [table, column] of [
  ['transfer', 'amount'],
  ['credit', 'received'],
  ['callback_attempt', 'status'],
  ['audit_event', 'actor'],
  ['transfer_assignment', 'reason'],
  ['money_mark', 'amount'],
] as const) {
  test(`rows of ${table} are neither changed nor deleted, one by one or all at once`, async () => {
    const before = await pool.query(`select * from ${table}`)
    assert.ok(before.rowCount)
    for (const sql of [
      `update ${table} set ${column} = ${column}`,
      `delete from ${table}`,
      `truncate ${table}`,
      `truncate ${table} cascade`,
    ]) {
      await assert.rejects(
        pool.query(sql),
        /append-only: (update|delete|truncate) refused|cannot truncate/,
        sql,
      )
    }
    assert.deepEqual((await pool.query(`select * from ${table}`)).rows, before.rows)
  })
}

test('a callback announces the same for ever, while its delivery goes on', async () => {
  for (const column of [
    'key',
    'merchant_id',
    'order_id',
    'credit_id',
    'body_amount',
    'received',
    'order_state',
    'late',
  ]) {
    await assert.rejects(
      pool.query(`update callback set ${column} = ${column}`),
      /append-only: update refused/,
      column,
    )
  }
  await assert.rejects(pool.query('delete from callback'), /append-only: delete refused|foreign key/)
  await assert.rejects(pool.query('truncate callback cascade'), /append-only: truncate refused/)
  const { rowCount } = await pool.query('update callback set attempts = attempts + 1, last_status = 200')
  assert.equal(rowCount, 5)
})

test("attempts are refused in their month's partition, too, and go with it when it is dropped", async () => {
  const { rows } = await pool.query('select distinct tableoid::regclass::text as name from callback_attempt')
  const month = rows[0].name
  assert.match(month, /^callback_attempt_\d{4}_\d{2}$/)
  await assert.rejects(pool.query(`delete from ${month}`), /append-only: delete refused/)
  await pool.query(`drop table ${month}`)
  assert.deepEqual((await pool.query('select count(*) from callback_attempt')).rows, [{ count: 0n }])
})
