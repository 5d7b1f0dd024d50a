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
