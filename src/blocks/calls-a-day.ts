import type { Network } from '../tron/network.ts'

const dayMs = 86_400_000
/** How often the clocks are compared. Each time costs a call to a node. */
export const clocksMs = 60_000
/** How often several nodes are asked for their height where calls are counted. Those that stand still are noticed by themselves. */
export const publicSurveyMs = 300_000
const ownSurveyMs = 30_000
/** How many blocks are read in one call at the head when nobody looks at them before they are credited. */
export const blocksTogether = 4

/** An estimate of the calls to all nodes in a day, by what they are for. */
export interface CallsADay {
  /** Following near the head. */
  following: number
  /** Looking for a block that is not there yet. */
  polling: number
  crossCheck: number
  survey: number
  clocks: number
  total: number
}

/**
 * Estimates the calls to the nodes in a day near the head, for operators with a quota. With sightings a block costs two calls,
 * itself and its infos; without them blocks are read four at a time, and only the infos cost a call each. Where blocks come at any time, a chain that has no new one
 * is asked for it at the network's pace, and the estimate is of a chain that stands still: each block adds its own calls.
 * @param options.crossChecked whether blocks are compared with a node's event index.
 * @param options.nodes how many there are.
 */
export function callsADay(options: {
  network: Pick<Network, 'slotMs' | 'pacing'>
  seen: boolean
  crossChecked: boolean
  nodes: number
}): CallsADay {
  const { network, seen, crossChecked, nodes } = options
  const { slotMs, pacing } = network
  const blocks = slotMs === null ? 0 : dayMs / slotMs
  const perBlock = seen ? 2 : 1 + 1 / blocksTogether
  const polled = dayMs / pacing.pollMs + (seen ? dayMs / pacing.seenMs : 0)
  const surveyMs = slotMs === null ? ownSurveyMs : publicSurveyMs
  const parts = {
    following: Math.round(blocks * perBlock),
    // Where blocks come at known times, nearly every call finds one.
    polling: slotMs === null ? Math.round(polled) : 0,
    crossCheck: crossChecked ? Math.round(blocks) : 0,
    survey: nodes > 1 ? (nodes * dayMs) / surveyMs : 0,
    clocks: dayMs / clocksMs,
  }
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) }
}

/** Makes the quota of each node: the calls allowed in a day, and what it has to last for: following without sightings, by one node alone. */
export function dayQuotaOf(
  {
    network,
    nodes,
  }: { network: Pick<Network, 'slotMs' | 'pacing'>; nodes: readonly { jsonRpcUrl?: string | undefined }[] },
  perDay: number,
): { perDay: number; reservePerDay: number } {
  const crossChecked = nodes.some(node => node.jsonRpcUrl !== undefined)
  return {
    perDay,
    reservePerDay: callsADay({ network, seen: false, crossChecked, nodes: nodes.length }).total,
  }
}
