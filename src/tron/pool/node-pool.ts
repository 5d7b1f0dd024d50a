import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Registry } from '../../base/metrics.ts'
import type { TronAddress } from '../address.ts'
import type { BlockRef, HeadBlock, SolidBlock } from '../block.ts'
import type { LogFact } from '../node/compare-logs.ts'
import { NodeError } from '../node/node-error.ts'
import { checkGenesis } from './check-genesis.ts'
import { createAgreementCheck } from './node-agreement.ts'
import { type NodeState, stepBackMax } from './node-health.ts'
import { createNodeMetrics } from './node-metrics.ts'
import { createNodeSurvey } from './node-survey.ts'
import { type ChainIdentity, createPooledNode, type NodeSetting, type PooledNode } from './pooled-node.ts'
import { rankNodes } from './rank-nodes.ts'
import { tryNodes } from './try-nodes.ts'

/** Several nodes that serve one chain, asked as if they were one. Every call throws a NodeError when none can answer. */
export interface NodePool {
  readonly names: readonly string[]
  /**
   * Checks every node that can be reached; the others are checked before their first answer is used.
   * @throws UsageError naming those that serve another chain; NodeError when none can be reached.
   */
  genesisId(): Promise<string>
  /** The newest irreversible block of the node chosen now. */
  solidHead(): Promise<BlockRef>
  /**
   * An irreversible block with all its transfers, `node` saying whose; null while the node chosen does not have it, nor
   * another that is known to be further. Two calls a block, one for a miss.
   * @param options.not a node to leave out: for a second opinion.
   */
  solidBlock(height: number, options?: { not?: string }): Promise<SolidBlock | null>
  /** For display: the newest block, which may still be replaced, and a block at the head with the transfers known so far. */
  head(): Promise<BlockRef>
  headBlock(height: number): Promise<HeadBlock | null>
  /** Says that a node's block did not fit: for ten minutes it is asked only when no other can be. */
  distrust(node: string, why: string): void
  /** The transfers of a block as a node's JSON-RPC has them, to compare; null when none offers it. */
  logsOf(block: BlockRef, not?: string): Promise<{ node: string; logs: LogFact[] } | null>
  status(): NodeStatus[]
  /** Ends the calls that wait and the calls in hand: they fail. */
  close(): Promise<void>
}

export interface NodeStatus {
  name: string
  state: NodeState
  /** Empty while all is well. */
  why: string
  solidHeight: number | null
  /** By our clock, of its newest solidified block. */
  headAgeMs: number | null
  /** Requests, and how many of them were answered with "wait". */
  calls: number
  refused: number
  /** Heights at which it and another showed different blocks. */
  disagreements: number
  /** Not asked before, in ms since 1970; null while it may be asked. */
  untilMs: number | null
}

/** How often all nodes are asked for their solidified head, where there are several. */
const surveyMs = 30_000
/** Two blocks' time without a new one: perhaps it is this node's fault, and the others may be further. */
const stalledMs = 6_000
/** How often they are asked while that lasts. */
const stalledSurveyMs = 3_000

/**
 * @param options.nodes in the order of preference at the start.
 * @param options.genesisId which chain it must be; where nobody knows yet, the nodes have to agree.
 * @param options.requestsPerSecond to each node, never exceeded.
 * @param options.deadlineMs for one request.
 */
export function createNodePool(options: {
  nodes: readonly NodeSetting[]
  apiKey?: string | undefined
  usdtContract: TronAddress
  genesisId?: string | null | undefined
  requestsPerSecond: number
  deadlineMs?: number | undefined
  log: Logger
  registry?: Registry | undefined
  clock?: Clock | undefined
}): NodePool {
  const { log, clock = systemClock } = options
  const now = () => clock.now().getTime()
  const metrics = createNodeMetrics(options.registry)
  const chain: ChainIdentity = { genesisId: options.genesisId ?? null }
  const names = nodeNames(options.nodes)
  const nodes = options.nodes.map((setting, i) =>
    createPooledNode({ ...options, name: names[i]!, setting, chain, metrics, clock }),
  )
  const survey = createNodeSurvey(nodes, now)
  const agrees = createAgreementCheck({ nodes, now, log, onDisagreement: () => metrics.disagreements.inc() })
  const closing = new AbortController()
  // As many calls as there are may be resting until it is their node's time.
  setMaxListeners(0, closing.signal)
  const background = new Set<Promise<void>>()
  let current: PooledNode | null = null
  let firstSurvey: Promise<void> | null = null

  const ranked = (among: readonly PooledNode[]) => rankNodes(among, { nowMs: now(), current })
  const aside = (work: Promise<void>) => {
    const done: Promise<void> = work.finally(() => background.delete(done))
    background.add(done)
  }
  const lookAround = async () => {
    if (nodes.length === 1 || closing.signal.aborted) return
    // Before the first one there is nothing to choose by.
    firstSurvey ??= survey.take()
    await firstSurvey
    if (now() - survey.takenAtMs > surveyMs) aside(survey.take())
  }
  const call = async <T>(ask: (node: PooledNode) => Promise<T>, not?: string) => {
    await lookAround()
    const all = nodes.filter(node => node.name !== not)
    const before = current
    const done = await tryNodes({ all, ranked: () => ranked(all), call: ask, now, signal: closing.signal })
    // Unless another call has changed it since: the one that began first knows least.
    if (not === undefined && current === before) current = done.node
    return done
  }
  /** Whoever is further than a node, which may be standing still; then the others are asked how far they are. */
  const further = async (than: PooledNode, height: number, not?: string): Promise<PooledNode | null> => {
    const isFurther = (node: PooledNode) => (node.health.solidHead?.height ?? 0) >= height
    const others = nodes.filter(node => node !== than && node.name !== not)
    if (others.length === 0) return null
    const isStalled = now() - than.health.progressAtMs >= stalledMs
    if (isStalled && now() - survey.takenAtMs >= stalledSurveyMs) await survey.take()
    const found = ranked(others).find(isFurther) ?? null
    if (found && isStalled && not === undefined) current = found
    return found
  }

  return {
    names,
    genesisId: () => checkGenesis(nodes, chain),
    async solidHead() {
      const { value, node } = await call(one => one.solidHead())
      const ahead = await further(node, value.height + 1)
      return ahead?.health.solidHead ?? value
    },
    async solidBlock(height, { not } = {}) {
      const { value, node } = await call(
        one =>
          one.ask(async asked => {
            const block = await asked.solidBlock(height)
            const claimed = one.health.solidHead?.height ?? 0
            if (block || claimed <= height + stepBackMax) return block
            throw new NodeError(
              'failed',
              `node ${one.name} has no block ${height}, though it showed ${claimed}`,
            )
          }),
        not,
      )
      if (value) return served(node, value)
      const other = await further(node, height, not)
      // What it fails with is noted; the first node's word stands.
      const found = await other?.ask(asked => asked.solidBlock(height)).catch(() => null)
      return other && found ? served(other, found) : null
    },
    head: async () => (await call(one => one.ask(node => node.head()))).value,
    headBlock: async height => (await call(one => one.ask(node => node.headBlock(height)))).value,
    distrust(name, why) {
      nodes.find(node => node.name === name)?.distrust(why)
    },
    async logsOf(block, not) {
      let failure: unknown
      for (const node of ranked(nodes.filter(({ name }) => name !== not))) {
        try {
          const logs = await node.transferLogs(block.hash)
          if (logs) return { node: node.name, logs }
        } catch (error) {
          failure = error
        }
      }
      if (failure) throw failure
      return null
    },
    status: () => nodes.map(node => statusOf(node, now())),
    async close() {
      closing.abort()
      await Promise.all(nodes.map(node => node.close()))
      await Promise.all(background)
    },
  }

  function served(node: PooledNode, block: SolidBlock): SolidBlock {
    node.served(block)
    if (nodes.length > 1 && !closing.signal.aborted) aside(agrees(node, block))
    return block
  }
}

function statusOf({ name, health, counts }: PooledNode, nowMs: number): NodeStatus {
  const { state, why, solidHead, untilMs } = health
  return {
    name,
    state,
    why,
    solidHeight: solidHead?.height ?? null,
    headAgeMs: solidHead && nowMs - solidHead.time.getTime(),
    ...counts,
    untilMs: untilMs > nowMs ? untilMs : null,
  }
}

/** Their hosts; two at one host are told apart by a number. */
function nodeNames(settings: readonly NodeSetting[]): string[] {
  const hosts = settings.map(({ headUrl }) => new URL(headUrl).host)
  return hosts.map((host, i) => {
    const before = hosts.slice(0, i).filter(other => other === host).length
    return before === 0 ? host : `${host}#${before + 1}`
  })
}
