import { type Queryable, rows } from './pool.ts'

/**
 * Reads an id of this database, for the names of keys in Redis: two gateways that share one Redis by mistake (a test system
 * beside production, say) must not use each other's keys.
 * @returns the same for every process of the database; another one for every other database, a logical copy included.
 */
export async function databaseIdOf(db: Queryable): Promise<string> {
  const [id] = await rows<{ cluster: string; database: string }>(
    db,
    `select system_identifier::text as cluster, d.oid::text as database
       from pg_control_system(), pg_database d
      where d.datname = current_database()`,
  )
  return `${id!.cluster}-${id!.database}`
}
