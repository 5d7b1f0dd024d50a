import type { IdPage } from '../db/id-page.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'

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
 * Notes a discrepancy. If it is open already, its row gets the new detail. One that was acknowledged is so no more when its detail
 * is another one.
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
        set detail = excluded.detail, last_seen_at = now(),
            acknowledged_at = case when discrepancy.detail = excluded.detail then discrepancy.acknowledged_at end,
            acknowledged_by = case when discrepancy.detail = excluded.detail then discrepancy.acknowledged_by end,
            acknowledged_reason = case when discrepancy.detail = excluded.detail then discrepancy.acknowledged_reason end
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

/** A discrepancy, as people see it. */
export interface ListedDiscrepancy extends Discrepancy {
  id: bigint
  /** Of the merchant whose address it is about; null: it is about a block. */
  appid: string | null
  foundAt: Date
  lastSeenAt: Date
  /** Null: it is open. */
  resolvedAt: Date | null
  acknowledgedAt: Date | null
  acknowledgedBy: string | null
  acknowledgedReason: string | null
}

const listed = `select d.id, d.kind, d.subject, d.detail, m.appid, d.found_at as "foundAt", d.last_seen_at as "lastSeenAt",
            d.resolved_at as "resolvedAt", d.acknowledged_at as "acknowledgedAt", d.acknowledged_by as "acknowledgedBy",
            d.acknowledged_reason as "acknowledgedReason"
       from discrepancy d
       left join deposit_address a on a.address = d.subject
       left join merchant m on m.id = a.merchant_id`

/** Lists open discrepancies, oldest first. Those about a block are in no merchant's list. */
export async function listDiscrepancies(
  db: Queryable,
  { merchantId, after, limit }: IdPage,
): Promise<ListedDiscrepancy[]> {
  return rows<ListedDiscrepancy>(
    db,
    `${listed}
      where d.resolved_at is null and d.id > $2 and ($1::bigint is null or a.merchant_id = $1)
      order by d.id
      limit $3`,
    [merchantId, after ?? 0n, limit],
  )
}

/** Reads a discrepancy, open or not. @returns null when there is none with that id. */
export async function findDiscrepancy(db: Queryable, id: bigint): Promise<ListedDiscrepancy | null> {
  const [found] = await rows<ListedDiscrepancy>(db, `${listed} where d.id = $1`, [id])
  return found ?? null
}

/** Does the same, and locks it. */
export async function lockDiscrepancy(tx: Tx, id: bigint): Promise<ListedDiscrepancy | null> {
  const [found] = await rows<ListedDiscrepancy>(tx, `${listed} where d.id = $1 for update of d`, [id])
  return found ?? null
}

/** Acknowledges a discrepancy. @returns false when it is resolved, or acknowledged already. */
export async function acknowledgeOpen(
  tx: Tx,
  { id, actor, reason }: { id: bigint; actor: string; reason: string },
): Promise<boolean> {
  const acknowledged = await run(
    tx,
    `update discrepancy
        set acknowledged_at = now(), acknowledged_by = $2, acknowledged_reason = $3
      where id = $1 and resolved_at is null and acknowledged_at is null`,
    [id, actor, reason],
  )
  return acknowledged === 1
}

/** Counts the open discrepancies that nobody has acknowledged. */
export async function openDiscrepancies(db: Queryable): Promise<number> {
  const [open] = await rows<{ count: bigint }>(
    db,
    `select count(*) from discrepancy where resolved_at is null and acknowledged_at is null`,
  )
  return Number(open!.count)
}
