import type { Queryable } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'
import type { TransferFact } from './compare-history.ts'

/** An address to reconcile. */
export interface WatchedAddress {
  id: bigint
  address: TronAddress
}

/** Reads a page of addresses in id order. @param after the last id of the page before; 0 for the first. */
export async function addressesAfter(
  db: Queryable,
  after: bigint,
  pageMax: number,
): Promise<WatchedAddress[]> {
  const { rows } = await db.query(
    `select id, address from deposit_address where id > $1 order by id limit $2`,
    [after, pageMax],
  )
  return rows
}

/** As above, of those that were ordered for or paid since a moment. */
export async function activeAddressesAfter(
  db: Queryable,
  after: bigint,
  pageMax: number,
  since: Date,
): Promise<WatchedAddress[]> {
  const { rows } = await db.query(
    `select a.id, a.address
       from deposit_address a
      where a.id > $1
        and (exists (select from recharge_order o where o.deposit_address_id = a.id and o.created_at >= $3)
             or exists (select from transfer t where t.deposit_address_id = a.id and t.block_time >= $3))
      order by a.id
      limit $2`,
    [after, pageMax, since],
  )
  return rows
}

/** Finds addresses by name; those that are not ours are not in it. */
export async function findWatched(db: Queryable, addresses: readonly string[]): Promise<WatchedAddress[]> {
  const { rows } = await db.query(
    `select id, address from deposit_address where address = any($1::text[]) order by id`,
    [addresses],
  )
  return rows
}

/** The highest id there is; 0 for none. */
export async function lastAddressId(db: Queryable): Promise<bigint> {
  const { rows } = await db.query<{ id: bigint }>(`select coalesce(max(id), 0) as id from deposit_address`)
  return rows[0]!.id
}

/**
 * The time span in which an address's transfers must all be recorded: from the first block that counts for it, as far
 * down as headers go, to the cursor.
 * @returns null while there is no such block.
 */
export async function recordedSpan(
  db: Queryable,
  addressId: bigint,
): Promise<{ since: Date; until: Date } | null> {
  const { rows } = await db.query(
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
  return rows[0] ?? null
}

/** Reads what is recorded of an address in a time span, both ends included. */
export async function recordedTransfers(
  db: Queryable,
  addressId: bigint,
  span: { since: Date; until: Date },
): Promise<TransferFact[]> {
  const { rows } = await db.query(
    `select t.txid, t.from_address as "from", a.address as "to", t.amount, t.block_time as "time"
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
      where t.deposit_address_id = $1 and t.block_time between $2 and $3`,
    [addressId, span.since, span.until],
  )
  return rows
}
