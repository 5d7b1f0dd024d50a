import { type Queryable, run } from '../../src/db/pool.ts'

// Addresses by the thousand, made by the database: those whose 20 bytes are the first of sha256 of a number, as
// test/bench/memory-chain.ts pays them. Their text has the form of an address and is unique, but is not the bytes in base58.

/** Which ones: `count` numbers from `first` on. */
export interface Numbered {
  first: number
  count: number
}

/** Adds the base address of users named by their number, of the one merchant there is. */
export async function seedNumberedAddresses(db: Queryable, { first, count }: Numbered): Promise<void> {
  await run(
    db,
    `insert into deposit_address (address, address_bytes, merchant_id, localusermark, username, is_base)
     select 'T' || left(translate(encode(h, 'hex'), '0', 'z'), 33), substring(h for 20), merchant.id, n, n, true
       from merchant, generate_series($1::int, $2::int) as n, lateral (select sha256(n::text::bytea) as h) as hashed`,
    [first, first + count - 1],
  )
}

/** Places an order on each, open at any time that the bench's chain has. @param amount base units. */
export async function seedNumberedOrders(
  db: Queryable,
  { first, count }: Numbered,
  amount: bigint,
): Promise<void> {
  await run(
    db,
    `insert into recharge_order
       (merchant_id, orderid, username, localusermark, deposit_address_id, amount, created_at, expires_at)
     select a.merchant_id, 'o-' || n, a.username, a.localusermark, a.id, $3, '2020-01-01', '2040-01-01'
       from generate_series($1::int, $2::int) as n
       join deposit_address a on a.address_bytes = substring(sha256(n::text::bytea) for 20)`,
    [first, first + count - 1, amount],
  )
}
