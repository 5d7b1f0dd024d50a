import type { Queryable } from '../db/pool.ts'
import { isGrpcUrl } from '../tron/node/grpc-views.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { NodeSetting } from '../tron/pool/pooled-node.ts'
import { addNodeCalls, forgetNodeDays, type NodeCalls, writeNodes } from './node-store.ts'

/** How often nodes and their calls are stored. A process that is killed leaves that many seconds of calls uncounted. */
export const keepNodesMs = 10_000

export type NodesToKeep = Pick<NodePool, 'names' | 'hostOf' | 'status' | 'quotas'>

/**
 * Stores the nodes' states for `gateway status`, and the calls of the day, so that a daily quota outlives a restart and several
 * processes share it.
 */
export async function keepNodes(
  db: Queryable,
  nodes: NodesToKeep,
  settings: readonly Pick<NodeSetting, 'headUrl'>[],
): Promise<void> {
  await keepCalls(db, nodes)
  await writeNodes(
    db,
    nodes.status().map(({ name, state, why, solidHeight, untilMs }, i) => ({
      ...{ node: name, host: nodes.hostOf(name), state, why, solidHeight },
      transport: isGrpcUrl(settings[i]!.headUrl) ? ('grpc' as const) : ('http' as const),
      until: untilMs === null ? null : new Date(untilMs),
      quota: nodes.quotas.get(name)?.perDay ?? null,
    })),
  )
}

/** Adds the calls since the last time to the database, and learns what other processes have added. */
export async function keepCalls(db: Queryable, nodes: Pick<NodesToKeep, 'quotas'>): Promise<void> {
  const taken = [...nodes.quotas].flatMap(([node, quota]) =>
    quota.takeUnsaved().map((one): NodeCalls => ({ node, ...one })),
  )
  try {
    for (const { node, day, calls } of await addNodeCalls(db, taken))
      nodes.quotas.get(node)?.learn(day, calls)
  } catch (error) {
    for (const { node, day, calls } of taken) nodes.quotas.get(node)?.giveBack(day, calls)
    throw error
  }
  if (taken.length > nodes.quotas.size) await forgetNodeDays(db)
}
