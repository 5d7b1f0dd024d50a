import type { AddressCounterId, MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { AccountKey } from '../tron/account-key.ts'

/** Counts the derived addresses of an account public key and chain code, for all merchants that share these. */
export interface AddressCounter {
  id: AddressCounterId
  xpub: string
  /** The next index to assign, 0 to 2^31; 2^31: none is left. */
  nextIndex: number
}

/** Finds an account's counter, or creates it. @returns its id. */
export async function openCounter(tx: Tx, key: AccountKey): Promise<AddressCounterId> {
  // The update changes nothing. It makes the statement return an existing row, and lock it against deletion.
  const [counter] = await rows<{ id: AddressCounterId }>(
    tx,
    `insert into address_counter (public_key, chain_code, xpub)
     values ($1, $2, $3)
         on conflict (public_key, chain_code) do update set xpub = address_counter.xpub
     returning id`,
    [key.publicKey, key.chainCode, key.xpub],
  )
  return counter!.id
}

/** Locks a counter until the transaction ends. Every assignment of an address to a user of it takes this lock. */
export async function lockCounter(tx: Tx, id: AddressCounterId): Promise<AddressCounter> {
  const [counter] = await rows<AddressCounter>(
    tx,
    `select id, xpub, next_index::float8 as "nextIndex"
       from address_counter
      where id = $1
        for update`,
    [id],
  )
  return counter!
}

/** Sets the next index of a locked counter. */
export async function moveCounter(tx: Tx, id: AddressCounterId, nextIndex: number): Promise<void> {
  await run(tx, `update address_counter set next_index = $2 where id = $1`, [id, nextIndex])
}

/**
 * Sets the next index of a locked counter for an assignment by a process.
 * @param witnessId the process: it must be registered, and the database's history the accepted one.
 * @returns false when it may not assign; the caller's transaction must then be rolled back.
 */
export async function moveCounterAsWitness(
  tx: Tx,
  { id, nextIndex, witnessId }: { id: AddressCounterId; nextIndex: number; witnessId: string },
): Promise<boolean> {
  const moved = await run(tx, `update address_counter set next_index = $2 where id = $1 and may_assign($3)`, [
    id,
    nextIndex,
    witnessId,
  ])
  return moved === 1
}

/** Reads the next index of every counter. */
export async function readNextIndexes(db: Queryable): Promise<Map<AddressCounterId, number>> {
  const counters = await rows<Pick<AddressCounter, 'id' | 'nextIndex'>>(
    db,
    `select id, next_index::float8 as "nextIndex" from address_counter`,
  )
  return new Map(counters.map(({ id, nextIndex }) => [id, nextIndex]))
}

/** Lists every counter, with the first of its merchants. */
export async function listCounters(
  db: Queryable,
): Promise<(AddressCounter & { merchantId: MerchantId; appid: string })[]> {
  return rows<AddressCounter & { merchantId: MerchantId; appid: string }>(
    db,
    `select distinct on (c.id) c.id, c.xpub, c.next_index::float8 as "nextIndex", m.id as "merchantId", m.appid
       from address_counter c
       join merchant m on m.address_counter_id = c.id
      order by c.id, m.id`,
  )
}
