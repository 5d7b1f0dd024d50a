import type { Logger } from '../base/log.ts'
import { type ChoreEnded, repeat } from '../base/repeat.ts'
import { wakeParked } from '../blocks/parked-block-store.ts'
import type { Pool } from '../db/pool.ts'
import type { SecondNodes } from './confirm-held.ts'
import type { CreditRules } from './credit-rules.ts'
import { settleDue } from './settle.ts'
import type { Due } from './unverified-block-store.ts'

/** How often it is looked what is due. Something that a second host can show is credited within this and two calls. */
const dueMs = 1_000

/**
 * Settles what waits for proof, and unverified blocks, until the signal aborts; and reads parked ones again, which nobody may answer
 * for, beside that.
 */
export async function keepSettling(options: {
  pool: Pool
  nodes: SecondNodes
  rules: CreditRules
  log: Logger
  signal: AbortSignal
  ended?: ChoreEnded | undefined
}): Promise<void> {
  const { pool, nodes, rules, log, signal, ended } = options
  const settleAll = async (due: Due) => {
    // Go on while anything was due: what waits may arrive faster than a page every second.
    for (let done = 1; done > 0 && !signal.aborted; ) {
      const settled = await settleDue(pool, rules, nodes, { signal, due: [due] })
      done = settled.length
      for (const { height, recorded, credits, takenUp, rejected, read } of settled) {
        for (const one of rejected) log.warn({ height, ...one }, 'proof.rejected')
        if (read) log.info({ height, recorded, credits }, 'block.read')
        if (recorded + takenUp > 0) log.info({ height, recorded, credits, takenUp }, 'proof.settled')
      }
    }
  }
  const common = { everyMs: dueMs, log, signal, ended }
  let isAwake = false
  const readParked = async () => {
    // The nodes may be others than those of who led before.
    if (!isAwake) await wakeParked(pool)
    isAwake = true
    await settleAll('parked')
  }
  await Promise.all([
    repeat({ ...common, chore: 'settle', work: () => settleAll('proof') }),
    repeat({ ...common, chore: 'parked', work: readParked }),
  ])
}
