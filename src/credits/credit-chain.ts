import type { Logger } from '../base/log.ts'
import type { createCatchUp } from '../blocks/catch-up.ts'
import { readCursor } from '../blocks/chain-store.ts'
import type { UnlinkedBlock } from '../blocks/fetch-blocks.ts'
import { type ChainSource, followChain } from '../blocks/follow-chain.ts'
import type { Alarms } from '../blocks/watcher-alarms.ts'
import type { createWatcherMetrics } from '../blocks/watcher-metrics.ts'
import type { Pool } from '../db/pool.ts'
import type { CrossCheck } from '../transfers/cross-check.ts'
import type { SolidBlock } from '../tron/block.ts'
import type { AlarmLimits, Pacing } from '../tron/network.ts'
import { creditBlocks } from './credit-blocks.ts'
import type { CreditRules } from './credit-rules.ts'

/** Follows the solidified chain and credits its transfers until the signal aborts. */
export async function creditChain(options: {
  pool: Pool
  nodes: ChainSource
  rules: CreditRules
  pacing: Pick<Pacing, 'restMs' | 'pollMs'>
  limits: Pick<AlarmLimits, 'quietBlocks'>
  alarms: Alarms
  metrics: ReturnType<typeof createWatcherMetrics>
  catchUp: ReturnType<typeof createCatchUp>
  /** Gets the credited blocks; null: they are not compared with event indexes. */
  crossCheck: CrossCheck | null
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { pool, nodes, rules, pacing, limits, alarms, metrics, catchUp, crossCheck, log, signal } = options
  let quiet = 0
  await followChain({
    nodes,
    pacing,
    log,
    signal,
    readCursor: async () => {
      const cursor = await readCursor(pool)
      if (!cursor) throw new Error('chain_cursor is empty: it was there when the watcher started')
      return cursor
    },
    commit: async (from, blocks) => {
      const startedAt = performance.now()
      const done = await creditBlocks(pool, rules, from, blocks)
      const last = blocks.at(-1)!
      if (!done) {
        log.warn({ height: last.height }, 'blocks.lost_race')
        return false
      }
      metrics.cursorAt(last)
      metrics.committed(done)
      crossCheck?.enqueue(blocks.filter(({ unverified }) => unverified !== 'unread'))
      alarmOfContract(alarms, blocks, log)
      for (const block of blocks) quiet = block.transfers.length > 0 ? 0 : quiet + 1
      const { quietBlocks } = limits
      alarms.set('no_transfers', quietBlocks !== null && quiet >= quietBlocks, { blocks: quiet })
      if (done.unverified) {
        for (const { height, hash, unverified: why, node } of blocks) {
          if (why !== null && why !== 'unread') log.warn({ height, hash, why, node }, 'block.unverified')
        }
      }
      if (done.parked) {
        const unread = blocks.filter(({ unverified }) => unverified === 'unread')
        for (const { height, hash, because } of unread) {
          log.error({ height, hash, why: because }, 'block.parked')
        }
        // Raised already, it is about others as well: the check of the lag counts all of them.
        const height = unread[0]!.height
        if (!alarms.raised().includes('parked')) alarms.set('parked', true, { height }, done.parked)
      }
      if (done.unproved) log.warn({ height: last.height, transfers: done.unproved }, 'proof.waits')
      const durationMs = Math.round(performance.now() - startedAt)
      const line = { height: last.height, blocks: blocks.length, ...done, durationMs }
      if (done.transfers + done.credits + done.quarantined > 0) log.info(line, 'blocks.credited')
      else log.debug(line, 'blocks.credited')
      return true
    },
    onProgress: catchUp,
    onUnlinked: error => alarmOfUnlinked(alarms, error),
  })
}

/** Raises the alarm of a block that does not link to ours, and clears it after the next that does. */
export function alarmOfUnlinked(alarms: Alarms, error: UnlinkedBlock | null): void {
  const detail = error ? { height: error.block.height, node: error.block.node, why: error.message } : {}
  alarms.set('unlinked', error !== null, detail)
}

/** Logs each event that changes what the token's transfers mean, and raises the alarm, which stays until a person has looked. */
function alarmOfContract(alarms: Alarms, blocks: readonly SolidBlock[], log: Logger): void {
  for (const block of blocks) {
    for (const alarm of block.alarms) {
      log.error({ height: block.height, ...alarm }, 'contract.event')
      alarms.set('contract', true, { height: block.height, ...alarm })
    }
  }
}
