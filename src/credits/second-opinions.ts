import type { Logger } from '../base/log.ts'
import { repeat } from '../base/repeat.ts'
import type { Pool } from '../db/pool.ts'
import type { CrossCheck } from '../transfers/cross-check.ts'
import { keepReconciling } from '../transfers/keep-reconciling.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { confirmHeld } from './confirm-held.ts'
import type { CreditRules } from './credit-rules.ts'
import type { HeldTransfer } from './held-store.ts'
import { releaseHeld } from './release-held.ts'

/** How often second nodes are asked about what is held, blocks are held against event indexes, and the promise is looked at. */
const heldMs = 3_000
const crossCheckMs = 1_000
const promiseMs = 10_000

/** What goes on beside the following: second opinions and second sources, and a look at the promise itself. */
export async function keepPromises(options: {
  pool: Pool
  nodes: NodePool
  rules: CreditRules
  checkPromise: () => Promise<void>
  crossCheck: CrossCheck | null
  /** What to go round TronGrid's history with; null: not at all. */
  reconciling: Omit<Parameters<typeof keepReconciling>[0], 'pool' | 'log' | 'signal'> | null
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { pool, nodes, rules, checkPromise, crossCheck, reconciling, log, signal } = options
  const confirm = (held: HeldTransfer) => confirmHeld(nodes, held)
  const releaseAll = async () => {
    // Page after page while any of one could go: what is held may come faster than a page every few seconds.
    let released = 1
    while (released > 0 && !signal.aborted) released = (await releaseHeld(pool, rules, confirm)).released
  }
  await Promise.all([
    repeat({ chore: 'held', everyMs: heldMs, work: releaseAll, log, signal }),
    repeat({ chore: 'promise', everyMs: promiseMs, work: checkPromise, log, signal }),
    crossCheck &&
      repeat({ chore: 'cross-check', everyMs: crossCheckMs, work: crossCheck.check, log, signal }),
    reconciling && keepReconciling({ ...reconciling, pool, log, signal }),
  ])
}
