import type { TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import type { Queryable, Tx } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'

/** A transfer above the quorum amount, with all that a second node has to show. */
export interface HeldTransfer {
  id: TransferId
  txid: string
  logIndex: number
  from: TronAddress
  to: TronAddress
  amount: UsdtUnits
  height: number
  /** Its block's id. */
  hash: string
  /** Who served it: another has to be asked. */
  node: string
}

/**
 * Reads held transfers that are due to be asked about, those asked about longest ago first. The longer one has been
 * held, the less often: after a quarter of the time it has waited, 2 s at the least and 10 min at the most.
 */
export async function dueHeld(db: Queryable, pageMax: number): Promise<HeldTransfer[]> {
  const { rows } = await db.query(
    `select t.id, t.txid, t.log_index as "logIndex", t.from_address as "from", a.address as "to", t.amount,
            t.block_height as "height", t.block_hash as "hash", w.node
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
       join deposit_address a on a.id = t.deposit_address_id
      where w.reason = 'held'
        and (w.checked_at is null
             or w.checked_at + least(greatest((w.checked_at - w.created_at) / 4, interval '2 s'), interval '10 min')
                <= now())
      order by w.checked_at nulls first, w.transfer_id
      limit $1`,
    [pageMax],
  )
  return rows
}

/** Sets down when held transfers were asked about and what was said; they stay held. */
export async function noteHeld(
  db: Queryable,
  checked: readonly { id: TransferId; note: string | null }[],
): Promise<void> {
  if (checked.length === 0) return
  await db.query(
    `update waiting_transfer w
        set checked_at = now(), note = left(c.note, 500)
       from unnest($1::bigint[], $2::text[]) as c (transfer_id, note)
      where w.transfer_id = c.transfer_id and w.reason = 'held'`,
    [checked.map(({ id }) => id), checked.map(({ note }) => note)],
  )
}

/**
 * Lets held transfers wait their turn like any other; those that are held no longer stay as they are.
 * @returns for each one let go, its address.
 */
export async function letGo(tx: Tx, transferIds: readonly bigint[]): Promise<bigint[]> {
  const { rows } = await tx.query(
    `update waiting_transfer
        set reason = 'behind', checked_at = now(), note = null
      where transfer_id = any($1::bigint[]) and reason = 'held'
      returning deposit_address_id as id`,
    [transferIds],
  )
  return rows.map(row => row.id)
}
