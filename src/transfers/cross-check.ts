import { type Clock, systemClock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Queryable } from '../db/pool.ts'
import { addressFromHex } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import { compareLogs, type LogFact } from '../tron/node/compare-logs.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { noteDiscrepancy } from './discrepancy-store.ts'

/** The most blocks that wait for their check. While catching up most blocks are not checked. */
const waitingMax = 100
/** When a block is asked for again that its nodes do not have yet: the waits double. After the last it is left out. */
const notYetMs = { first: 2_000, timesMax: 8 }

export interface CrossCheck {
  /** Queues blocks that were just credited. Never waits. */
  enqueue(blocks: readonly SolidBlock[]): void
  /** Checks the queued blocks. @throws NodeError when the nodes cannot be asked; the blocks stay in the queue. */
  check(): Promise<void>
}

interface Waiting {
  block: SolidBlock
  notBeforeMs: number
  /** How often its nodes did not have it yet. */
  times: number
}

/**
 * Creates the cross-check, which compares credited blocks with a node's event index (eth_getLogs). Transfers are compared as
 * multisets, because the index may number them differently. Nothing is credited from it, and a node without the index is not
 * a difference.
 */
export function createCrossCheck(options: {
  db: Queryable
  nodes: Pick<NodePool, 'logsOf'>
  log: Logger
  clock?: Clock
}): CrossCheck {
  const { db, nodes, log, clock = systemClock } = options
  let waiting: Waiting[] = []
  const leave = (one: Waiting) => {
    waiting = waiting.filter(other => other !== one)
  }
  return {
    enqueue(blocks) {
      waiting.push(...blocks.map(block => ({ block, notBeforeMs: 0, times: 0 })))
      waiting.splice(0, waiting.length - waitingMax)
    },
    async check() {
      const nowMs = clock.now().getTime()
      // A node that is behind has the others sooner or later: none of them holds up the rest.
      for (const one of waiting.filter(({ notBeforeMs }) => notBeforeMs <= nowMs)) {
        const { block } = one
        // Prefer another node than the one that served the block, also when it will have the block a moment later.
        const found = (await nodes.logsOf(block, block.node)) ?? (await nodes.logsOf(block))
        if (found === 'not yet') {
          one.notBeforeMs = nowMs + notYetMs.first * 2 ** one.times
          one.times++
          if (one.times > notYetMs.timesMax) leave(one)
          continue
        }
        if (found) await compare(db, log, block, found)
        leave(one)
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

function inText({ txid, fromHex, toHex, amount }: LogFact) {
  return { txid, from: addressFromHex(fromHex), to: addressFromHex(toHex), amount: `${amount}` }
}
