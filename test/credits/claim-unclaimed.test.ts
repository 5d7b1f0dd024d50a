import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { Pool, Queryable } from '../../src/db/pool.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { makeBlock } from '../support/chain-blocks.ts'
import { addressIdOf, seedOrder } from '../support/seed.ts'
import { addAddress, type CreditedChain, creditedChain, orderOf } from './credited-chain.ts'

// Money that came before its order, on chains whose time is the time of day: what an order's commit, the chain's clock
// and the database's clock may do to each other.

/** So many seconds from now. */
const inSeconds = (s: number) => new Date(Date.now() + s * 1000)

async function order(db: Queryable, createdAt: Date): Promise<void> {
  const addressId = await addressIdOf(db, { localusermark: 'u1' })
  await seedOrder(db, { addressId, orderid: 'o-1', amount: 5n, createdAt })
}

/** A chain at whose tip u1 was paid 5 units a minute ago. */
async function paidChain() {
  const it = await creditedChain()
  const to = await addAddress(it.pool, 'u1')
  let tip: SolidBlock = makeBlock('now', { height: 10, hash: 'a'.repeat(64) }, inSeconds(-60), [
    [{ toBytes: to, units: 5n }],
  ])
  await it.pool.query(`update chain_cursor set height = 10, hash = $1, block_time = $2`, [
    tip.parentHash,
    inSeconds(-63),
  ])
  await step(it, tip)
  return {
    ...it,
    /** Follows one block of that time. */
    async next(time: Date) {
      tip = makeBlock('now', tip, time, [])
      await step(it, tip)
      return await received(it.pool)
    },
    /** As if so many blocks had been followed. */
    async goTo(height: number) {
      tip = { ...tip, height }
      await it.pool.query(`update chain_cursor set height = $1`, [height])
    },
  }
}

async function step({ pool, rules }: CreditedChain, block: SolidBlock): Promise<void> {
  assert(await creditBlocks(pool, rules, (await readCursor(pool))!, [block]))
}

async function received(pool: Pool): Promise<bigint> {
  return (await orderOf(pool, 'o-1'))?.received ?? 0n
}

test('an order is claimed for once the chain comes to its creation, and not before', async () => {
  const { pool, next } = await paidChain()
  await order(pool, inSeconds(-30))
  assert.equal(await next(inSeconds(-33)), 0n)
  assert.equal(await next(inSeconds(-30.5)), 0n)
  assert.equal(await next(inSeconds(-27)), 5n)
})

test('an order that commits late, when the chain has passed its creation, is claimed for all the same', async () => {
  const { pool, next } = await paidChain()
  const late = await pool.connect()
  try {
    await late.query('begin')
    await order(late as unknown as Queryable, inSeconds(-20))
    assert.equal(await next(inSeconds(-9)), 0n)
    assert.equal(await next(inSeconds(-6)), 0n)
    await late.query('commit')
  } finally {
    late.release()
  }
  assert.equal(await next(inSeconds(-3)), 5n)
})

test('on a chain whose clock is ahead of ours an order is claimed for at the next block', async () => {
  const { pool, next } = await paidChain()
  await next(inSeconds(86_400))
  await order(pool, new Date())
  assert.equal(await next(inSeconds(86_403)), 5n)
})

test('should the clock have been set back, it is claimed for within the hour', async () => {
  const { pool, next, goTo } = await paidChain()
  await next(inSeconds(-57))
  await order(pool, inSeconds(-7200))
  assert.equal(await next(inSeconds(-54)), 0n)
  await goTo(1198)
  assert.equal(await next(inSeconds(-51)), 0n)
  assert.equal(await next(inSeconds(-48)), 5n)
})
