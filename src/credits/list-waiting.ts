import type { PendingProofId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import type { IdPage } from '../db/id-page.ts'
import { type Queryable, rows } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'

/** A held transfer, or one that was held and then rejected, as an operator sees it. */
export interface ListedHeld {
  id: TransferId
  appid: string
  localusermark: string
  address: TronAddress
  amount: UsdtUnits
  txid: string
  logIndex: number
  height: number
  /** The node that served its block. */
  node: string | null
  /** When it was recorded as held, or rejected. */
  since: Date
}

/** Lists held transfers, oldest first. `checkedAt` and `note`: when another node was last asked, and its answer. */
export async function listHeld(
  db: Queryable,
  { merchantId, after, limit }: IdPage,
): Promise<(ListedHeld & { checkedAt: Date | null; note: string | null; behind: bigint })[]> {
  return rows(
    db,
    `select ${columns}, w.node, w.created_at as "since", w.checked_at as "checkedAt", w.note,
            ${behind('w.deposit_address_id')}
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
       join deposit_address a on a.id = t.deposit_address_id
       join merchant m on m.id = a.merchant_id
      where w.reason = 'held' and ${onPage('w.transfer_id', 'w.merchant_id')}
      order by w.transfer_id
      limit $3`,
    [merchantId, after ?? 0n, limit],
  )
}

/**
 * Lists the rejected ones, each with the reason and who rejected it. In the order of the transfers' ids, by which its pages
 * follow each other.
 */
export async function listRejectedHeld(
  db: Queryable,
  { merchantId, after, limit }: IdPage,
): Promise<(ListedHeld & { reason: string; rejectedBy: string })[]> {
  return rows(
    db,
    `select ${columns}, r.node, r.rejected_at as "since", r.reason, r.rejected_by as "rejectedBy"
       from rejection r
       join transfer t on t.id = r.transfer_id
       join deposit_address a on a.id = t.deposit_address_id
       join merchant m on m.id = a.merchant_id
      where r.quarantine_id is null and ${onPage('r.transfer_id')}
      order by r.transfer_id
      limit $3`,
    [merchantId, after ?? 0n, limit],
  )
}

/** Lists what waits for proof, or was rejected, oldest first. */
export async function listPending(
  db: Queryable,
  state: 'waits' | 'rejected',
  { merchantId, after, limit }: IdPage,
): Promise<ListedPending[]> {
  return rows<ListedPending>(
    db,
    `select p.id, m.appid, a.localusermark, a.address, p.amount, p.txid, p.log_index as "logIndex", p.block_height as "height", p.node, p.hosts,
            p.denied, p.checked_at as "checkedAt", coalesce(p.ended_at, p.created_at) as "since",
            p.ended_because as "reason", coalesce(p.ended_by, 'watcher') as "rejectedBy",
            ${behind('p.deposit_address_id')}
       from pending_proof p
       join deposit_address a on a.id = p.deposit_address_id
       join merchant m on m.id = a.merchant_id
      where ${state === 'waits' ? 'p.ended_as is null' : `p.ended_as = '${state}'`} and ${onPage('p.id')}
      order by p.id
      limit $3`,
    [merchantId, after ?? 0n, limit],
  )
}

/** One version that waits for proof, or did, as an operator sees it. */
export interface ListedPending extends Omit<ListedHeld, 'id'> {
  id: PendingProofId
  hosts: string[]
  denied: string[]
  checkedAt: Date | null
  behind: bigint
  /** Of a rejected one. */
  reason: string | null
  rejectedBy: string
}

/**
 * The condition of `IdPage`, with the id by which the list is sorted: $1 and $2. What was paid to an address that is nobody's yet is in
 * no merchant's list.
 */
const onPage = (id: string, merchantId = 'a.merchant_id') =>
  `($1::bigint is null or ${merchantId} = $1 and a.localusermark <> '') and ${id} > $2`

const behind = (addressId: string) => `(select count(*)
               from waiting_transfer b
              where b.deposit_address_id = ${addressId} and b.reason = 'behind') as "behind"`

const columns = `t.id, m.appid, a.localusermark, a.address, t.amount, t.txid, t.log_index as "logIndex", t.block_height as "height"`

/** Something quarantined that was rejected. */
export interface ListedRejection {
  id: bigint
  txid: string
  logIndex: number
  height: number
  transferId: TransferId | null
  /** Why it was rejected, not why it was quarantined. */
  reason: string
  rejectedBy: string
  since: Date
  /** As in `Quarantined`. */
  log: unknown
}

/** Lists what was quarantined and then rejected, in the order of its ids. A log is in no merchant's list. */
export async function listRejectedQuarantined(
  db: Queryable,
  { merchantId, after, limit }: IdPage,
): Promise<ListedRejection[]> {
  return rows<ListedRejection>(
    db,
    `select q.id, q.txid, q.log_index as "logIndex", q.block_height as "height", q.transfer_id as "transferId",
            r.reason, r.rejected_by as "rejectedBy", r.rejected_at as "since", q.log
       from rejection r
       join quarantine q on q.id = r.quarantine_id
       left join transfer t on t.id = q.transfer_id
       left join deposit_address a on a.id = t.deposit_address_id
      where ${onPage('q.id')}
      order by q.id
      limit $3`,
    [merchantId, after ?? 0n, limit],
  )
}
