import type { AlarmLimits } from '../tron/network.ts'

/** What a lag is judged by. */
export interface LagSeen {
  nowMs: number
  cursor: {
    height: number
    time: Date
    /** When it last moved. */
    movedAt: Date
  }
  /** The nodes as they were last seen; null where nothing is known of one yet. */
  nodes: readonly { solidHeight: number | null; headAgeMs: number | null; isResting: boolean }[]
}

export interface Lag {
  isLate: boolean
  /** Blocks behind the highest solidified head of any node. */
  behind: number
  /** By our clock; null at the genesis block, which has no time. */
  ageMs: number | null
}

/** A new block makes a slow chain's cursor look old until it is followed: only what lasts is a lag. */
const lastingMs = 60_000

/**
 * Makes the judge of the lag. The blocks behind are judged everywhere. Where blocks come at known times, so is the cursor's age
 * by our clock, but not while it catches up on blocks that are old by nature: then it moves, and was not near the head when it
 * last moved. Elsewhere the newest block of any node takes the place of our clock. A cursor that does not move though a node is
 * ahead of it is late in any case, and so is one whose nodes cannot be asked.
 * @returns the judge, to be asked every few seconds.
 */
export function createLagJudge(
  limits: Pick<AlarmLimits, 'cursorAgeMs' | 'blocksBehind' | 'stuckMs'>,
): (seen: LagSeen) => Lag {
  const { cursorAgeMs, blocksBehind, stuckMs } = limits
  const since = new Map<string, number>()
  /** For how long something has been so at every time it was judged. */
  const lasted = (what: string, isSo: boolean, nowMs: number) => {
    if (!isSo) since.delete(what)
    else if (!since.has(what)) since.set(what, nowMs)
    return nowMs - (since.get(what) ?? nowMs)
  }
  let wasNearHead = false
  return ({ nowMs, cursor, nodes }) => {
    const behind = Math.max(0, ...nodes.map(({ solidHeight }) => (solidHeight ?? 0) - cursor.height))
    const timeMs = cursor.height === 0 ? null : cursor.time.getTime()
    const ageMs = timeMs === null ? null : nowMs - timeMs
    const stillMs = nowMs - cursor.movedAt.getTime()
    const known = { behind, ageMs }
    if (cursorAgeMs !== null) {
      const wasNear = ageMs !== null && ageMs - stillMs <= cursorAgeMs
      const isOld = stillMs > cursorAgeMs || (wasNear && ageMs > cursorAgeMs)
      return { ...known, isLate: isOld || behind > blocksBehind }
    }
    const headAges = nodes.flatMap(({ headAgeMs }) => (headAgeMs === null ? [] : [headAgeMs]))
    const apartMs = ageMs === null || headAges.length === 0 ? null : ageMs - Math.min(...headAges)
    const isApart = apartMs !== null && apartMs > stuckMs
    if (apartMs !== null && !isApart) wasNearHead = true
    const apartForMs = lasted('apart', isApart && wasNearHead, nowMs)
    const aheadForMs = lasted('ahead', behind > 0, nowMs)
    const restingForMs = lasted('resting', nodes.length > 0 && nodes.every(node => node.isResting), nowMs)
    const isStuck = Math.min(aheadForMs, stillMs) > stuckMs || restingForMs > stuckMs
    return { ...known, isLate: behind > blocksBehind || apartForMs >= lastingMs || isStuck }
  }
}
