import type { DepositAddressId, MerchantId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { rows, type Tx } from '../db/pool.ts'

/** An address at which a transfer without an eligible order becomes a deposit. */
export interface DepositingAddress {
  id: DepositAddressId
  merchantId: MerchantId
  /** Where its callbacks go: the merchant's default URL. */
  callbackUrl: string | null
  /** The sum of its deposits so far. What of it was announced follows: all that is whole. */
  received: UsdtUnits
}

/**
 * Reads those of these addresses at which there can be deposits. Addresses that were skipped after a restore belong to no user, so
 * nothing there is a deposit.
 * @param tx holds the cursor's lock, so that no other transaction writes deposits.
 * @param options.depositsOff those of merchants with deposits off, too.
 */
export async function readDepositAddresses(
  tx: Tx,
  ids: readonly DepositAddressId[],
  { depositsOff = false } = {},
): Promise<Map<DepositAddressId, DepositingAddress>> {
  if (ids.length === 0) return new Map()
  const found = await rows<DepositingAddress>(
    tx,
    `select a.id, a.merchant_id as "merchantId", m.callback_url as "callbackUrl",
            coalesce((select c.received
                        from credit c
                       where c.deposit_address_id = a.id
                       order by c.id desc
                       limit 1), 0) as received
       from deposit_address a
       join merchant m on m.id = a.merchant_id and (m.deposits or $2)
      where a.id = any($1::bigint[]) and a.localusermark <> ''`,
    [ids, depositsOff],
  )
  return new Map(found.map(address => [address.id, address]))
}
