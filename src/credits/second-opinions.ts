import type { Logger } from '../base/log.ts'
import { type ChoreEnded, repeat } from '../base/repeat.ts'
import type { Pool } from '../db/pool.ts'
import type { CrossCheck } from '../transfers/cross-check.ts'
import { keepReconciling } from '../transfers/keep-reconciling.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { confirmHeld } from './confirm-held.ts'
import type { CreditRules } from './credit-rules.ts'
import type { HeldTransfer } from './held-store.ts'
import { keepSettling } from './keep-settling.ts'
import { releaseHeld } from './release-held.ts'

/** How often second nodes are asked about held transfers. */
const heldMs = 3_000
/** How often credited blocks are compared with event indexes. */
const crossCheckMs = 1_000
/** How often the lag and the other alarms are checked. */
const lagMs = 10_000

/**
 * Runs what a leading watcher does beside following: it asks second nodes about held transfers, settles what waits for proof,
 * compares with second sources, and checks the alarms. Returns when the signal aborts.
 */
export async function runSecondOpinions(options: {
  pool: Pool
  nodes: NodePool
  rules: CreditRules
  checkLag: () => Promise<void>
  crossCheck: CrossCheck | null
  /** How TronGrid's history is compared; null: not at all. */
  reconciling: Omit<Parameters<typeof keepReconciling>[0], 'pool' | 'log' | 'signal'> | null
  log: Logger
  signal: AbortSignal
  ended: ChoreEnded
}): Promise<void> {
  const { pool, nodes, rules, checkLag, crossCheck, reconciling, log, signal, ended } = options
  const confirm = (held: HeldTransfer) => confirmHeld(nodes, held)
  const releaseAll = async () => {
    // Go on while a page released any: held transfers may arrive faster than a page every few seconds.
    let released = 1
    while (released > 0 && !signal.aborted) released = (await releaseHeld(pool, rules, confirm)).released
  }
  await Promise.all([
    repeat({ chore: 'held', everyMs: heldMs, work: releaseAll, log, signal, ended }),
    keepSettling({ pool, nodes, rules, log, signal, ended }),
    repeat({ chore: 'lag', everyMs: lagMs, work: checkLag, log, signal, ended }),
    crossCheck &&
      repeat({ chore: 'cross-check', everyMs: crossCheckMs, work: crossCheck.check, log, signal, ended }),
    reconciling && keepReconciling({ ...reconciling, pool, log, signal }),
  ])
}
