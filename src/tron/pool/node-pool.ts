import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Registry } from '../../base/metrics.ts'
import type { TronAddress } from '../address.ts'
import type { BlockRef, HeadBlock } from '../block.ts'
import { createAnswerBudget } from '../node/answer-budget.ts'
import type { LogFact } from '../node/compare-logs.ts'
import type { DayQuota } from '../node/day-quota.ts'
import type { ReadBlock } from '../node/solid-block.ts'
import type { Turn } from '../node/token-bucket.ts'
import type { ProducerKeys } from '../verify/block-producer.ts'
import type { SentHeader } from '../verify/sent-block.ts'
import { checkGenesis } from './check-genesis.ts'
import { createNodeChoice } from './choose-node.ts'
import { createAgreementCheck } from './node-agreement.ts'
import { isUsable, type NodeState } from './node-health.ts'
import { hostOf } from './node-host.ts'
import { createNodeMetrics } from './node-metrics.ts'
import { type ChainIdentity, createPooledNode, type NodeSetting, type PooledNode } from './pooled-node.ts'
import { type BlockAsked, createBlockJudge, createBlockReader, type HeaderCheck } from './read-block.ts'
import { surveyProducers } from './survey-producers.ts'

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
  /** Whether any node says which blocks are irreversible. */
  saysSolid(): boolean
  /** Reads the newest irreversible block that the current node, or one further than it, has. */
  solidHead(): Promise<BlockRef>
  /** The hosts of the nodes, each once: so many can be asked that no single one can make say the same. */
  readonly hosts: readonly string[]
  /** Names the host of a node. */
  hostOf(node: string): string
  /** The nodes that are no second opinion beside this one: those of its host, or itself alone where there is no other host. */
  sameHost(node: string): readonly string[]
  /**
   * Reads an irreversible block with all its transfers; its `node` names the node it is from. A block costs two calls, a
   * miss costs one. One that is not verified is asked for again, of other nodes too, and given as it is only when no node that
   * can be asked shows it verified. Where no node can print it, it is read by its header and infos after a while.
   * @returns null while neither the node that was asked nor one known to be further has it.
   */
  solidBlock(height: number, options?: BlockAsked): Promise<ReadBlock | null>
  /** Reads a block that is known to be irreversible, as `solidBlock` does, also of nodes that do not say which are. */
  recordedBlock(height: number, options?: BlockAsked): Promise<ReadBlock | null>
  /** Reads a block at the head, which may still be replaced, as `solidBlock` reads irreversible ones. */
  newBlock(height: number, options?: BlockAsked): Promise<ReadBlock | null>
  /**
   * Reads consecutive blocks at the head in one call, and one for each: fewer when the node lacks the last. For following
   * from behind; blocks that are not verified are to be read again with `newBlock`.
   */
  newBlocks(from: number, count: number): Promise<ReadBlock[]>
  /** Asks all hosts for the producers. @returns those that most of them name, and at least two where there are several; null: none. */
  producers(): Promise<ProducerKeys | null>
  /** Reads the headers that other hosts than this node's show at a height. Hosts that lack it, or do not answer, show none. */
  othersAt(height: number, node: string): Promise<{ node: string; header: SentHeader }[]>
  /**
   * Reads the header of a block at the head. @param options.isExpected as in `PooledNode.ask`.
   * @returns null while the node that is asked lacks it.
   */
  newHeader(
    height: number,
    options?: { not?: string | readonly string[]; isExpected?: boolean },
  ): Promise<SentHeader | null>
  /** Reads the newest block, which may still be replaced. @param options.turn `display` for sightings. */
  head(options?: { turn?: Turn }): Promise<BlockRef>
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
  /** Takes a call for display from a node's quota of the day, if crediting does not need it. Without a quota: always. */
  spareCall(): boolean
  /** By node: the calls of the day. */
  readonly quotas: ReadonlyMap<string, DayQuota>
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
 * @param options.quota of each node: calls in a day of UTC, and what crediting alone takes of them.
 * @param options.deadlineMs for one request.
 * @param options.surveyMs how often all nodes are asked for their heights, where there are several.
 * @param options.verifyHeader tells whose header is verified; without it only the content of blocks is.
 * @param options.portsAreHosts whether another port is another host, as on a private chain.
 */
export function createNodePool(options: {
  nodes: readonly NodeSetting[]
  apiKey?: string | undefined
  usdtContract: TronAddress
  genesisId?: string | null | undefined
  requestsPerSecond: number
  quota?: { perDay: number; reservePerDay: number } | undefined
  deadlineMs?: number | undefined
  surveyMs?: number | undefined
  verifyHeader?: HeaderCheck | undefined
  portsAreHosts?: boolean | undefined
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
  const nodes: PooledNode[] = options.nodes.map((setting, i) =>
    createPooledNode({
      ...{ ...options, name: names[i]!, setting, chain, metrics, clock, share: budget.share() },
      isAlone: () => nodes.every((one, j) => j === i || !isUsable(one.health, now())),
    }),
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
  const choice = createNodeChoice({
    ...{ nodes, now, inBackground, signal: closing.signal },
    ...(options.surveyMs !== undefined && { surveyMs: options.surveyMs }),
  })
  const { call, further, ranked } = choice

  const judged = createBlockJudge(options.verifyHeader)
  const readBlock = createBlockReader({
    nodes,
    choice,
    now,
    log,
    judged,
    onServed(node, block, view) {
      if (view === 'newBlock') return node.sawHead(block)
      node.served(block)
      if (nodes.length > 1 && !closing.signal.aborted) inBackground(compareWithPeers(node, block))
    },
    onUnverified: (node, why) => metrics.unverified.inc({ node, why }),
  })
  const hostOfNode = new Map(
    options.nodes.map(({ headUrl }, i) => [names[i]!, hostOf(headUrl, options.portsAreHosts ?? true)]),
  )

  const hosts = [...new Set(hostOfNode.values())]

  return {
    names,
    hosts,
    hostOf: node => hostOfNode.get(node) ?? node,
    sameHost: node => {
      const host = hostOfNode.get(node)
      const isKnown = host !== undefined && hosts.length > 1
      return isKnown ? names.filter(name => hostOfNode.get(name) === host) : [node]
    },
    genesisId: () => checkGenesis(nodes, chain),
    saysSolid: () => nodes.some(node => node.saysSolid()),
    async solidHead() {
      const { value, node } = await call(one => one.solidHead())
      const ahead = await further(node, value.height + 1)
      return ahead?.health.solidHead ?? value
    },
    solidBlock: (height, asked) => readBlock('solidBlock', height, asked),
    recordedBlock: (height, asked) => readBlock('recordedBlock', height, asked),
    newBlock: (height, asked) => readBlock('newBlock', height, asked),
    newBlocks: async (from, count) =>
      (await call(one => one.ask(node => node.newBlocks(from, count)))).value.map(judged),
    producers: () =>
      surveyProducers(hosts.map(host => nodes.filter(({ name }) => hostOfNode.get(name) === host))),
    async othersAt(height, node) {
      const ours = hostOfNode.get(node)
      const others = ranked(nodes.filter(({ name }) => hostOfNode.get(name) !== ours))
      const shown = await Promise.all(
        // A failure is recorded with the node.
        others.map(one => one.ask(asked => asked.newHeader(height)).catch(() => null)),
      )
      return shown.flatMap((header, i) => (header ? [{ node: others[i]!.name, header }] : []))
    },
    newHeader: async (height, { not, isExpected = false } = {}) =>
      (await choice.call(one => one.ask(node => node.newHeader(height), { isExpected }), not)).value,
    head: async asked => (await call(one => one.ask(node => node.head(asked)))).value,
    spareCall: () => nodes.some(({ health, quota }) => isUsable(health, now()) && quota.maySpare()),
    quotas: new Map(nodes.map(({ name, quota }) => [name, quota])),
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
export function nodeNames(settings: readonly NodeSetting[]): string[] {
  const hosts = settings.map(({ headUrl }) => new URL(headUrl).host)
  return hosts.map((host, i) => {
    const before = hosts.slice(0, i).filter(other => other === host).length
    return before === 0 ? host : `${host}#${before + 1}`
  })
}
