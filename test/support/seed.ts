import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { AddressCounterId, DepositAddressId, MerchantId, OrderId } from '../../src/base/ids.ts'
import { type Queryable, rows } from '../../src/db/pool.ts'
import { addressFromBytes, type TronAddress } from '../../src/tron/address.ts'

// The seed kit: rows as the gateway writes them, for tests of what comes after. Here are addresses and orders; merchants,
// transfers and their credits, and callbacks and their attempts are in seed-merchant.ts, seed-transfer.ts and
// seed-callback.ts. A function adds one row, with a default for every fact that a test does not name. Its plural adds any
// number in one statement. Amounts are in base units.

/** Open at any time that a test's chain may have. */
export const alwaysOpen = { createdAt: new Date('2020-01-01'), expiresAt: new Date('2040-01-01') }
/** What an order is for, and what a transfer pays, unless said otherwise. */
export const usualAmount = 3_000_000n

const dayMs = 86_400_000

export interface AddressFacts {
  /** Default: the one merchant that there is. */
  merchantId?: MerchantId
  /** Default 'u1'. */
  localusermark?: string
  /** Default: the localusermark. */
  username?: string
  /** Default: random ones. */
  bytes?: Buffer
  /** Default true. */
  isBase?: boolean
  /** Where it was derived. Default: it was imported. */
  counterId?: AddressCounterId
  index?: number
}

export interface SeededAddress {
  addressId: DepositAddressId
  address: TronAddress
  bytes: Buffer
}

export async function seedAddress(db: Queryable, facts: AddressFacts = {}): Promise<SeededAddress> {
  const [seeded] = await seedAddresses(db, [facts])
  return seeded!
}

export async function seedAddresses(db: Queryable, facts: readonly AddressFacts[]): Promise<SeededAddress[]> {
  const bytes = facts.map(fact => fact.bytes ?? randomBytes(20))
  const addresses = bytes.map(addressFromBytes)
  const marks = facts.map(fact => fact.localusermark ?? 'u1')
  const added = await rows<{ id: DepositAddressId }>(
    db,
    `insert into deposit_address
       (address, address_bytes, merchant_id, localusermark, username, is_base, counter_id, index)
     select address, bytes, coalesce(merchant_id, (select id from merchant)), mark, username, is_base, counter_id, index
       from unnest($1::text[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::boolean[], $7::bigint[], $8::int[])
              as a (address, bytes, merchant_id, mark, username, is_base, counter_id, index)
     returning id`,
    [
      addresses,
      bytes,
      facts.map(fact => fact.merchantId),
      marks,
      facts.map((fact, i) => fact.username ?? marks[i]),
      facts.map(fact => fact.isBase ?? true),
      facts.map(fact => fact.counterId),
      facts.map(fact => fact.index),
    ],
  )
  return added.map(({ id }, i) => ({ addressId: id, address: addresses[i]!, bytes: bytes[i]! }))
}

/** Finds an address by its text or by its user. */
export async function addressIdOf(
  db: Queryable,
  of: { address: string } | { localusermark: string },
): Promise<DepositAddressId> {
  const [column, value] = 'address' in of ? ['address', of.address] : ['localusermark', of.localusermark]
  const [found] = await rows<{ id: DepositAddressId }>(
    db,
    `select id from deposit_address where ${column} = $1`,
    [value],
  )
  assert(found, `no address has the ${column} ${value}`)
  return found.id
}

export interface OrderFacts {
  addressId: DepositAddressId
  orderid?: string
  amount?: bigint
  /** Default: nothing. What is announced is the same, rounded down to 1/10000 USDT. */
  received?: bigint
  /** Default: none, so that the merchant's own is used. */
  notifyUrl?: string
  /** Default: now. */
  createdAt?: Date
  /** Default: a day after it was created. */
  expiresAt?: Date
}

export interface SeededOrder {
  orderId: OrderId
  orderid: string
}

/** Adds an order of the address's merchant and user. */
export async function seedOrder(db: Queryable, facts: OrderFacts): Promise<SeededOrder> {
  const [seeded] = await seedOrders(db, [facts])
  return seeded!
}

export async function seedOrders(db: Queryable, facts: readonly OrderFacts[]): Promise<SeededOrder[]> {
  const orderids = facts.map(fact => fact.orderid ?? `sh-${randomBytes(8).toString('hex')}`)
  const created = facts.map(fact => fact.createdAt ?? new Date())
  const added = await rows<{ id: OrderId }>(
    db,
    `insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, announced, notify_url,
        created_at, expires_at)
     select a.merchant_id, o.orderid, a.username, a.localusermark, a.id, o.amount, o.received, o.received / 100, o.url,
            o.created_at, o.expires_at
       from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[])
              with ordinality as o (address_id, orderid, amount, received, url, created_at, expires_at, position)
       join deposit_address a on a.id = o.address_id
      order by o.position
     returning id`,
    [
      facts.map(fact => fact.addressId),
      orderids,
      facts.map(fact => fact.amount ?? usualAmount),
      facts.map(fact => fact.received ?? 0n),
      facts.map(fact => fact.notifyUrl),
      created,
      facts.map((fact, i) => fact.expiresAt ?? new Date(created[i]!.getTime() + dayMs)),
    ],
  )
  return added.map(({ id }, i) => ({ orderId: id, orderid: orderids[i]! }))
}
