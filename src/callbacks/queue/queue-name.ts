import { databaseIdOf } from '../../db/database-id.ts'
import type { Queryable } from '../../db/pool.ts'

/** The name of this database's queue: another gateway's calls, were they in one Redis, would be dropped as not theirs. */
export async function queueNameOf(db: Queryable): Promise<string> {
  return `callbacks-${await databaseIdOf(db)}`
}
