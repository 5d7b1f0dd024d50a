import assert from 'node:assert/strict'
import type { DepositAddressId } from '../../src/base/ids.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { CreditRules } from '../../src/credits/credit-rules.ts'
import { type Pool, rows } from '../../src/db/pool.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor, makeBlock, type Payment } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedAddress, seedOrders } from '../support/seed.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'

/** Second `s` of these chains. */
export const at = (s: number) => new Date(Date.UTC(2026, 0, 1) + s * 1000)

export interface CreditedChain {
  pool: Pool
  rules: CreditRules
  /** The next block of the chain, not yet credited. */
  block(second: number, transactions: readonly (readonly Payment[])[]): SolidBlock
  credit(blocks: readonly SolidBlock[]): ReturnType<typeof creditBlocks>
}

/** A chain of its own on a database of its own, with one merchant. */
export async function creditedChain(
  seed = 'chain',
  quorumAmount: bigint | null = null,
): Promise<CreditedChain> {
  const { pool } = await cloneDatabase()
  const genesisId = makeBlock(seed, null, at(0), []).parentHash
  const rules: CreditRules = {
    network: 'private',
    genesisId,
    usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
    graceMs: 0,
    quorumAmount: quorumAmount as CreditRules['quorumAmount'],
  }
  await createCursor(pool, rules, { height: 0, hash: genesisId, time: at(0) })
  await addMerchant(pool)
  let tip: SolidBlock | null = null
  return {
    pool,
    rules,
    block(second, transactions) {
      tip = makeBlock(seed, tip, at(second), transactions)
      return tip
    },
    async credit(blocks) {
      const cursor = await readCursor(pool)
      assert(cursor)
      return creditBlocks(pool, rules, cursor, blocks)
    },
  }
}

/** The one merchant of these chains. */
export async function addMerchant(pool: Pool): Promise<void> {
  await seedMerchant(pool, anyShop)
}

/** Assigns an address to a user of that name. @returns its 20 bytes. */
export async function addAddress(pool: Pool, name: string): Promise<Buffer> {
  const { bytes } = await seedAddress(pool, { localusermark: name, bytes: bytesFor(name) })
  return bytes
}

/** Makes an order on the address of that user; none as long as the user has no address. */
export async function addOrder(
  pool: Pool,
  name: string,
  orderid: string,
  units: number | bigint,
  second: number,
  windowS = 100,
): Promise<void> {
  const addresses = await rows<{ addressId: DepositAddressId }>(
    pool,
    `select id as "addressId" from deposit_address where localusermark = $1`,
    [name],
  )
  const facts = { orderid, amount: BigInt(units), createdAt: at(second), expiresAt: at(second + windowS) }
  await seedOrders(
    pool,
    addresses.map(address => ({ ...address, ...facts })),
  )
}

export async function orderOf(pool: Pool, orderid: string): Promise<{ received: bigint; announced: bigint }> {
  const { rows } = await pool.query(`select received, announced from recharge_order where orderid = $1`, [
    orderid,
  ])
  return rows[0]
}

/** Everything that crediting wrote, in a form that does not depend on ids and times of writing. */
export async function ledger(pool: Pool) {
  const { rows } = await pool.query(
    `select t.txid, t.log_index, o.orderid, c.amount, c.received, c.late,
            cb.key, cb.body_amount, cb.received as cb_received, cb.order_state
       from transfer t
       left join credit c on c.transfer_id = t.id
       left join recharge_order o on o.id = c.order_id
       left join callback cb on cb.credit_id = c.id
      order by t.txid, t.log_index`,
  )
  return rows
}

/** What waits and why, in chain order. */
export async function waiting(
  pool: Pool,
): Promise<{ reason: string; amount: bigint; note: string | null }[]> {
  const { rows } = await pool.query(
    `select w.reason, t.amount, w.note
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      order by t.block_height, t.tx_index, t.log_index`,
  )
  return rows
}

/** A transfer has a credit, waits or is rejected: exactly one of the three. */
export async function assertNoneHomeless(pool: Pool): Promise<void> {
  const { rowCount } = await pool.query(
    `select from transfer t
      where (select count(*) from credit where transfer_id = t.id)
          + (select count(*) from waiting_transfer where transfer_id = t.id)
          + (select count(*) from rejection where transfer_id = t.id) <> 1`,
  )
  assert.equal(rowCount, 0, 'a transfer has a credit, waits or is rejected: exactly one of the three')
}

/** On each address what is credited is its first transfers, credited in the chain's order. */
export async function assertChainOrder(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ address: bigint; height: number; credit: bigint | null }>(
    `select t.deposit_address_id as address, t.block_height as height, c.id as credit
       from transfer t
       left join credit c on c.transfer_id = t.id
      order by t.deposit_address_id, t.block_height, t.tx_index, t.log_index`,
  )
  rows.forEach((row, i) => {
    const before = rows[i - 1]
    if (row.credit === null || before?.address !== row.address) return
    assert(before.credit !== null, `block ${row.height} is credited, block ${before.height} before it waits`)
    assert(before.credit < row.credit, `block ${row.height} was credited before block ${before.height}`)
  })
}

/** An order's totals are the sums of its credits and callbacks, and all that is whole is announced. */
export async function assertTotalsAddUp(pool: Pool): Promise<void> {
  const { rows } = await pool.query(
    `select o.orderid, o.received, o.announced,
            coalesce((select sum(amount) from credit where order_id = o.id), 0)::bigint as credited,
            coalesce((select sum(body_amount) from callback where order_id = o.id), 0)::bigint as called_back
       from recharge_order o order by o.orderid`,
  )
  for (const order of rows) {
    assert.equal(order.received, order.credited)
    assert.equal(order.announced, order.called_back)
    assert.equal(order.announced, order.received / 100n)
  }
}
