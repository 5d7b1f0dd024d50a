import { type ConfigOf, type Role, readConfig } from '../base/config.ts'
import { armFailpoints } from '../base/failpoint.ts'
import { createPool, type Pool } from '../db/pool.ts'

/** Runs a command's work on a pool of its own. @param role what kind of command it is, for the settings it needs. */
export async function withDatabase<R extends Role>(
  role: R,
  work: (pool: Pool, config: ConfigOf<R>) => Promise<void>,
): Promise<void> {
  const config = readConfig(process.env, role)
  armFailpoints(config.failpoints)
  const pool = createPool(config.databaseUrl, { max: 2, name: 'gateway command' })
  try {
    await work(pool, config)
  } finally {
    await pool.end()
  }
}
