import type { DepositAddressId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type Queryable, rows } from '../db/pool.ts'
import type { TronAddress } from '../tron/address.ts'

/** A deposit address with what arrived there. */
export interface AddressReceived {
  id: DepositAddressId
  address: TronAddress
  appid: string
  localusermark: string
  username: string
  kind: 'base' | 'order' | 'imported' | 'restored'
  /** The account key and the place under it; null for an imported one. */
  xpub: string | null
  index: number | null
  /** Solidified transfers that were not rejected, credited or not. */
  received: UsdtUnits
}

/**
 * Reads a page of addresses after one, in the order they were made.
 * @param options.all those too that received nothing.
 */
export function listReceived(
  db: Queryable,
  options: { after: DepositAddressId | null; appid: string | null; all: boolean; limit: number },
): Promise<AddressReceived[]> {
  return rows<AddressReceived>(
    db,
    `select a.address_id as id, a.address, a.appid, a.localusermark, a.username, a.kind, c.xpub, a.index, t.received
       from report.addresses a
       left join address_counter c on c.id = a.counter_id
       cross join lateral (
         select coalesce(sum(t.amount), 0)::bigint as received
           from transfer t
          where t.deposit_address_id = a.address_id
            and not exists (select from rejection r where r.transfer_id = t.id)
       ) t
      where a.address_id > $1
        and ($2::text is null or a.appid = $2)
        and ($3 or t.received > 0)
      order by a.address_id
      limit $4`,
    [options.after ?? 0, options.appid, options.all, options.limit],
  )
}
