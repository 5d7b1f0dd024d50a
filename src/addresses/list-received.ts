import type { UsdtUnits } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import { readInPages } from '../db/read-in-pages.ts'
import type { TronAddress } from '../tron/address.ts'

/** A deposit address with what arrived there. */
export interface AddressReceived {
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
 * What each transfer adds is summed up in one pass over all of them: looking up each address would take a while where most
 * have received nothing.
 */
export const receivedQuery = `
  select a.address, a.appid, a.localusermark, a.username, a.kind, c.xpub, a.index, coalesce(t.received, 0)::bigint
    from report.addresses a
    left join address_counter c on c.id = a.counter_id
    left join (select t.deposit_address_id, sum(t.amount) as received
                 from transfer t
                where not exists (select from rejection r where r.transfer_id = t.id)
                group by t.deposit_address_id) t on t.deposit_address_id = a.address_id
   where ($1::text is null or a.appid = $1)
     and ($2::boolean or t.received > 0)
   order by a.address_id`

/**
 * Reads addresses a page at a time in the order they were made, all from one snapshot.
 * @param pool for `readInPages`.
 * @param options.all those too that received nothing.
 */
export async function* listReceived(
  pool: Pool,
  { appid, all }: { appid: string | null; all: boolean },
): AsyncGenerator<AddressReceived[]> {
  for await (const page of readInPages(pool, receivedQuery, [appid, all]))
    yield (page as ReceivedRow[]).map(received)
}

type ReceivedRow = [
  ...[AddressReceived['address'], string, string, string, AddressReceived['kind']],
  ...[string | null, number | null, UsdtUnits],
]

function received([
  address,
  appid,
  localusermark,
  username,
  kind,
  xpub,
  index,
  sum,
]: ReceivedRow): AddressReceived {
  return { address, appid, localusermark, username, kind, xpub, index, received: sum }
}
