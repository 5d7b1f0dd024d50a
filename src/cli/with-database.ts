import { type Config, readConfig, type SettingName } from '../base/config.ts'
import { armFailpoints } from '../base/failpoint.ts'
import { createPool, type Pool } from '../db/pool.ts'

/** Runs one command's work on a pool of its own, with the settings it needs besides DATABASE_URL. */
export async function withDatabase(
  needed: readonly SettingName[],
  work: (pool: Pool, config: Config) => Promise<void>,
): Promise<void> {
  const config = readConfig(process.env, ['DATABASE_URL', ...needed])
  armFailpoints(config.failpoints)
  const pool = createPool(config.databaseUrl!, { max: 2, name: 'gateway command' })
  try {
    await work(pool, config)
  } finally {
    await pool.end()
  }
}
