import { isTrusted, isUsable, type NodeHealth, stepBackMax } from './node-health.ts'

/** Solidification takes about a minute. A head older than this is stale, unless all are. */
const freshMs = 150_000
/** Our clock and the chain's may differ by this much. A head from further in the future is not believed. */
const futureMs = 60_000

/**
 * Ranks the nodes that may be asked now, the best first: trusted before distrusted, then the current one, then as configured.
 * The current node is kept because another may be a few blocks behind it. A node behind the best of its peers, or whose head
 * is stale while another's is fresh, is left out unless it is the only one.
 */
export function rankNodes<T extends { health: NodeHealth }>(
  nodes: readonly T[],
  { nowMs, current }: { nowMs: number; current: T | null },
): T[] {
  const usable = nodes.filter(({ health }) => isUsable(health, nowMs))
  const trusted = usable.filter(({ health }) => isTrusted(health, nowMs))
  const inStep = keepInStep(trusted, nowMs)
  const rest = usable.filter(node => !trusted.includes(node))
  inStep.sort((a, b) => Number(b === current) - Number(a === current))
  // When only distrusted nodes are left, the one distrusted longest ago comes first.
  rest.sort((a, b) => a.health.distrustedUntilMs - b.health.distrustedUntilMs)
  return [...inStep, ...rest]
}

function keepInStep<T extends { health: NodeHealth }>(nodes: readonly T[], nowMs: number): T[] {
  const fresh = nodes.filter(({ health }) => isFresh(health, nowMs))
  const candidates = fresh.length > 0 ? fresh : nodes
  const best = Math.max(...candidates.map(({ health }) => health.solidHead?.height ?? 0))
  const inStep = candidates.filter(({ health }) => (health.solidHead?.height ?? best) >= best - stepBackMax)
  // Of the others only those whose head is not known yet.
  return [...inStep, ...nodes.filter(node => !node.health.solidHead && !inStep.includes(node))]
}

function isFresh(health: NodeHealth, nowMs: number): boolean {
  if (!health.solidHead) return false
  const ageMs = nowMs - health.solidHead.time.getTime()
  return ageMs < freshMs && ageMs > -futureMs
}
