import type { Queryable } from './pool.ts'

/**
 * Who works on this database now: the watcher that leads, and every process of the gateway that is connected to it.
 * @returns them in words; none when the gateway stands still.
 */
export async function findRunning(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ running: string }>(
    `select 'watcher ' || holder || ' leads' as running
       from watcher_lease
      where expires_at > now()
     union all
     select application_name || ' is connected as process ' || pid
       from pg_stat_activity
      where datname = current_database() and application_name ~ '^gateway (api|watcher|courier)'`,
  )
  return rows.map(({ running }) => running)
}
