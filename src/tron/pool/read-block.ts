import type { Logger } from '../../base/log.ts'
import type { Unverified } from '../block.ts'
import type { TronNode } from '../node/node-client.ts'
import { NodeError } from '../node/node-error.ts'
import type { ReadBlock } from '../node/solid-block.ts'
import type { SentHeader } from '../verify/sent-block.ts'
import { isLeftOut, type NodeChoice } from './choose-node.ts'
import { isTrusted, stepBackMax } from './node-health.ts'
import type { PooledNode } from './pooled-node.ts'

/** Of which view a block is read. */
export type BlockView = 'solidBlock' | 'recordedBlock' | 'newBlock'

/** Says why a header is not verified. @returns null when it is. */
export type HeaderCheck = (header: SentHeader) => Unverified | null

const saidTwice: readonly Unverified[] = ['leaf', 'stranger', 'signature', 'header-only']

interface Answer {
  block: ReadBlock
  node: PooledNode
  /** Nodes that need not be asked for it again, besides `node`: they failed just now. */
  failed: ReadonlySet<PooledNode>
}

/** How long all nodes may show infos that are not their block's before what fits is taken, unverified. */
const unfitMs = 30_000
const none: ReadonlySet<PooledNode> = new Set()
/** Heights that could not be read, or whose infos did not fit. */
const failingMax = 1_000
/** How long nobody may be able to print a block before its header and infos are taken. They are read again like any unverified block. */
const unprintedMs = 5_000
/** After one was taken, the next are taken at once: a node may fail for many blocks, and each would cost that time. */
const takenAtOnceMs = 60_000

/** Names a height that could not be read, whoever was asked. */
const anyKey = (height: number) => `any ${height}`

/** Which nodes are asked for a block, and how patiently. */
export interface BlockAsked {
  /** A node, or several, to leave out: for a second opinion. */
  not?: string | readonly string[]
  /** Whether header and infos are taken at once where no node can print it, or where it says that it lacks it. */
  byInfosAtOnce?: boolean
}

/** Makes a function that says of a block whether its header is verified too. @param verifyHeader without it every header is. */
export function createBlockJudge(verifyHeader: HeaderCheck | undefined): (block: ReadBlock) => ReadBlock {
  return block => {
    if (block.unverified !== null || !verifyHeader) return block
    return { ...block, unverified: block.header ? verifyHeader(block.header) : 'id' }
  }
}

/**
 * Makes a reader of blocks from several nodes. The node that is asked first answers, as long as what it shows is verified.
 * Otherwise it is asked again, if it may say something else then, and after it the others. If nobody shows the block verified, it is given as it was shown first.
 * @param options.judged says of a block whether its header is verified too.
 */
export function createBlockReader(options: {
  nodes: readonly PooledNode[]
  choice: NodeChoice
  now: () => number
  judged: (block: ReadBlock) => ReadBlock
  onServed: (node: PooledNode, block: ReadBlock, view: BlockView) => void
  onUnverified: (node: string, why: Unverified) => void
  log: Logger
}): (view: BlockView, height: number, asked?: BlockAsked) => Promise<ReadBlock | null> {
  const { nodes, choice, now, judged, onServed, onUnverified, log } = options
  const failingSince = new Map<string, number>()
  let takenByInfosAtMs = Number.NEGATIVE_INFINITY

  const ask = (node: PooledNode, view: BlockView, height: number, isExpected = false) =>
    node.ask(
      async (one: TronNode) => {
        const block = await one[view](height)
        return block && judged(block)
      },
      { isExpected },
    )
  /** Asks the first node, and a further one for a block that the first lacks. */
  const askFirst = async (view: BlockView, height: number, { not, byInfosAtOnce }: BlockAsked) => {
    // Whoever is left out may be able to give what the others cannot.
    const key = [height, ...[not ?? []].flat().toSorted()].join(' ')
    const wasTakenNow = now() - takenByInfosAtMs < takenAtOnceMs
    // A node must not rest for one block that it cannot give: all others are read of it.
    const isExpected = byInfosAtOnce || wasTakenNow || [key, anyKey(height)].some(isKnownFailing)
    let unfit: Answer | null = null
    let isUnprinted = false
    const failed = new Set<PooledNode>()
    const askOne = async (node: PooledNode) => {
      const block = await ask(node, view, height, isExpected).catch(error => {
        failed.add(node)
        if (!(error instanceof NodeError)) throw error
        isUnprinted ||= !error.lacksInfos
        if (error.unfit) unfit ??= { block: { ...error.unfit, node: node.name }, node, failed }
        throw error
      })
      const claimed = view !== 'newBlock' ? (node.health.solidHead?.height ?? 0) : 0
      if (block || claimed <= height + stepBackMax) return block
      throw new NodeError('failed', `node ${node.name} has no block ${height}, though it showed ${claimed}`)
    }
    try {
      const { value: block, node } = await choice.call(askOne, not)
      failingSince.delete(key)
      if (block) return { block, node, failed: none }
      const other = await choice.further(node, height, not)
      // A failure is recorded with that node. The answer of the first node stands.
      const found = other && (await ask(other, view, height).catch(() => null))
      if (found) return { block: found, node: other, failed: none }
      return byInfosAtOnce ? await askByInfos(view, height, not) : null
    } catch (error) {
      failingForMs(anyKey(height))
      const failingMs = failingForMs(key)
      if (unfit && failingMs >= unfitMs) return unfit as Answer
      // Who asks us to wait has not said that it cannot. Who gives the block without its infos can print it.
      if (unfit || !isUnprinted || !(error instanceof NodeError) || error.kind === 'later') throw error
      if (!byInfosAtOnce && !wasTakenNow && failingMs < unprintedMs) throw error
      const answer = await askByInfos(view, height, not)
      if (!answer) throw error
      // One that is read again says nothing of the blocks that come now.
      if (view !== 'recordedBlock') takenByInfosAtMs = now()
      return answer
    }
  }
  /** Asks the nodes that may be asked now for the header and the infos of a block that none can print. @returns null: none has them. */
  const askByInfos = async (view: BlockView, height: number, not: BlockAsked['not']) => {
    const surface = view === 'newBlock' ? 'head' : 'solid'
    for (const node of choice.ranked(nodes.filter(({ name }) => !isLeftOut(name, not)))) {
      const block = await node
        .ask(asked => asked.blockByInfos(height, surface), { isExpected: true })
        .catch(() => null) // Recorded with the node. The error that led here is thrown.
      if (block) return { block: judged(block), node, failed: new Set(nodes) }
    }
    return null
  }
  const trusts = ({ health }: PooledNode) => isTrusted(health, now())
  const isKnownFailing = (key: string) => now() - (failingSince.get(key) ?? now()) >= unprintedMs
  const failingForMs = (key: string): number => {
    const sinceMs = failingSince.get(key) ?? now()
    failingSince.set(key, sinceMs)
    if (failingSince.size > failingMax) failingSince.delete(failingSince.keys().next().value!)
    return now() - sinceMs
  }
  return async (view, height, asked = {}) => {
    const { not } = asked
    const answer = await askFirst(view, height, asked)
    if (!answer) return null
    const { block, node, failed } = answer
    const given = (by: PooledNode, shown: ReadBlock) => {
      onServed(by, shown, view)
      return shown
    }
    if (block.unverified === null) return given(node, block)
    onUnverified(node.name, block.unverified)
    log.debug({ height, node: node.name, why: block.unverified }, 'block.unverified')
    // What a node cannot say in JSON it cannot say a second time either, and whose header it shows stays the same. One whose infos do not fit has failed.
    const again = saidTwice.includes(block.unverified) || failed.has(node) ? [] : choice.ranked([node])
    const others = choice.ranked(
      nodes.filter(one => one !== node && !failed.has(one) && !isLeftOut(one.name, not)),
    )
    for (const other of [...again, ...others]) {
      const shown = await ask(other, view, height).catch(() => null)
      // A distrusted node may show a block that some producer signed, where a trusted one shows another that cannot be verified.
      const isPreferred = shown?.hash === block.hash || trusts(other) || !trusts(node)
      if (shown?.unverified === null && isPreferred) return given(other, shown)
    }
    return given(node, block)
  }
}
