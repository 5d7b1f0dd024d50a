import { createNodeSurvey } from './node-survey.ts'
import type { PooledNode } from './pooled-node.ts'
import { rankNodes } from './rank-nodes.ts'
import { tryNodes } from './try-nodes.ts'

/** Decides which node of a pool is asked. It keeps the current node, and surveys the nodes when their heights are old. */
export interface NodeChoice {
  /**
   * Asks the best node, or others after it.
   * @param not a node, or several, to leave out; the answer then leaves the current node as it is.
   * @throws NodeError when none can answer.
   */
  call<T>(
    ask: (node: PooledNode) => Promise<T>,
    not?: string | readonly string[],
  ): Promise<{ value: T; node: PooledNode }>
  /**
   * Finds a node that has shown a block of at least this height.
   * When the node `than` has stood still for two blocks, the others are surveyed first, and the node found becomes current.
   */
  further(than: PooledNode, height: number, not?: string | readonly string[]): Promise<PooledNode | null>
  /** Those of the nodes that may be asked now, the best first. */
  ranked(among: readonly PooledNode[]): PooledNode[]
}

/** How often the nodes are surveyed, where there are several. */
const surveyDefaultMs = 30_000
/** Two blocks' time without a new one: the node may be stuck, and the others further. */
const stalledMs = 6_000
/** How often the nodes are surveyed while that lasts. */
const stalledSurveyMs = 3_000

/**
 * @param options.inBackground takes work that no caller waits for.
 * @param options.signal aborted when the pool is closed.
 */
export function createNodeChoice(options: {
  nodes: readonly PooledNode[]
  now: () => number
  inBackground: (work: Promise<void>) => void
  signal: AbortSignal
  surveyMs?: number
}): NodeChoice {
  const { nodes, now, inBackground, signal, surveyMs = surveyDefaultMs } = options
  const survey = createNodeSurvey(nodes, now)
  let current: PooledNode | null = null
  let firstSurvey: Promise<void> | null = null

  const ranked = (among: readonly PooledNode[]) => rankNodes(among, { nowMs: now(), current })
  const surveyIfDue = async () => {
    if (nodes.length === 1 || signal.aborted) return
    // Before the first survey no height is known to choose by, so every call waits for it.
    firstSurvey ??= survey.take()
    await firstSurvey
    if (now() - survey.takenAtMs > surveyMs) inBackground(survey.take())
  }
  return {
    ranked,
    async call(ask, not) {
      await surveyIfDue()
      const all = nodes.filter(({ name }) => !isLeftOut(name, not))
      const before = current
      const done = await tryNodes({ all, ranked: () => ranked(all), call: ask, now, signal })
      // If another call has changed it meanwhile, that call knows more recent answers.
      if (not === undefined && current === before) current = done.node
      return done
    },
    async further(than, height, not) {
      const others = nodes.filter(node => node !== than && !isLeftOut(node.name, not))
      if (others.length === 0) return null
      const isStalled = now() - than.health.progressAtMs >= stalledMs
      if (isStalled && now() - survey.takenAtMs >= stalledSurveyMs) await survey.take()
      const found = ranked(others).find(node => (node.health.solidHead?.height ?? 0) >= height) ?? null
      if (found && isStalled && not === undefined) current = found
      return found
    },
  }
}

export function isLeftOut(name: string, not: string | readonly string[] = []): boolean {
  return typeof not === 'string' ? name === not : not.includes(name)
}
