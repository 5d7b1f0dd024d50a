import { type Queryable, rows, run } from '../db/pool.ts'

/** A node as the leading watcher sees it. */
export interface StoredNode {
  node: string
  /** Nodes of one host are no second opinion. */
  host: string
  transport: 'http' | 'grpc'
  state: string
  /** Empty in state `ok`. */
  why: string
  solidHeight: number | null
  /** When it may be asked again; null while it may be asked. */
  until: Date | null
  /** Calls allowed in a day of UTC; null: any number. */
  quota: number | null
}

/** Calls to a node on a day of UTC, `2026-11-23`. */
export interface NodeCalls {
  node: string
  day: string
  calls: number
}

/** For how long the calls of a day are kept. */
const daysKept = 400

/** Adds calls to their days. @returns how many all processes have made on each. */
export async function addNodeCalls(db: Queryable, added: readonly NodeCalls[]): Promise<NodeCalls[]> {
  const totals = await rows<{ node: string; day: string; calls: bigint }>(
    db,
    `insert into node_day as d (node, day, calls)
     select *
       from unnest($1::text[], $2::text[], $3::bigint[])
     on conflict (node, day) do update set calls = d.calls + excluded.calls
     returning node, day, calls`,
    [added.map(({ node }) => node), added.map(({ day }) => day), added.map(({ calls }) => calls)],
  )
  return totals.map(({ node, day, calls }) => ({ node, day, calls: Number(calls) }))
}

/** Deletes days that nobody asks for any more. */
export async function forgetNodeDays(db: Queryable): Promise<void> {
  await run(
    db,
    `delete from node_day where day < to_char(now() at time zone 'utc' - $1 * interval '1 day', 'YYYY-MM-DD')`,
    [daysKept],
  )
}

/** Writes the nodes as they are now. Those that are no longer set are deleted. */
export async function writeNodes(db: Queryable, nodes: readonly StoredNode[]): Promise<void> {
  await run(
    db,
    `with gone as (delete from node_status where node <> all($1::text[]))
     insert into node_status (node, host, transport, state, why, solid_height, until, quota)
     select *
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::timestamptz[], $8::bigint[])
     on conflict (node) do update
        set host = excluded.host, transport = excluded.transport, state = excluded.state, why = excluded.why,
            solid_height = excluded.solid_height, until = excluded.until, quota = excluded.quota, seen_at = now()`,
    [
      nodes.map(({ node }) => node),
      nodes.map(({ host }) => host),
      nodes.map(({ transport }) => transport),
      nodes.map(({ state }) => state),
      nodes.map(({ why }) => why),
      nodes.map(({ solidHeight }) => solidHeight),
      nodes.map(({ until }) => until),
      nodes.map(({ quota }) => quota),
    ],
  )
}

/** Reads the nodes with their calls of today. */
export async function readNodes(db: Queryable): Promise<(StoredNode & { calls: number; seenAt: Date })[]> {
  const found = await rows<Omit<StoredNode, 'quota'> & { quota: bigint | null; calls: bigint; seenAt: Date }>(
    db,
    `select n.node, n.host, n.transport, n.state, n.why, n.solid_height as "solidHeight", n.until, n.quota,
            coalesce(d.calls, 0) as calls, n.seen_at as "seenAt"
       from node_status n
       left join node_day d on d.node = n.node and d.day = to_char(now() at time zone 'utc', 'YYYY-MM-DD')
      order by n.node`,
  )
  return found.map(({ quota, calls, ...node }) => ({
    ...node,
    quota: quota === null ? null : Number(quota),
    calls: Number(calls),
  }))
}

/** Sums up the calls to all nodes by day of UTC. @param from the first day, `2026-11-23`. */
export async function callsByDay(db: Queryable, from: string): Promise<Map<string, bigint>> {
  const days = await rows<{ day: string; calls: bigint }>(
    db,
    `select day, sum(calls)::bigint as calls
       from node_day
      where day >= $1
      group by day`,
    [from],
  )
  return new Map(days.map(({ day, calls }) => [day, calls]))
}
