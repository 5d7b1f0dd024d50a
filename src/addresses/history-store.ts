import type { AddressCounterId } from '../base/ids.ts'
import { promptly, type Queryable, rows, run, type Tx } from '../db/pool.ts'

// history: cluster, database and timeline, as `current_history()` names them. A failover or a restore begins another one.
// accepted history: the one in which addresses may be assigned.
// witness: a process that may assign addresses, and remembers how far it saw each counter.

/** How far each counter is: its next index. */
export type NextIndexes = Map<AddressCounterId, number>

/** What history the database has, and which one is accepted. */
export interface HistoryState {
  current: string
  accepted: string
  /** Addresses are known to be lost, and none may be assigned; null: not so. */
  stoppedBecause: string | null
  /** While stopped: how far each counter, by its id, is known to have been. */
  lost: Record<string, number>
}

const columns = 'current_history() as current, history as accepted, stopped_because as "stoppedBecause", lost'

/** A process that may assign addresses. */
export interface WitnessRow {
  id: string
  /** For operators: host and process. */
  name: string
  /** The history in which it missed nothing of what it remembers. */
  history: string
  /** Whether all that it assigned is in Redis as well. */
  published: boolean
}

/** Locks the recorded history until the transaction ends. Where there is none yet, records and accepts the current one. */
export async function lockHistory(tx: Tx): Promise<HistoryState> {
  await run(
    tx,
    `insert into database_history (history) values (current_history()) on conflict (single) do nothing`,
  )
  const [state] = await rows<HistoryState>(
    tx,
    `select ${columns}
       from database_history
        for update`,
  )
  return state!
}

/** Reads the history without locking it. @returns null when none was recorded yet. */
export async function readHistory(db: Queryable): Promise<HistoryState | null> {
  const [state] = await rows<HistoryState>(
    db,
    `select ${columns}
       from database_history`,
  )
  return state ?? null
}

/** Accepts the current history. Ends a stop. */
export async function acceptHistory(tx: Tx, history: string): Promise<void> {
  await run(
    tx,
    `update database_history
        set history = $1, accepted_at = now(), stopped_at = null, stopped_because = null, lost = '{}'`,
    [history],
  )
}

/** Stops the assignment of addresses in all processes, until `acceptHistory`. Repeated, it adds what else is lost. */
export async function stopAssigning(tx: Tx, because: string, lost: Record<string, number>): Promise<void> {
  await run(
    tx,
    `update database_history
        set stopped_at = coalesce(stopped_at, now()), stopped_because = $1, lost = $2`,
    [because, lost],
  )
}

/** Checks whether a process may assign addresses now. */
export async function mayAssign(db: Queryable, witnessId: string): Promise<boolean> {
  const [answer] = await rows<{ may: boolean }>(db, { text: `select may_assign($1) as may`, ...promptly }, [
    witnessId,
  ])
  return answer!.may
}

/** Registers a process as a witness, or says that it is still there. */
export async function registerWitness(tx: Tx, { id, name, history, published }: WitnessRow): Promise<void> {
  await run(
    tx,
    `insert into address_witness (id, name, history, published)
     values ($1, $2, $3, $4)
         on conflict (id) do update
        set history = excluded.history, published = excluded.published, seen_at = now()`,
    [id, name, history, published],
  )
}

export async function setPublished(db: Queryable, id: string, published: boolean): Promise<void> {
  await run(db, { text: `update address_witness set published = $2 where id = $1`, ...promptly }, [
    id,
    published,
  ])
}

export async function removeWitness(db: Queryable, id: string): Promise<void> {
  await run(db, { text: `delete from address_witness where id = $1`, ...promptly }, [id])
}

/** Lists the witnesses of other histories: they have not said yet whether they miss anything in this one. */
export async function listSilentWitnesses(tx: Tx, history: string): Promise<WitnessRow[]> {
  return rows<WitnessRow>(
    tx,
    `select id, name, history, published from address_witness where history <> $1 order by name`,
    [history],
  )
}

/**
 * Removes witnesses of this history that have not been seen for a while: their processes have died. Nothing they assigned
 * can be lost without the removal being lost as well.
 * @returns their ids.
 */
export async function removeDeadWitnesses(tx: Tx, history: string, afterS: number): Promise<string[]> {
  const dead = await rows<{ id: string }>(
    tx,
    `delete from address_witness
      where history = $1 and seen_at < now() - make_interval(secs => $2)
     returning id`,
    [history, afterS],
  )
  return dead.map(({ id }) => id)
}

/** Removes the witnesses of other histories, when nothing depends on them any more. They register again if they live. */
export async function removeSilentWitnesses(tx: Tx, history: string): Promise<void> {
  await run(tx, `delete from address_witness where history <> $1`, [history])
}
