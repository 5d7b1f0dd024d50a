import type { Queryable } from '../db/pool.ts'

/**
 * The name of this database's queue. Two gateways that were given one Redis by mistake (a test system beside
 * production, say) would otherwise take each other's calls and drop them as not theirs.
 * @returns the same for every courier of the database; another for any other database, a copy of it included.
 */
export async function queueNameOf(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ cluster: string; database: string }>(
    `select system_identifier::text as cluster, d.oid::text as database
       from pg_control_system(), pg_database d
      where d.datname = current_database()`,
  )
  return `callbacks-${rows[0]!.cluster}-${rows[0]!.database}`
}
