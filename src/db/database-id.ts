import type { Queryable } from './pool.ts'

/**
 * What tells this database from every other one, for whoever shares a Redis with it: two gateways that were given one
 * Redis by mistake (a test system beside production, say) must not take each other's things.
 * @returns the same for every process of the database; another for any other, a logical copy of it included.
 */
export async function databaseIdOf(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ cluster: string; database: string }>(
    `select system_identifier::text as cluster, d.oid::text as database
       from pg_control_system(), pg_database d
      where d.datname = current_database()`,
  )
  return `${rows[0]!.cluster}-${rows[0]!.database}`
}
