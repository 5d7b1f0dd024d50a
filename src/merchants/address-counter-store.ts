import type { AddressCounterId, MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { AccountKey } from '../tron/account-key.ts'

/** What addresses are counted by: one per account public key and chain code, whichever merchants share it. */
export interface AddressCounter {
  id: AddressCounterId
  xpub: string
  /** The next index to hand out, 0 to 2^31; the last means that none is left. */
  nextIndex: number
}

/** Finds the account's counter, or makes it. @returns its id. */
export async function openCounter(tx: Tx, key: AccountKey): Promise<AddressCounterId> {
  // The update changes nothing; it is there so that a row that exists is returned, and locked against its deletion.
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

/** Locks a counter until the transaction ends: whoever gives an address to one of its users holds this lock. */
export async function lockCounter(tx: Tx, id: AddressCounterId): Promise<AddressCounter> {
  const [counter] = await rows<CounterRow>(
    tx,
    `select id, xpub, next_index as "nextIndex"
       from address_counter
      where id = $1
        for update`,
    [id],
  )
  return readCounter(counter!)
}

/** Moves a locked counter on. */
export async function moveCounter(tx: Tx, id: AddressCounterId, nextIndex: number): Promise<void> {
  await run(tx, `update address_counter set next_index = $2 where id = $1`, [id, nextIndex])
}

/** Every counter, with the first merchant that takes addresses from it. */
export async function listCounters(
  db: Queryable,
): Promise<(AddressCounter & { merchantId: MerchantId; appid: string })[]> {
  const counters = await rows<CounterRow & { merchantId: MerchantId; appid: string }>(
    db,
    `select distinct on (c.id) c.id, c.xpub, c.next_index as "nextIndex", m.id as "merchantId", m.appid
       from address_counter c
       join merchant m on m.address_counter_id = c.id
      order by c.id, m.id`,
  )
  return counters.map(readCounter)
}

type CounterRow = Omit<AddressCounter, 'nextIndex'> & { nextIndex: bigint }

function readCounter<Row extends CounterRow>(row: Row) {
  return { ...row, nextIndex: Number(row.nextIndex) }
}
