import type { Logger } from '../base/log.ts'
import type { Queryable } from '../db/pool.ts'
import { addressFromBytes } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import { compareLogs, type LogFact } from '../tron/node/compare-logs.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { noteDiscrepancy } from './discrepancy-store.ts'

/** The most blocks that wait for their check. While catching up most blocks are not checked. */
const waitingMax = 100

export interface CrossCheck {
  /** Queues blocks that were just credited. Never waits. */
  enqueue(blocks: readonly SolidBlock[]): void
  /** Checks the queued blocks. @throws NodeError when the nodes cannot be asked; the blocks stay in the queue. */
  check(): Promise<void>
}

/**
 * Creates the cross-check, which compares credited blocks with a node's event index (eth_getLogs). Transfers are compared as
 * multisets, because the index may number them differently. Nothing is credited from it, and a node without the index is not
 * a difference.
 */
export function createCrossCheck(options: { db: Queryable; nodes: NodePool; log: Logger }): CrossCheck {
  const { db, nodes, log } = options
  const waiting: SolidBlock[] = []
  return {
    enqueue(blocks) {
      waiting.push(...blocks)
      waiting.splice(0, waiting.length - waitingMax)
    },
    async check() {
      for (let block = waiting[0]; block; block = waiting[0]) {
        // Prefer another node than the one that served the block.
        const found = (await nodes.logsOf(block, block.node)) ?? (await nodes.logsOf(block))
        if (found) await compare(db, log, block, found)
        // Blocks queued meanwhile may have pushed it out.
        if (waiting[0] === block) waiting.shift()
      }
    },
  }
}

async function compare(
  db: Queryable,
  log: Logger,
  block: SolidBlock,
  { node, logs }: { node: string; logs: readonly LogFact[] },
): Promise<void> {
  const { verdict, missing, extra } = compareLogs(block.transfers, logs, block.undone)
  if (verdict !== 'disagreed') return
  const detail = {
    node,
    served: block.node,
    hash: block.hash,
    missing: missing.map(inText),
    extra: extra.map(inText),
  }
  const isNew = await noteDiscrepancy(db, { kind: 'event_index', subject: `${block.height}`, detail })
  if (isNew) log.error({ height: block.height, ...detail }, 'discrepancy.found')
}

function inText({ txid, fromBytes, toBytes, amount }: LogFact) {
  return { txid, from: addressFromBytes(fromBytes), to: addressFromBytes(toBytes), amount: `${amount}` }
}
