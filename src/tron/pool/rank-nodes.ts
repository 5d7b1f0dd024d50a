import { isTrusted, isUsable, type NodeHealth, stepBackMax } from './node-health.ts'

/** Solidification takes about a minute: a head older than this stands still, unless all do. */
const freshMs = 150_000
/** Our clock and the chain's differ a little; a head from further ahead is made up. */
const futureMs = 60_000

/**
 * Which nodes may be asked now, the best first: trusted ones before others, then whichever serves already (behind one
 * address there may be nodes out of step, so it costs to change), then as configured. A node that is behind the best of
 * its peers, or whose head stands still while another's does not, is left out; not so when all the others are.
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
  // With nobody else left, the one whose fault is the longest ago.
  rest.sort((a, b) => a.health.distrustedUntilMs - b.health.distrustedUntilMs)
  return [...inStep, ...rest]
}

function keepInStep<T extends { health: NodeHealth }>(nodes: readonly T[], nowMs: number): T[] {
  const fresh = nodes.filter(({ health }) => isFresh(health, nowMs))
  const candidates = fresh.length > 0 ? fresh : nodes
  const best = Math.max(...candidates.map(({ health }) => health.solidHead?.height ?? 0))
  const inStep = candidates.filter(({ health }) => (health.solidHead?.height ?? best) >= best - stepBackMax)
  // Of the others only those nobody has heard of yet.
  return [...inStep, ...nodes.filter(node => !node.health.solidHead && !inStep.includes(node))]
}

function isFresh(health: NodeHealth, nowMs: number): boolean {
  if (!health.solidHead) return false
  const ageMs = nowMs - health.solidHead.time.getTime()
  return ageMs < freshMs && ageMs > -futureMs
}
