import type { AddressCounterId } from '../base/ids.ts'
import { type UsdtUnits, usdt } from '../base/money.ts'
import { promptly, type Queryable, rows, run, type Tx } from '../db/pool.ts'
import { addressToBytes, type TronAddress } from '../tron/address.ts'
import type { DepositAddress, User } from './deposit-address.ts'

const columns = `d.id, d.address, d.localusermark, d.is_base as "isBase", d.orderid, d.uuid, d.created_at as "createdAt"`

/** An assigned address; or there is none, and the order exists at another one. */
export type Assigned = DepositAddress | 'order_at_other_address'

/** A request for an address: the user's base address, or with an orderid the order's own. */
export interface AddressRequest extends User {
  orderid: string | null
}

/**
 * Finds addresses that are assigned already: with an orderid by (merchant, orderid), any user's, else the base address.
 * @returns for each request, in their order, the address; null when there is none yet; order_at_other_address when there
 *   is none and the order exists at another address: money sent to a new one could never be that order's.
 */
export async function findAssigned(
  db: Queryable,
  requests: readonly AddressRequest[],
): Promise<(Assigned | null)[]> {
  type Found = (DepositAddress | { id: null }) & { elsewhere: boolean }
  const found = await rows<Found>(db, {
    name: 'find-assigned-addresses',
    ...promptly,
    text: `select ${columns},
                  d.id is null and exists (select
                                             from recharge_order o
                                            where o.merchant_id = w.merchant_id and o.orderid = w.orderid) as elsewhere
             from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality
                    as w (merchant_id, localusermark, orderid, position)
             left join lateral (
               select *
                 from deposit_address
                where merchant_id = w.merchant_id and orderid = w.orderid
               union all
               select *
                 from deposit_address
                where w.orderid is null
                  and merchant_id = w.merchant_id and localusermark = w.localusermark and is_base
             ) d on true
            order by w.position`,
    values: [
      requests.map(r => r.merchantId),
      requests.map(r => r.localusermark),
      requests.map(r => r.orderid),
    ],
  })
  return found.map(({ elsewhere, ...address }) => {
    if (address.id !== null) return address
    return elsewhere ? 'order_at_other_address' : null
  })
}

/** Finds which of these addresses exist already, derived or imported, of any user. */
export async function findExisting(tx: Tx, addresses: readonly string[]): Promise<Set<string>> {
  const existing = await rows<{ address: string }>(
    tx,
    `select address from deposit_address where address = any($1::text[])`,
    [addresses],
  )
  return new Set(existing.map(({ address }) => address))
}

/** A new address. A derived one has a counter and an index, an imported one neither. */
export interface NewDepositAddress extends User {
  address: TronAddress
  isBase: boolean
  orderid: string | null
  derived: { counterId: AddressCounterId; index: number } | null
}

/** Writes addresses. Blocks that are read after the commit find them. @returns them in their order. */
export async function insertAddresses(
  tx: Tx,
  addresses: readonly NewDepositAddress[],
): Promise<DepositAddress[]> {
  const inserted = await rows<DepositAddress>(tx, {
    name: 'insert-addresses',
    text: `insert into deposit_address as d
             (address, address_bytes, merchant_id, localusermark, username, is_base, orderid, counter_id, index)
           select *
             from unnest($1::text[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::boolean[], $7::text[],
                         $8::bigint[], $9::integer[])
           returning ${columns}`,
    values: [
      addresses.map(a => a.address),
      addresses.map(a => addressToBytes(a.address)),
      addresses.map(a => a.merchantId),
      addresses.map(a => a.localusermark),
      addresses.map(a => a.username),
      addresses.map(a => a.isBase),
      addresses.map(a => a.orderid),
      addresses.map(a => a.derived?.counterId ?? null),
      addresses.map(a => a.derived?.index ?? null),
    ],
  })
  const byAddress = new Map(inserted.map(row => [row.address, row]))
  return addresses.map(a => byAddress.get(a.address)!)
}

/** One of a user's addresses, with what arrived there and belongs to no order yet, base units as text. */
export interface UserAddress {
  address: TronAddress
  /** The order whose own address it is. */
  orderid: string | null
  unclaimed: string
}

/** A user's addresses. */
export interface UserAddresses {
  /** Null: the user has only order's own or imported addresses, or none at all. */
  base: DepositAddress | null
  /** At all of the user's addresses. */
  unclaimed: UsdtUnits
  /** A page of all addresses, the base address included, the newest first. */
  page: UserAddress[]
  /** Whether the user has the address after which the page begins. */
  knowsAfter: boolean
}

/**
 * Finds a user's base address, a page of all addresses, and what is unclaimed there.
 * @param page.after the last address of the page before; null: the first page.
 */
export async function findUserAddresses(
  db: Queryable,
  user: Pick<User, 'merchantId' | 'localusermark'>,
  { after, limit }: { after: string | null; limit: number },
): Promise<UserAddresses> {
  const [found] = await rows<
    (DepositAddress | { id: null }) & { units: string; page: UserAddress[]; afterId: bigint | null }
  >(db, {
    name: 'user-addresses',
    text: `with before as (
             select id
               from deposit_address
              where merchant_id = $1 and localusermark = $2 and address = $3
           )
           select ${columns},
                  (select id from before) as "afterId",
                  (select coalesce(sum(t.amount), 0)::text
                     from deposit_address u
                     join waiting_transfer w on w.deposit_address_id = u.id and w.reason = 'unclaimed'
                     join transfer t on t.id = w.transfer_id
                    where u.merchant_id = $1 and u.localusermark = $2) as units,
                  (select coalesce(json_agg(json_build_object(
                            'address', p.address, 'orderid', p.orderid,
                            'unclaimed', (select coalesce(sum(t.amount), 0)::text
                                            from waiting_transfer w
                                            join transfer t on t.id = w.transfer_id
                                           where w.deposit_address_id = p.id and w.reason = 'unclaimed'))
                            order by p.id desc), '[]')
                     from (select id, address, orderid
                             from deposit_address
                            where merchant_id = $1 and localusermark = $2
                              and id < coalesce((select id from before), 9223372036854775807)
                            order by id desc
                            limit $4) p) as page
             from (values (1)) one
             left join deposit_address d on d.merchant_id = $1 and d.localusermark = $2 and d.is_base`,
    values: [user.merchantId, user.localusermark, after, limit],
  })
  const { units, page, afterId, ...base } = found!
  return {
    base: base.id === null ? null : base,
    unclaimed: usdt(BigInt(units)),
    page,
    knowsAfter: after === null || afterId !== null,
  }
}

/** `counterId` null: the address was imported. */
type AddressOwner = Omit<User, 'username'> & { counterId: AddressCounterId | null; orderid: string | null }

/** Finds who has these addresses, by address. */
export async function findOwners(
  tx: Tx,
  addresses: readonly TronAddress[],
): Promise<Map<string, AddressOwner>> {
  const owned = await rows<AddressOwner & { address: string }>(
    tx,
    `select address, merchant_id as "merchantId", localusermark, counter_id as "counterId", orderid
       from deposit_address
      where address = any($1::text[])`,
    [addresses],
  )
  return new Map(owned.map(({ address, ...owner }) => [address, owner]))
}

/**
 * Gives skipped addresses to a user.
 * @param as.base the one that becomes the base address; null: none.
 * @param as.orderid the order whose own address it becomes; null: it serves any order of the user.
 */
export async function adoptAddresses(
  tx: Tx,
  addresses: readonly TronAddress[],
  user: User,
  as: { base: TronAddress | null; orderid: string | null },
): Promise<void> {
  if (addresses.length === 0) return
  await run(
    tx,
    `update deposit_address
        set merchant_id = $2, localusermark = $3, username = $4, is_base = address = $5, orderid = $6
      where address = any($1::text[])`,
    [addresses, user.merchantId, user.localusermark, user.username, as.base ?? '', as.orderid],
  )
}

/** Sets the first block that counts for addresses imported in this transaction: earlier payments were not ours to credit. */
export async function watchFrom(tx: Tx, imported: readonly TronAddress[], height: number): Promise<void> {
  if (imported.length === 0) return
  await run(tx, `update deposit_address set watched_from = $2 where address = any($1::text[])`, [
    imported,
    height,
  ])
}

/** Sets an earlier first block for addresses imported before. Derived ones, and those that count from there, stay. */
export async function watchEarlier(tx: Tx, known: readonly TronAddress[], height: number): Promise<void> {
  if (known.length === 0) return
  await run(
    tx,
    `update deposit_address
        set watched_from = $2
      where address = any($1::text[])
        and counter_id is null
        and coalesce(watched_from, (select start_height + 1 from chain_cursor)) > $2`,
    [known, height],
  )
}
