import { type Queryable, rows } from './pool.ts'

/**
 * Finds the processes that work on this database now: the leading watcher, and every process of the gateway that is connected.
 * @returns a sentence for each; none when the gateway is stopped.
 */
export async function findRunning(db: Queryable): Promise<string[]> {
  const found = await rows<{ running: string }>(
    db,
    `select 'watcher ' || holder || ' leads' as running
       from watcher_lease
      where expires_at > now()
     union all
     select application_name || ' is connected as process ' || pid
       from pg_stat_activity
      where datname = current_database() and application_name ~ '^gateway (api|watcher|courier)'`,
  )
  return found.map(({ running }) => running)
}
