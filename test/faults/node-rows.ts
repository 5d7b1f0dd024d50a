import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../src/sandbox/faults/fault-schemas.ts'
import { patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
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
  {
    id: 'N10',
    what: 'node cannot print a block, which it says the header and infos of, while payments come',
    times: 1,
    inject: scene => cannotPrint(scene, ['block'], 5, async () => undefined),
  },
  {
    id: 'N10',
    what: 'node gives nothing of two blocks in a row: they are parked, the watcher is killed, and the node gives them again',
    times: 1,
    inject: scene =>
      cannotPrint(scene, ['block', 'infos'], 2, async ({ deployment: { watchers } }) => {
        await watchers[0]!.kill()
        await watchers[0]!.start()
      }),
  },
]

async function cannotPrint(
  scene: Scene,
  parts: readonly ('block' | 'infos')[],
  /** So many in a row. */
  blocks: number,
  meanwhile: (scene: Scene) => Promise<void>,
): Promise<Injected> {
  const { sandboxUrl, pool } = scene.deployment
  const { head } = (await (await fetch(`${sandboxUrl}/sandbox/state`)).json()) as { head: { height: number } }
  const heights = { from: head.height + 2, to: head.height + 1 + blocks }
  await tellSandbox(sandboxUrl, 'faults', { kind: 'unprintable', parts, heights })
  await patiently(
    'the cursor past them',
    async () => {
      const { rows } = await pool.query('select height from chain_cursor')
      return rows[0].height >= heights.to
    },
    240_000,
  )
  await meanwhile(scene)
  await fetch(`${sandboxUrl}/sandbox/faults`, { method: 'DELETE' })
  const at = Date.now()
  await patiently(
    'all of them read',
    async () => {
      await pool.query('update parked_block set next_check_at = now() where read_at is null')
      const { rows } = await pool.query(
        'select count(*)::int as parked from parked_block where read_at is null',
      )
      await sleep(500)
      return rows[0].parked === 0
    },
    120_000,
  )
  return { at, count: blocks }
}

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
