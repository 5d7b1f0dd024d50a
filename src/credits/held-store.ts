import type { DepositAddressId, TransferId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'

/** A transfer above the quorum amount, with everything that a second node has to show. */
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
  /** The node that served its block. Another one has to be asked. */
  node: string
}

/** The columns of `HeldTransfer` without `node`, from transfer t and deposit_address a. */
export const heldColumns = `t.id, t.txid, t.log_index as "logIndex", t.from_address as "from", a.address as "to", t.amount,
            t.block_height as "height", t.block_hash as "hash"`

/**
 * Reads held transfers that are due for a check, the one checked longest ago first. The longer a transfer has been held, the
 * less often it is checked: after a quarter of the time it has waited, at least 2 s and at most 10 min.
 */
export async function dueHeld(db: Queryable, pageMax: number): Promise<HeldTransfer[]> {
  return rows<HeldTransfer>(
    db,
    `select ${heldColumns}, w.node
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
}

/** Reads one held transfer. @returns null when none with that id is held. */
export async function readHeld(db: Queryable, id: TransferId): Promise<HeldTransfer | null> {
  const [held] = await rows<HeldTransfer>(
    db,
    `select ${heldColumns}, w.node
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
       join deposit_address a on a.id = t.deposit_address_id
      where w.transfer_id = $1 and w.reason = 'held'`,
    [id],
  )
  return held ?? null
}

/** Writes when held transfers were checked and with which result. They stay held. */
export async function noteHeld(
  db: Queryable,
  checked: readonly { id: TransferId; note: string | null }[],
): Promise<void> {
  if (checked.length === 0) return
  await run(
    db,
    `update waiting_transfer w
        set checked_at = now(), note = left(c.note, 500)
       from unnest($1::bigint[], $2::text[]) as c (transfer_id, note)
      where w.transfer_id = c.transfer_id and w.reason = 'held'`,
    [checked.map(({ id }) => id), checked.map(({ note }) => note)],
  )
}

/**
 * Lets held transfers wait for their turn again. Transfers that are no longer held are not changed.
 * @returns the address of each transfer released.
 */
export async function endHold(tx: Tx, transferIds: readonly TransferId[]): Promise<DepositAddressId[]> {
  const released = await rows<{ id: DepositAddressId }>(
    tx,
    `update waiting_transfer
        set reason = 'behind', checked_at = now(), note = null
      where transfer_id = any($1::bigint[]) and reason = 'held'
      returning deposit_address_id as id`,
    [transferIds],
  )
  return released.map(({ id }) => id)
}
