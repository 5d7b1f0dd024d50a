import type { DepositAddressId, OrderId, TransferId } from '../base/ids.ts'
import { type Queryable, rows, type Tx } from '../db/pool.ts'

/** Where a transfer is assigned: to an order, or to an address of a user. */
export type AssignedTo = { orderId: OrderId } | { addressId: DepositAddressId }

/** An assignment to be written. */
export interface NewAssignment {
  transferId: TransferId
  to: AssignedTo
  reason: string
  assignedBy: string
}

/**
 * Assigns a transfer that is unclaimed. The unique key on the transfer lets it be assigned once.
 * @returns the address that was paid; null when the transfer is not unclaimed, or is assigned already.
 */
export async function insertAssignment(
  tx: Tx,
  { transferId, to, reason, assignedBy }: NewAssignment,
): Promise<DepositAddressId | null> {
  const [inserted] = await rows<{ addressId: DepositAddressId }>(
    tx,
    `with unclaimed as (
       select transfer_id, deposit_address_id from waiting_transfer where transfer_id = $1 and reason = 'unclaimed'
     ), inserted as (
       insert into transfer_assignment (transfer_id, order_id, deposit_address_id, reason, assigned_by)
       select transfer_id, $2, $3, $4, $5
         from unclaimed
           on conflict (transfer_id) do nothing
       returning transfer_id
     )
     select deposit_address_id as "addressId" from unclaimed join inserted using (transfer_id)`,
    [
      transferId,
      'orderId' in to ? to.orderId : null,
      'addressId' in to ? to.addressId : null,
      reason,
      assignedBy,
    ],
  )
  return inserted?.addressId ?? null
}

/** Tells whether a transfer is assigned to this order or address. */
export async function isAssignedTo(db: Queryable, transferId: TransferId, to: AssignedTo): Promise<boolean> {
  const found = await rows(
    db,
    `select
       from transfer_assignment
      where transfer_id = $1 and (order_id = $2 or deposit_address_id = $3)`,
    [transferId, 'orderId' in to ? to.orderId : null, 'addressId' in to ? to.addressId : null],
  )
  return found.length > 0
}
