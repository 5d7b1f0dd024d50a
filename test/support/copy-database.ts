import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import pg from 'pg'
import { createPool } from '../../src/db/pool.ts'
import type { TestDatabase } from './database.ts'

/**
 * A physical copy of a database as it is now: what a backup of it would hold. Whoever is connected to it is disconnected
 * first; a pool connects again by itself.
 */
export async function copyDatabase(url: string): Promise<TestDatabase> {
  const source = /\/(\w+)$/.exec(url)?.[1]
  assert(source, 'the URL ends with the name of the database')
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer(url, async client => {
    await client.query(`alter database ${source} allow_connections false`)
    await client.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1`, [
      source,
    ])
    await client.query(`create database ${name} template ${source}`)
    await client.query(`alter database ${source} allow_connections true`)
  })
  const copied = url.replace(/\/\w+$/, `/${name}`)
  const pool = createPool(copied)
  after(async () => {
    await pool.end()
    await onServer(url, client => client.query(`drop database ${name} with (force)`))
  })
  return { url: copied, pool }
}

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url.replace(/\/\w+$/, '/postgres') })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
