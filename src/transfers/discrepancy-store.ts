import { type Queryable, rows, run } from '../db/pool.ts'

/** A difference between us and a second source: for people to check, never credited automatically. */
export interface Discrepancy {
  /**
   * - `missing_transfer`: they have it, we do not. `extra_transfer`: we have it, they do not.
   * - `balance_excess`: an address holds more than it is known to have received.
   * - `block_header`: a block differs from the one recorded at its height.
   * - `event_index`: a node's event index has other transfers in a block than its transaction infos.
   */
  kind: 'missing_transfer' | 'extra_transfer' | 'balance_excess' | 'block_header' | 'event_index'
  /** What it is about: an address, or a block's height. */
  subject: string
  /** Everything a person needs to look further; amounts as text. */
  detail: Record<string, unknown>
}

/**
 * Notes a discrepancy. If it is open already, its row gets the new detail.
 * @returns true when it is new.
 */
export async function noteDiscrepancy(
  db: Queryable,
  { kind, subject, detail }: Discrepancy,
): Promise<boolean> {
  const [noted] = await rows<{ isNew: boolean }>(
    db,
    `insert into discrepancy (kind, subject, detail)
     values ($1, $2, $3)
     on conflict (kind, subject) where resolved_at is null do update
        set detail = excluded.detail, last_seen_at = now()
     returning xmax = 0 as "isNew"`,
    [kind, subject, detail],
  )
  return noted!.isNew
}

/** Resolves a discrepancy that is no longer found. @returns false when none was open. */
export async function resolveDiscrepancy(
  db: Queryable,
  { kind, subject }: Pick<Discrepancy, 'kind' | 'subject'>,
): Promise<boolean> {
  const resolved = await run(
    db,
    `update discrepancy
        set resolved_at = now()
      where kind = $1 and subject = $2 and resolved_at is null`,
    [kind, subject],
  )
  return resolved === 1
}

/** Counts the open discrepancies. */
export async function openDiscrepancies(db: Queryable): Promise<number> {
  const [open] = await rows<{ count: bigint }>(
    db,
    `select count(*) from discrepancy where resolved_at is null`,
  )
  return Number(open!.count)
}
