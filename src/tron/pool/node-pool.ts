import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Registry } from '../../base/metrics.ts'
import type { TronAddress } from '../address.ts'
import type { BlockRef, HeadBlock, SolidBlock } from '../block.ts'
import { createAnswerBudget } from '../node/answer-budget.ts'
import type { LogFact } from '../node/compare-logs.ts'
import { NodeError } from '../node/node-error.ts'
import { checkGenesis } from './check-genesis.ts'
import { createNodeChoice } from './choose-node.ts'
import { createAgreementCheck } from './node-agreement.ts'
import { type NodeState, stepBackMax } from './node-health.ts'
import { createNodeMetrics } from './node-metrics.ts'
import { type ChainIdentity, createPooledNode, type NodeSetting, type PooledNode } from './pooled-node.ts'

// node: one TRON node, or a provider's address with many nodes behind it.
// usable: may be called now.      resting: may not be called until its time (`later` or `failing`).
// trusted: nothing it said contradicts us or its peers.      distrusted: something did, in the last ten minutes.
// fresh: its solidified head is recent.      in step: that head is close to the highest of its peers.
// current: the node that answered last; it is asked first while it is usable, trusted and in step.
// further: a node that has shown a solidified block which the current one does not have.
// survey: all nodes are asked at once for their solidified head, since heights of different times cannot be compared.

/** Several nodes that serve one chain, asked as if they were one. Every call throws a NodeError when none can answer. */
export interface NodePool {
  readonly names: readonly string[]
  /**
   * Checks the chain of every node that can be reached. The others are checked before their first answer is used.
   * @throws UsageError naming those that serve another chain; NodeError when none can be reached.
   */
  genesisId(): Promise<string>
  /** Reads the newest irreversible block that the current node, or one further than it, has. */
  solidHead(): Promise<BlockRef>
  /**
   * Reads an irreversible block with all its transfers; its `node` names the node it is from. A block costs two calls, a
   * miss costs one.
   * @param options.not a node, or several, to leave out: for a second opinion.
   * @returns null while neither the node that was asked nor one known to be further has it.
   */
  solidBlock(height: number, options?: { not?: string | readonly string[] }): Promise<SolidBlock | null>
  /** Reads the newest block, which may still be replaced. For display. */
  head(): Promise<BlockRef>
  /** Reads a block at the head with the transfers known so far. For display. @returns null while the node lacks it. */
  headBlock(height: number): Promise<HeadBlock | null>
  /** Distrusts a node whose block did not fit: for ten minutes it is asked only when no other can be. */
  distrust(node: string, why: string): void
  /**
   * Reads the transfers of a block over a node's JSON-RPC, to compare.
   * @returns null when no node offers JSON-RPC; `not yet` when those that do lack the block.
   */
  logsOf(block: BlockRef, not?: string): Promise<{ node: string; logs: LogFact[] } | 'not yet' | null>
  status(): NodeStatus[]
  /** Closes the connections. Calls that wait or are in flight fail. */
  close(): Promise<void>
}

export interface NodeStatus {
  name: string
  state: NodeState
  /** Empty in state `ok`. */
  why: string
  solidHeight: number | null
  /** Age of its newest solidified block, by our clock. */
  headAgeMs: number | null
  /** Requests, and how many of them were answered with "wait". */
  calls: number
  refused: number
  /** Heights at which it and another node showed different blocks. */
  disagreements: number
  /** When it may be asked again, in ms since 1970; null while it may be asked. */
  untilMs: number | null
}

/**
 * Opens a pool. No node is called before the first question.
 * @param options.nodes in the order of preference at the start.
 * @param options.genesisId which chain it must be; without it the nodes have to agree on one.
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
  const budget = createAnswerBudget()
  const nodes = options.nodes.map((setting, i) =>
    createPooledNode({ ...options, name: names[i]!, setting, chain, metrics, clock, share: budget.share() }),
  )
  const compareWithPeers = createAgreementCheck({
    nodes,
    now,
    log,
    onDisagreement: () => metrics.disagreements.inc(),
  })
  const closing = new AbortController()
  // Every call that waits for a resting node listens to it.
  setMaxListeners(0, closing.signal)
  const background = new Set<Promise<void>>()
  const inBackground = (work: Promise<void>) => {
    const done: Promise<void> = work.finally(() => background.delete(done))
    background.add(done)
  }
  const { call, further, ranked } = createNodeChoice({ nodes, now, inBackground, signal: closing.signal })

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
      // A failure is recorded with that node. The answer of the first node stands.
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
      let isAwaited = false
      for (const node of ranked(nodes.filter(({ name }) => name !== not))) {
        try {
          const logs = await node.transferLogs(block.hash)
          if (logs === 'not yet') isAwaited = true
          else if (logs) return { node: node.name, logs }
        } catch (error) {
          failure = error
        }
      }
      if (failure) throw failure
      return isAwaited ? 'not yet' : null
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
    if (nodes.length > 1 && !closing.signal.aborted) inBackground(compareWithPeers(node, block))
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

/** Names the nodes by their hosts. A second node at one host gets a number. */
function nodeNames(settings: readonly NodeSetting[]): string[] {
  const hosts = settings.map(({ headUrl }) => new URL(headUrl).host)
  return hosts.map((host, i) => {
    const before = hosts.slice(0, i).filter(other => other === host).length
    return before === 0 ? host : `${host}#${before + 1}`
  })
}
