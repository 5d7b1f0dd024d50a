import type { DepositAddressId, MerchantId } from '../../../base/ids.ts'
import type { UsdtUnits } from '../../../base/money.ts'
import { type Queryable, rows } from '../../../db/pool.ts'

/** What an address is for: every order of its user, one order, or it was skipped after a restore and is nobody's yet. */
export type AddressKind = 'base' | 'order' | 'imported' | 'restored'

export interface ConsoleAddress {
  id: DepositAddressId
  merchantId: MerchantId
  appid: string
  address: string
  localusermark: string
  username: string
  kind: AddressKind
  /** Of its one order. */
  orderid: string | null
  createdAt: Date
  /** What arrived there, of the first `transfersMax` transfers; `isPartial`: there are more. */
  received: UsdtUnits
  isPartial: boolean
  /** Of it, what is unclaimed. */
  unclaimed: UsdtUnits
}

/** An address may have a million transfers, and a page fifty such addresses. So many of each are added up. */
const transfersMax = 1_000

/** Where a page of a list goes on: the user and id of the last address of the page before. */
export interface AddressPlace {
  localusermark: string
  id: bigint
}

const columns = `a.id, a.merchant_id as "merchantId", m.appid, a.address, a.localusermark, a.username, a.orderid,
            case when a.localusermark = '' then 'restored'
                 when a.is_base then 'base'
                 when a.orderid is not null then 'order'
                 else 'imported' end as kind,
            a.created_at as "createdAt", s.received, s.transfers >= ${transfersMax} as "isPartial", s.unclaimed`

const sums = `
      cross join lateral (
        select coalesce(sum(t.amount), 0)::bigint as received, count(*) as transfers,
               (select coalesce(sum(u.amount), 0)::bigint
                  from (select transfer_id
                          from waiting_transfer
                         where deposit_address_id = a.id and reason = 'unclaimed'
                         limit ${transfersMax}) w
                  join transfer u on u.id = w.transfer_id) as unclaimed
          from (select t.amount
                  from transfer t
                 where t.deposit_address_id = a.id
                   and not exists (select from rejection r where r.transfer_id = t.id)
                 limit ${transfersMax}) t
      ) s`

/**
 * Reads a page of addresses. Those of one merchant are in the order of their users, which an index has; those of all are newest
 * first, without sums by user.
 * @param filter.user of this user alone; null: of all users.
 */
export async function readAddresses(
  db: Queryable,
  filter: { scope: MerchantId | null; user: string | null; after: AddressPlace | null; limit: number },
): Promise<ConsoleAddress[]> {
  const { scope, user, after, limit } = filter
  const values: unknown[] = [limit]
  const bind = (value: unknown, type: string) => `$${values.push(value)}::${type}`
  // A user's addresses, newest first: there may be one for each order.
  const page = (merchantId: string) => {
    if (user !== null) {
      const before = after && `and id < ${bind(after.id, 'bigint')}`
      return `select * from deposit_address
               where merchant_id = ${merchantId} and localusermark = ${bind(user, 'text')} ${before ?? ''}
               order by id desc limit $1`
    }
    const place = after && `${bind(after.localusermark, 'text')}, ${bind(after.id, 'bigint')}`
    return `select * from deposit_address
             where merchant_id = ${merchantId} and localusermark <> '' ${place ? `and (localusermark, id) > (${place})` : ''}
             order by localusermark, id limit $1`
  }
  const newestOfAll = () =>
    `select * from deposit_address ${after ? `where id < ${bind(after.id, 'bigint')}` : ''} order by id desc limit $1`
  const source =
    scope !== null
      ? page(bind(scope, 'bigint'))
      : user === null
        ? newestOfAll()
        : `select * from (select l.* from merchant m cross join lateral (${page('m.id')}) l) x order by id desc limit $1`
  const order = scope !== null && user === null ? 'a.localusermark, a.id' : 'a.id desc'
  return rows<ConsoleAddress>(
    db,
    `select ${columns}
       from (${source}) a
       join merchant m on m.id = a.merchant_id
      ${sums}
      order by ${order}`,
    values,
  )
}

/** Finds one address. @param scope whose it has to be; null: anyone's. */
export async function findConsoleAddress(
  db: Queryable,
  address: string,
  scope: MerchantId | null,
): Promise<ConsoleAddress | null> {
  const [found] = await rows<ConsoleAddress>(
    db,
    `select ${columns}
       from deposit_address a
       join merchant m on m.id = a.merchant_id
      ${sums}
      where a.address = $1 and ($2::bigint is null or a.merchant_id = $2 and a.localusermark <> '')`,
    [address, scope],
  )
  return found ?? null
}
