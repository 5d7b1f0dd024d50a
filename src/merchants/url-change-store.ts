import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'

/** A default callback URL that takes effect later. */
export interface UrlChange {
  id: bigint
  /** Null: none any more. */
  url: string | null
  askedBy: string
  askedAt: Date
  effectiveAt: Date
}

/** A change whose time has come. */
export interface DueUrlChange extends UrlChange {
  merchantId: MerchantId
  appid: string
}

const columns = `c.id, c.url, c.asked_by as "askedBy", c.asked_at as "askedAt", c.effective_at as "effectiveAt"`

/** Writes a change of a locked merchant, for which none may be waiting. */
export async function insertUrlChange(
  tx: Tx,
  merchantId: MerchantId,
  { url, askedBy, delayMs }: { url: string | null; askedBy: string; delayMs: number },
): Promise<UrlChange> {
  const [inserted] = await rows<UrlChange>(
    tx,
    `insert into callback_url_change as c (merchant_id, url, asked_by, effective_at)
     values ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')
     returning ${columns}`,
    [merchantId, url, askedBy, delayMs],
  )
  return inserted!
}

/** Finds a merchant's change that has not taken effect, been cancelled or been replaced. */
export async function findWaitingUrl(db: Queryable, merchantId: MerchantId): Promise<UrlChange | null> {
  const [found] = await rows<UrlChange>(
    db,
    `select ${columns}
       from callback_url_change c
      where c.merchant_id = $1 and c.outcome is null and c.effective_at > clock_timestamp()`,
    [merchantId],
  )
  return found ?? null
}

/** Locks changes that have taken effect, with their merchants, as far as nobody else has. */
export function lockDueUrls(tx: Tx, max: number): Promise<DueUrlChange[]> {
  // Both are locked: a change that somebody else has just written, or cancelled, is then no longer found.
  return rows<DueUrlChange>(
    tx,
    `select ${columns}, m.id as "merchantId", m.appid
       from callback_url_change c
       join merchant m on m.id = c.merchant_id
      where c.id in (select id from due_callback_url) and c.outcome is null
      order by c.id
      limit $1
        for no key update of c, m skip locked`,
    [max],
  )
}

/** Locks the change of a locked merchant that has taken effect by now: its transaction may have waited for the merchant. */
export async function lockDueUrl(tx: Tx, merchantId: MerchantId): Promise<DueUrlChange | null> {
  // Whoever holds the change waits for no merchant, so this cannot deadlock.
  const [due] = await rows<DueUrlChange>(
    tx,
    `select ${columns}, m.id as "merchantId", m.appid
       from callback_url_change c
       join merchant m on m.id = c.merchant_id
      where c.merchant_id = $1 and c.outcome is null and c.effective_at <= clock_timestamp()
        and not (m.deposits and c.url is null)
        for no key update of c`,
    [merchantId],
  )
  return due ?? null
}

/** Ends the change of a locked merchant that waits. @returns whether there was one. */
export async function endUrlChange(
  tx: Tx,
  merchantId: MerchantId,
  { outcome, by }: { outcome: 'applied' | 'cancelled' | 'replaced'; by: string },
): Promise<boolean> {
  const ended = await run(
    tx,
    `update callback_url_change
        set outcome = $2, ended_at = now(), ended_by = $3
      where merchant_id = $1 and outcome is null`,
    [merchantId, outcome, by],
  )
  return ended === 1
}
