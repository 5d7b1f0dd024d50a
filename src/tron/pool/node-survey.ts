import { setTimeout as sleep } from 'node:timers/promises'
import { isUsable } from './node-health.ts'
import type { PooledNode } from './pooled-node.ts'

/** Heights taken minutes apart cannot be compared: now and then all nodes are asked at once for their solidified head. */
export interface NodeSurvey {
  /** Asks them now, and waits for the answers, not for long: a node that hangs must not hold up the others. */
  take(): Promise<void>
  readonly takenAtMs: number
}

const patienceMs = 2_000

export function createNodeSurvey(nodes: readonly PooledNode[], now: () => number): NodeSurvey {
  let takenAtMs = Number.NEGATIVE_INFINITY
  let running: Promise<unknown> | null = null
  return {
    get takenAtMs() {
      return takenAtMs
    },
    async take() {
      takenAtMs = now()
      // Whoever fails is noted as failing; that is all there is to know of it here.
      running ??= Promise.allSettled(
        nodes.filter(({ health }) => isUsable(health, now())).map(node => node.solidHead({ ahead: true })),
      ).finally(() => (running = null))
      const patience = new AbortController()
      await Promise.race([
        running,
        sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined), // Not needed any more.
      ])
      patience.abort()
    },
  }
}
