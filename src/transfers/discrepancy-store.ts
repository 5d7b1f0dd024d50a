import type { Queryable } from '../db/pool.ts'

/** Something a second source says otherwise: for people to look at, never credited by itself. */
export interface Discrepancy {
  /**
   * - `missing_transfer`: they have it, we do not. `extra_transfer`: we have it, they do not.
   * - `balance_excess`: an address holds more than it is known to have received.
   * - `block_header`: a block is another one than we recorded at its height.
   * - `event_index`: a node's event index has other transfers in a block than its transaction infos.
   */
  kind: 'missing_transfer' | 'extra_transfer' | 'balance_excess' | 'block_header' | 'event_index'
  /** What it is about: an address, or a block's height. */
  subject: string
  /** Everything a person needs to look further; amounts as text. */
  detail: Record<string, unknown>
}

/**
 * Sets down a discrepancy. One that is open already stays the same one, with what is known of it now.
 * @returns whether it is new.
 */
export async function noteDiscrepancy(
  db: Queryable,
  { kind, subject, detail }: Discrepancy,
): Promise<boolean> {
  const { rows } = await db.query<{ isNew: boolean }>(
    `insert into discrepancy (kind, subject, detail)
     values ($1, $2, $3)
     on conflict (kind, subject) where resolved_at is null do update
        set detail = excluded.detail, last_seen_at = now()
     returning xmax = 0 as "isNew"`,
    [kind, subject, detail],
  )
  return rows[0]!.isNew
}

/** Closes what is no longer seen. @returns whether anything of that kind was open. */
export async function resolveDiscrepancy(
  db: Queryable,
  { kind, subject }: Pick<Discrepancy, 'kind' | 'subject'>,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update discrepancy
        set resolved_at = now()
      where kind = $1 and subject = $2 and resolved_at is null`,
    [kind, subject],
  )
  return rowCount === 1
}

/** How many are open. */
export async function openDiscrepancies(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: bigint }>(
    `select count(*) from discrepancy where resolved_at is null`,
  )
  return Number(rows[0]!.count)
}
