import type { Logger } from '../base/log.ts'
import { writeHead } from '../blocks/block-store.ts'
import { notifyChain, readCursor } from '../blocks/chain-store.ts'
import { followHead, type HeadSource } from '../blocks/follow-head.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { replaceSightings } from './seen-store.ts'

/** Keeps the sightings at the head up to date, for display, until the signal aborts. */
export async function followSeen(options: {
  pool: Pool
  nodes: HeadSource
  intervalMs: number
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { pool, nodes, intervalMs, wait, log, signal } = options
  await followHead({
    nodes,
    intervalMs,
    wait,
    log,
    signal,
    readSolidHeight: async () => (await readCursor(pool))?.height ?? 0,
    write: (from, blocks, head, solidHeight) =>
      inTransaction(pool, async tx => {
        await replaceSightings(tx, from, blocks, solidHeight)
        await writeHead(tx, head)
        await notifyChain(tx)
      }),
  })
}
