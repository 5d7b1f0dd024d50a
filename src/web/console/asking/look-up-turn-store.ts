import { type Queryable, run } from '../../../db/pool.ts'

/** How long after a call to a node the console may make the next. */
const turnMs = 1_000

/** Takes the console's turn to call a node: of all processes one gets it, once a second. */
export async function takeLookUpTurn(db: Queryable): Promise<boolean> {
  const taken = await run(
    db,
    `insert into look_up_turn as t (next_at)
     values (clock_timestamp() + $1 * interval '1 ms')
     on conflict (single) do update set next_at = excluded.next_at
      where t.next_at <= clock_timestamp()`,
    [turnMs],
  )
  return taken === 1
}
