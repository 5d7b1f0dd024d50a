import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
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
    // Today's routines read today's tables, so there are none yet.
    await mkdir(join(before, 'routines'))
    for (const name of await readdir(new URL('routines', prismaFolder)))
      await writeFile(join(before, 'routines', name), '-- Comes with the migrations that are left out.\n')
    await migrate(pool, createLog('silent', 'test'), pathToFileURL(`${before}/`))
  } finally {
    await rm(before, { recursive: true })
  }
}
