import type { Logger } from '../base/log.ts'
import type { Queryable } from '../db/pool.ts'
import { addressFromBytes } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import { compareLogs, type LogFact } from '../tron/node/compare-logs.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { noteDiscrepancy } from './discrepancy-store.ts'

/** Blocks that may wait for their check; while catching up most are let go by. */
const waitingMax = 100

export interface CrossCheck {
  /** Names blocks that were just credited. Never waits. */
  name(blocks: readonly SolidBlock[]): void
  /** Checks the blocks that wait. @throws NodeError when the nodes cannot be asked; the blocks go on waiting. */
  check(): Promise<void>
}

/**
 * Holds credited blocks against a node's event index (eth_getLogs), as a multiset: what it counts differently is no
 * difference. It only compares; a node that lacks the index says nothing, and that counts as nothing.
 */
export function createCrossCheck(options: { db: Queryable; nodes: NodePool; log: Logger }): CrossCheck {
  const { db, nodes, log } = options
  const waiting: SolidBlock[] = []
  return {
    name(blocks) {
      waiting.push(...blocks)
      waiting.splice(0, waiting.length - waitingMax)
    },
    async check() {
      for (let block = waiting[0]; block; block = waiting[0]) {
        // Another node's word is worth more than that of the one that served the block, where there is another.
        const found = (await nodes.logsOf(block, block.node)) ?? (await nodes.logsOf(block))
        if (found) await compare(db, log, block, found)
        // A batch named meanwhile may have pushed it out.
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
