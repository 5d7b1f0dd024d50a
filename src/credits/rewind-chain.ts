import { UsageError } from '../base/errors.ts'
import { formatUsdt } from '../base/money.ts'
import { readHeaders } from '../blocks/block-store.ts'
import {
  type ChainCursor,
  deleteBlocksAbove,
  lockCursor,
  readCursor,
  setCursor,
} from '../blocks/chain-store.ts'
import { deleteParkedAbove, parkedAt } from '../blocks/parked-block-store.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { type TransferAbove, transfersAbove } from '../transfers/transfer-store.ts'
import { addressFromHex } from '../tron/address.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import type { Decision } from './decision.ts'

/** What rewinding did. */
export interface Rewound {
  from: BlockRef
  to: BlockRef
  /** Recorded transfers above it, which the nodes show as well. */
  transfers: number
  /** Heights above it that were parked. They are followed anew like the others. */
  parked: number[]
}

/** A source that blocks are read from again. */
interface Nodes {
  solidBlock(height: number): Promise<SolidBlock | null>
}

/**
 * Moves the cursor back to a block, so that what follows it is followed again: for a cursor on blocks that the nodes do not
 * show, which no block links to. Blocks above it are forgotten, transfers and credits are not: what is recorded stays, and is not
 * recorded twice.
 * @param height of the block to go back to. The nodes have to show it as it is recorded; the block at which the cursor was placed
 * first is taken as they show it.
 * @throws UsageError when that cannot be, and when a transfer above it is recorded that the nodes do not show in its block: it
 * lists them. NodeError from the nodes.
 */
export async function rewindChain(
  pool: Pool,
  nodes: Nodes,
  height: number,
  decision: Decision,
): Promise<Rewound> {
  const cursor = await readCursor(pool)
  if (!cursor) throw new UsageError('nothing is watched yet: run `gateway start watcher` first')
  const to = await shownBlock(pool, nodes, cursor, height)
  const recorded = await transfersAbove(pool, height)
  const lacking = await notShown(nodes, recorded)
  if (lacking.length > 0) throw new UsageError(lacking.map(describe))
  const parked = await inTransaction(pool, async tx => {
    const locked = await lockCursor(tx)
    if (locked?.hash !== cursor.hash) {
      throw new UsageError('the cursor has moved meanwhile: stop the watcher, or try again')
    }
    await deleteBlocksAbove(tx, height)
    const forgotten = await deleteParkedAbove(tx, height)
    await setCursor(tx, to)
    await recordAudit(tx, {
      ...{ ...decision, action: 'chain.rewound', subject: `block ${height}` },
      detail: {
        from: { height: cursor.height, hash: cursor.hash },
        to: { height: to.height, hash: to.hash },
        transfers: recorded.length,
        ...(forgotten.length > 0 && { parked: forgotten.slice(0, 100) }),
      },
    })
    return forgotten
  })
  const { height: at, hash, time } = cursor
  return { from: { height: at, hash, time }, to, transfers: recorded.length, parked }
}

/** Reads the block to go back to as the nodes show it, and compares it with what is recorded. */
async function shownBlock(
  pool: Pool,
  nodes: Nodes,
  { startHeight, ...cursor }: ChainCursor,
  height: number,
): Promise<BlockRef> {
  if (height < startHeight || height > cursor.height) {
    throw new UsageError(`--to: a block from ${startHeight} to ${cursor.height}, got ${height}`)
  }
  if ((await parkedAt(pool, [height])).size > 0) {
    throw new UsageError(`--to: block ${height} is parked, no node shows it: go further back`)
  }
  const block = await nodes.solidBlock(height)
  if (!block) throw new UsageError(`--to: no node has block ${height}`)
  const [header] = await readHeaders(pool, { from: height, to: height })
  const recorded = header?.hash ?? cursor.hash
  // Below the first of all nothing is recorded that says whether it is right.
  if (height > startHeight && recorded !== block.hash) {
    throw new UsageError(
      `--to: block ${height} is recorded as ${recorded}, and ${block.node} shows ${block.hash}: go further back`,
    )
  }
  return { height, hash: block.hash, time: block.time }
}

/** Finds the recorded transfers that the nodes do not show in the block at their height. */
async function notShown(nodes: Nodes, recorded: readonly TransferAbove[]): Promise<TransferAbove[]> {
  const lacking: TransferAbove[] = []
  let block: SolidBlock | null = null
  for (const transfer of recorded) {
    if (block?.height !== transfer.height) block = await nodes.solidBlock(transfer.height)
    const isShown = block?.transfers.some(
      ({ txid, logIndex, amount, toHex }) =>
        txid === transfer.txid &&
        logIndex === transfer.logIndex &&
        amount === transfer.amount &&
        addressFromHex(toHex) === transfer.address,
    )
    if (!isShown) lacking.push(transfer)
  }
  return lacking
}

function describe({ txid, logIndex, height, amount, address }: TransferAbove): string {
  const paid = `${formatUsdt(amount)} USDT to ${address}`
  return `block ${height}: ${paid} (${txid}, log ${logIndex}) is recorded, and the nodes do not show it there`
}
