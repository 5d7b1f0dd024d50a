import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makePartitions } from '../../src/db/partitions.ts'
import { cloneDatabase } from '../support/database.ts'

test('processes that start at once on a new database, or in a new month, all find their partitions made', async () => {
  const { pool } = await cloneDatabase()
  for (const month of ['2031-01-15', '2031-07-15', '2032-01-15']) {
    await Promise.all(Array.from({ length: 8 }, () => makePartitions(pool, new Date(month))))
  }
  const { rows } = await pool.query(
    `select count(*)::int as n from pg_class where relname ~ '^callback_attempt_203[12]_(01|07)$'`,
  )
  assert.equal(rows[0].n, 3)
})
