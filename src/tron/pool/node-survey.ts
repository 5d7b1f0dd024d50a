import { setTimeout as sleep } from 'node:timers/promises'
import { isUsable } from './node-health.ts'
import type { PooledNode } from './pooled-node.ts'

/** Asks all nodes at once for their solidified head: heights taken minutes apart cannot be compared. */
export interface NodeSurvey {
  /** Asks them now and waits for the answers, but no longer than `waitMaxMs`: a node that hangs must not hold up the others. */
  take(): Promise<void>
  readonly takenAtMs: number
}

const waitMaxMs = 2_000

export function createNodeSurvey(nodes: readonly PooledNode[], now: () => number): NodeSurvey {
  let takenAtMs = Number.NEGATIVE_INFINITY
  let running: Promise<unknown> | null = null
  return {
    get takenAtMs() {
      return takenAtMs
    },
    async take() {
      takenAtMs = now()
      // A failure is recorded with its node, which is all that is needed here.
      running ??= Promise.allSettled(
        nodes.filter(({ health }) => isUsable(health, now())).map(node => node.solidHead({ turn: 'ahead' })),
      ).finally(() => (running = null))
      const answered = new AbortController()
      await Promise.race([
        running,
        sleep(waitMaxMs, undefined, { signal: answered.signal }).catch(() => undefined), // All answered in time.
      ])
      answered.abort()
    },
  }
}
