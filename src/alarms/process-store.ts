import { type Queryable, rows, run } from '../db/pool.ts'

/** A process that has said nothing for this long does not work, whatever it said. */
const silentS = 60

/** Records that a process runs. @param why why it is not ready; null: it is. */
export async function reportProcess(
  db: Queryable,
  process: { id: string; roles: readonly string[]; why: string | null; version: string },
): Promise<void> {
  await run(
    db,
    `insert into running_process (id, roles, working, why, version)
     values ($1, $2, $3::text is null, $3, $4)
     on conflict (id) do update
        set roles = excluded.roles, working = excluded.working, why = excluded.why, version = excluded.version, seen_at = now()`,
    [process.id, process.roles, process.why, process.version],
  )
}

export async function removeProcess(db: Queryable, id: string): Promise<void> {
  await run(db, `delete from running_process where id = $1`, [id])
}

/** Deletes processes that have said nothing for an hour. */
export async function removeSilent(db: Queryable): Promise<void> {
  await run(db, `delete from running_process where seen_at < now() - interval '1 hour'`)
}

/** A process of the gateway, as it last said. */
export interface ListedProcess {
  id: string
  roles: string[]
  working: boolean
  /** Why it is not ready. */
  why: string | null
  /** Null: of a program from before versions were said. */
  version: string | null
  startedAt: Date
  seenAt: Date
  /** It has said nothing for a minute. */
  isSilent: boolean
}

/** Lists the processes, those that are silent too. */
export function listProcesses(db: Queryable): Promise<ListedProcess[]> {
  return rows<ListedProcess>(
    db,
    `select id, roles, working, why, version, started_at as "startedAt", seen_at as "seenAt",
            seen_at < now() - make_interval(secs => ${silentS}) as "isSilent"
       from running_process
      order by roles, started_at, id`,
  )
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
