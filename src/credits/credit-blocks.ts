import assert from 'node:assert/strict'
import { type ChainPin, insertBlocks, moveCursor } from '../blocks/chain-store.ts'
import { callbackKey } from '../callbacks/callback-key.ts'
import { insertCallbacks, type NewCallback, originOf } from '../callbacks/callback-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { orderState } from '../orders/order.ts'
import { lockPayableOrders, writeOrderTotals } from '../orders/order-totals-store.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'
import { quarantineLogs, recordTransfers } from '../transfers/transfer-store.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import { insertCredits, keepWaiting, stopWaiting, waitingTransfers } from './credit-store.ts'
import { type PlannedCredit, planCredits } from './plan-credits.ts'

/** What a batch of blocks came to, for the log and the metrics. */
export interface BlocksCredited {
  transfers: number
  credits: number
  callbacks: number
  unclaimed: number
  quarantined: number
}

/**
 * The step that everything leads to: cursor, headers, transfers, credits, order totals and callback rows move in one
 * transaction, or none of them does.
 * @param from where the caller read the cursor; the blocks follow on it without a gap, oldest first.
 * @returns null when another watcher has moved the cursor: nothing is written, and the caller has to read it again.
 */
export async function creditBlocks(
  pool: Pool,
  chain: ChainPin,
  graceMs: number,
  from: BlockRef,
  blocks: readonly SolidBlock[],
): Promise<BlocksCredited | null> {
  const last = blocks.at(-1)!
  try {
    return await inTransaction(pool, async tx => {
      if (!(await moveCursor(tx, from, last))) throw new CursorMoved()
      await insertBlocks(tx, blocks)
      const quarantined = await quarantineLogs(tx, blocks)
      const recorded = await recordTransfers(tx, blocks)
      return {
        transfers: recorded.length,
        quarantined,
        ...(await creditTransfers(tx, chain, graceMs, recorded, last)),
      }
    })
  } catch (error) {
    if (error instanceof CursorMoved) return null
    throw error
  }
}

class CursorMoved extends Error {}

async function creditTransfers(
  tx: Tx,
  chain: ChainPin,
  graceMs: number,
  recorded: readonly RecordedTransfer[],
  until: BlockRef,
): Promise<Pick<BlocksCredited, 'credits' | 'callbacks' | 'unclaimed'>> {
  const addressIds = [...new Set(recorded.map(transfer => transfer.depositAddressId))]
  const transfers = [...(await waitingTransfers(tx, addressIds)), ...recorded]
  const orders = await lockPayableOrders(tx, transfers, graceMs)
  const plan = planCredits(transfers, orders, until.time, graceMs)
  await keepWaiting(tx, plan.unclaimed)
  const callbacks = plan.credits.length > 0 ? await writeCredits(tx, chain, plan.credits) : 0
  return { credits: plan.credits.length, callbacks, unclaimed: plan.unclaimed.length }
}

async function writeCredits(tx: Tx, chain: ChainPin, credits: readonly PlannedCredit[]): Promise<number> {
  const creditIds = await insertCredits(tx, credits)
  await stopWaiting(
    tx,
    credits.map(({ transfer }) => transfer.id),
  )
  await writeOrderTotals(tx, [...new Set(credits.map(({ order }) => order))])
  const announced = credits.filter(({ announcement }) => announcement > 0n)
  await insertCallbacks(
    tx,
    announced.map(({ transfer, order, received, late, announcement }) => ({
      key: callbackKey(chain.genesisId, chain.usdtContract, transfer.txid, transfer.logIndex),
      merchantId: order.merchantId,
      orderId: order.id,
      creditId: creditIds.get(transfer.id)!,
      bodyAmount: announcement,
      received,
      orderState: creditedState(received, order.amount),
      late,
      origin: originOf(order.callbackUrl),
    })),
  )
  return announced.length
}

/** An order that was just credited is no longer pending. */
function creditedState(received: bigint, amount: bigint): NewCallback['orderState'] {
  const state = orderState(received, amount)
  assert(state !== 'pending', 'an order that was just credited has received something')
  return state
}
