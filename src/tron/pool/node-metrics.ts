import { Counter, Gauge, type Registry } from '../../base/metrics.ts'
import type { NodeState } from './node-health.ts'

/** The states as numbers for a graph: higher is worse. */
export const stateNumbers: Record<NodeState, number> = { ok: 0, later: 1, distrusted: 2, failing: 3 }

/** Defines the nodes' metrics. @param registry without it they are counted and not exported. */
export function createNodeMetrics(registry: Registry | undefined) {
  const registers = registry ? [registry] : []
  return {
    calls: new Counter({
      name: 'gateway_node_calls_total',
      help: 'Requests to each node, by outcome: answered, later (it asked us to wait), failed.',
      labelNames: ['node', 'outcome'],
      registers,
    }),
    solidHeight: new Gauge({
      name: 'gateway_node_solid_height',
      help: "Each node's newest solidified block, as it last showed it.",
      labelNames: ['node'],
      registers,
    }),
    state: new Gauge({
      name: 'gateway_node_state',
      help: 'Each node: 0 ok, 1 asked us to wait, 2 distrusted, 3 failing.',
      labelNames: ['node'],
      registers,
    }),
    unverified: new Counter({
      name: 'gateway_node_unverified_blocks_total',
      help: 'Blocks that a node showed and that could not be verified, by reason. They were asked for again.',
      labelNames: ['node', 'why'],
      registers,
    }),
    disagreements: new Counter({
      name: 'gateway_node_disagreements_total',
      help: 'Solidified heights at which nodes showed different blocks: one of them is wrong.',
      registers,
    }),
  }
}
