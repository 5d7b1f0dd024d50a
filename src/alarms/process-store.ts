import { type Queryable, rows, run } from '../db/pool.ts'

/** A process that has said nothing for this long does not work, whatever it said. */
const silentS = 60

/** Records that a process runs. @param why why it is not ready; null: it is. */
export async function reportProcess(
  db: Queryable,
  { id, roles, why }: { id: string; roles: readonly string[]; why: string | null },
): Promise<void> {
  await run(
    db,
    `insert into running_process (id, roles, working, why)
     values ($1, $2, $3::text is null, $3)
     on conflict (id) do update
        set roles = excluded.roles, working = excluded.working, why = excluded.why, seen_at = now()`,
    [id, roles, why],
  )
}

export async function removeProcess(db: Queryable, id: string): Promise<void> {
  await run(db, `delete from running_process where id = $1`, [id])
}

/** Deletes processes that have said nothing for an hour. */
export async function removeSilent(db: Queryable): Promise<void> {
  await run(db, `delete from running_process where seen_at < now() - interval '1 hour'`)
}

/** Reads which roles have a process that works. */
export async function workingRoles(db: Queryable): Promise<string[]> {
  const found = await rows<{ role: string }>(
    db,
    `select distinct unnest(roles) as role
       from running_process
      where working and seen_at > now() - make_interval(secs => ${silentS})`,
  )
  return found.map(({ role }) => role)
}

/** Checks that a watcher led within the last minute. One takes over within ten seconds of another. */
export async function hasLeader(db: Queryable): Promise<boolean> {
  const leases = await rows<{ isOver: boolean }>(
    db,
    `select expires_at < now() - make_interval(secs => ${silentS}) as "isOver"
       from watcher_lease`,
  )
  // Before the first start of a watcher nothing is missing yet.
  return !(leases[0]?.isOver ?? false)
}
