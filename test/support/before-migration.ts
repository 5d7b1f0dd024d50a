import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createLog } from '../../src/base/log.ts'
import { migrate } from '../../src/db/migrate.ts'
import type { Pool } from '../../src/db/pool.ts'

export const prismaFolder = new URL('../../prisma/', import.meta.url)

/** Makes a database anew, with the migrations before the one of this name. `migrate` brings it up to date. */
export async function rebuildBefore(pool: Pool, migration: string): Promise<void> {
  await pool.query('drop schema public, report cascade; create schema public')
  const names = (await readdir(new URL('migrations', prismaFolder))).filter(name => /^\d{4}_/.test(name))
  const before = await mkdtemp(join(tmpdir(), 'migrations-'))
  try {
    for (const name of names.filter(name => name < migration)) {
      await cp(new URL(`migrations/${name}`, prismaFolder), join(before, 'migrations', name), {
        recursive: true,
      })
    }
    await cp(new URL('routines', prismaFolder), join(before, 'routines'), { recursive: true })
    await migrate(pool, createLog('silent', 'test'), pathToFileURL(`${before}/`))
  } finally {
    await rm(before, { recursive: true })
  }
}

/** Adds the one merchant of a database from before, with the columns that it has had from the first migration on. */
export async function addOldMerchant(pool: Pool): Promise<void> {
  // By hand: the seed kit writes today's tables.
  await pool.query(
    `with counter as (
       insert into address_counter (public_key, chain_code, xpub)
       values (decode(repeat('02', 33), 'hex'), decode(repeat('00', 32), 'hex'), 'xpub') returning id
     )
     insert into merchant (appid, name, address_counter_id, callback_url)
     select 'VunTq7Zk2Lm9h1l8', 'shop', id, 'https://shop.example/cb' from counter`,
  )
}
