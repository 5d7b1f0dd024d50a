import type { DepositAddressId } from '../base/ids.ts'
import { type Queryable, rows } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'
import type { TransferFact } from './compare-history.ts'

/** An address to reconcile. */
export interface WatchedAddress {
  id: DepositAddressId
  address: TronAddress
}

/** A span of block times, both ends included. */
export interface TimeSpan {
  since: Date
  until: Date
}

/** Reads a page of addresses in id order. @param after the last id of the page before, or any lower number; 0 for the first. */
export async function addressesAfter(
  db: Queryable,
  after: bigint,
  pageMax: number,
): Promise<WatchedAddress[]> {
  return rows<WatchedAddress>(
    db,
    `select id, address from deposit_address where id > $1 order by id limit $2`,
    [after, pageMax],
  )
}

/** Reads a page of the addresses that have an order or a transfer since a moment, in id order. */
export async function activeAddressesAfter(
  db: Queryable,
  after: bigint,
  pageMax: number,
  since: Date,
): Promise<WatchedAddress[]> {
  return rows<WatchedAddress>(
    db,
    `select a.id, a.address
       from deposit_address a
      where a.id > $1
        and (exists (select from recharge_order o where o.deposit_address_id = a.id and o.created_at >= $3)
             or exists (select from transfer t where t.deposit_address_id = a.id and t.block_time >= $3))
      order by a.id
      limit $2`,
    [after, pageMax, since],
  )
}

/** Finds addresses by name. Those that are not ours are left out. */
export async function findWatched(db: Queryable, addresses: readonly string[]): Promise<WatchedAddress[]> {
  return rows<WatchedAddress>(
    db,
    `select id, address from deposit_address where address = any($1::text[]) order by id`,
    [addresses],
  )
}

/** Reads the highest address id; 0 for none. */
export async function lastAddressId(db: Queryable): Promise<bigint> {
  const [last] = await rows<{ id: bigint }>(db, `select coalesce(max(id), 0) as id from deposit_address`)
  return last!.id
}

/**
 * Reads the time span in which an address's transfers must all be recorded: from the first recorded block that counts for it
 * to the cursor.
 * @returns null while there is no such block.
 */
export async function recordedSpan(db: Queryable, addressId: DepositAddressId): Promise<TimeSpan | null> {
  const [span] = await rows<TimeSpan>(
    db,
    `select b.block_time as since, c.block_time as until
       from chain_cursor c
       join deposit_address a on a.id = $1
      cross join lateral (
        select block_time
          from chain_block
         where height >= coalesce(a.watched_from, c.start_height + 1)
         order by height
         limit 1
      ) b`,
    [addressId],
  )
  return span ?? null
}

/** Reads an address's transfers in a time span that wait for proof. They are not recorded, and not missing either. */
export async function unprovedTransfers(
  db: Queryable,
  addressId: DepositAddressId,
  span: TimeSpan,
): Promise<TransferFact[]> {
  return rows<TransferFact>(
    db,
    `select p.txid, p.from_address as "from", a.address as "to", p.amount, p.block_time as "time"
       from pending_proof p
       join deposit_address a on a.id = p.deposit_address_id
      where p.deposit_address_id = $1 and p.ended_at is null and p.block_time between $2 and $3`,
    [addressId, span.since, span.until],
  )
}

/** Reads an address's recorded transfers in a time span, without those that were held and then rejected as made up. */
export async function recordedTransfers(
  db: Queryable,
  addressId: DepositAddressId,
  span: TimeSpan,
): Promise<TransferFact[]> {
  return rows<TransferFact>(
    db,
    `select t.txid, t.from_address as "from", a.address as "to", t.amount, t.block_time as "time"
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
      where t.deposit_address_id = $1 and t.block_time between $2 and $3
        and not exists (select from rejection r where r.transfer_id = t.id and r.quarantine_id is null)`,
    [addressId, span.since, span.until],
  )
}
