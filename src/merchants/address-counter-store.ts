import type { MerchantId } from '../base/ids.ts'
import type { Queryable, Tx } from '../db/pool.ts'
import type { AccountKey } from '../tron/account-key.ts'

/** What addresses are counted by: one per account public key and chain code, whichever merchants share it. */
export interface AddressCounter {
  id: bigint
  xpub: string
  /** The next index to hand out, 0 to 2^31; the last means that none is left. */
  nextIndex: number
}

/** Finds the account's counter, or makes it. @returns its id. */
export async function openCounter(tx: Tx, key: AccountKey): Promise<bigint> {
  // The update changes nothing; it is there so that a row that exists is returned, and locked against its deletion.
  const { rows } = await tx.query(
    `insert into address_counter (public_key, chain_code, xpub)
     values ($1, $2, $3)
         on conflict (public_key, chain_code) do update set xpub = address_counter.xpub
     returning id`,
    [key.publicKey, key.chainCode, key.xpub],
  )
  return rows[0].id
}

/** Locks a counter until the transaction ends: whoever gives an address to one of its users holds this lock. */
export async function lockCounter(tx: Tx, id: bigint): Promise<AddressCounter> {
  const { rows } = await tx.query(
    `select id, xpub, next_index
       from address_counter
      where id = $1
        for update`,
    [id],
  )
  return { id: rows[0].id, xpub: rows[0].xpub, nextIndex: Number(rows[0].next_index) }
}

/** Moves a locked counter on. */
export async function moveCounter(tx: Tx, id: bigint, nextIndex: number): Promise<void> {
  await tx.query(`update address_counter set next_index = $2 where id = $1`, [id, nextIndex])
}

/** Every counter, with the first merchant that takes addresses from it. */
export async function listCounters(
  db: Queryable,
): Promise<(AddressCounter & { merchantId: MerchantId; appid: string })[]> {
  const { rows } = await db.query(
    `select distinct on (c.id) c.id, c.xpub, c.next_index as "nextIndex", m.id as "merchantId", m.appid
       from address_counter c
       join merchant m on m.address_counter_id = c.id
      order by c.id, m.id`,
  )
  return rows.map(row => ({ ...row, nextIndex: Number(row.nextIndex) }))
}
