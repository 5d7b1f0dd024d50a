import type { AddressCounterId } from '../base/ids.ts'
import type { HistoryState, NextIndexes, WitnessRow } from './history-store.ts'
import type { Published } from './published-indexes.ts'

/** Whether addresses may be assigned in the database as it is now. */
export type Judgement =
  | { kind: 'accepted' }
  /** Addresses are lost: assigned before, and not in this database. */
  | { kind: 'lost'; because: string; lost: Record<string, number> }
  /** Somebody who knows has not said yet that nothing is lost, and perhaps never will. */
  | { kind: 'waiting'; because: string }

/** What is known of a database's history, and by whom. */
export interface HistoryFacts extends HistoryState {
  /** The next index of each counter, in the database. */
  found: NextIndexes
  /** What this process remembers. */
  remembered: NextIndexes
  /** Whether this process assigned in the accepted history. A process that has just started knows nothing. */
  knows: boolean
  published: Published | null
  /** The other witnesses of earlier histories. */
  silent: readonly WitnessRow[]
}

/**
 * Judges whether every address that was assigned before is still in the database.
 *
 * A history that is not the accepted one, after a failover or a restore, may lack what was assigned last. Each process that
 * could assign then (a witness) knows what it assigned itself. So nothing is lost when each of them finds all of that, or
 * when all of it is in Redis and nothing there is missing here. If one of them never comes back, nobody can tell.
 */
export function judgeHistory(facts: HistoryFacts): Judgement {
  const { current, accepted, stoppedBecause, published, silent } = facts
  const lost = lostIndexes(facts)
  const because = Object.entries(lost).map(([id, next]) => describeLoss(id, next, facts))
  if (because.length > 0) return { kind: 'lost', because: because.join('; '), lost }
  // Skipped in part, or found lost by another process.
  if (stoppedBecause !== null) return { kind: 'lost', because: stoppedBecause, lost }
  if (current === accepted) return { kind: 'accepted' }
  const unheard = silent.filter(({ id, published: inRedis }) => !(inRedis && published?.witnesses.has(id)))
  if (unheard.length > 0) {
    const names = unheard.map(({ name }) => name).join(', ')
    return { kind: 'waiting', because: `it is not known what was assigned last by ${names}` }
  }
  if (facts.knows || published !== null) return { kind: 'accepted' }
  return { kind: 'waiting', because: 'no process knows what was assigned last' }
}

/** How far the counters were that are not as far any more, by id: as this process, Redis and other processes know it. */
function lostIndexes({ found, remembered, published, lost: known }: HistoryFacts): Record<string, number> {
  const lost: Record<string, number> = { ...known }
  for (const [id, next] of [...remembered, ...(published?.indexes ?? [])]) {
    if (next > Math.max(found.get(id) ?? 0, lost[String(id)] ?? 0)) lost[String(id)] = next
  }
  return lost
}

/** A counter that is missing was made, and used, in what is lost. */
function describeLoss(id: string, next: number, { found }: HistoryFacts): string {
  const at = found.get(BigInt(id) as AddressCounterId)
  return `counter ${id} was at index ${next} and is ${at === undefined ? 'missing' : `at ${at}`}`
}
