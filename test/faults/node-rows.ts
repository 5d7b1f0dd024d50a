import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../src/sandbox/faults/fault-schemas.ts'
import type { FaultRow } from './fault-row.ts'
import { tellSandbox } from './paying-load.ts'

// N: the only node there is misbehaves for a while. That nothing of it is believed is the business of the random chains
// (test/random-chains.test.ts); here it is that following goes on afterwards, and that nothing fell through.

const badForMs = 3_000

export const nodeRows: readonly FaultRow[] = [
  bad('N1', 'node answers {} for blocks that are there, or a page of HTML', [
    { kind: 'empty' },
    { kind: 'html' },
  ]),
  bad('N2', 'node cuts its answers short, or leaves an info out', [
    { kind: 'truncated' },
    { kind: 'info-missing' },
  ]),
  // All but the genesis: a node that shows another one serves another chain, and is not asked again.
  bad('N3', 'node answers with other blocks, or other parents', [
    { kind: 'wrong-number', heights: { from: 1, to: 1_000_000 } },
    { kind: 'wrong-parent', heights: { from: 1, to: 1_000_000 } },
  ]),
  bad('N7', 'node stands still, or falls back', [{ kind: 'stall' }, { kind: 'backwards', blocks: 10 }]),
  bad('N8', 'node refuses: 429 after five a second, 503', [
    { kind: 'rate-limit', rps: 5, seconds: 1 },
    { kind: 'unavailable' },
  ]),
  bad('N9', 'node resets, drips, or takes a connection and says nothing', [
    { kind: 'reset' },
    { kind: 'drip', everyMs: 100 },
    { kind: 'hang' },
  ]),
]

function bad(id: string, what: string, faults: readonly Fault[]): FaultRow {
  return {
    id,
    what,
    inject: async ({ deployment: { sandboxUrl } }) => {
      for (const fault of faults) {
        await tellSandbox(sandboxUrl, 'faults', fault)
        await sleep(badForMs)
        await fetch(`${sandboxUrl}/sandbox/faults`, { method: 'DELETE' })
      }
      return { count: faults.length }
    },
  }
}
