import { failpoint } from '../../base/failpoint.ts'
import { addressToHex, type TronAddress } from '../address.ts'
import type { BlockRef, HeadBlock } from '../block.ts'
import type { ProducerKeys } from '../verify/block-producer.ts'
import type { SentHeader } from '../verify/sent-block.ts'
import type { AnswerShare } from './answer-budget.ts'
import { isGrpcUrl, openGrpcViews, wrongSolidUrl } from './grpc-views.ts'
import { joinHeadBlock } from './head-block.ts'
import { openHttpViews } from './http-views.ts'
import { newestHeader } from './newest-header.ts'
import type { NodeBlock, NodeTransactionInfo } from './node-answers.ts'
import { isNotOffered, NodeError, nodeErrorAt, notImplemented } from './node-error.ts'
import type { CallOutcome } from './node-http.ts'
import { headerAlone, joinByInfos, joinSolidBlock, type ReadBlock } from './solid-block.ts'
import type { TokenBucket, Turn } from './token-bucket.ts'
import type { WalletView } from './wallet-view.ts'

/** A TRON node, over HTTP or gRPC. Every call throws a NodeError when it gets no usable answer. */
export interface TronNode {
  /** The host and port of its head URL. The path is left out: it may hold a key. */
  readonly name: string
  /** Reads the id of block 0, which names the chain. @throws NodeError `wrongSetting` also when its URLs cannot serve us. */
  genesisId(): Promise<string>
  /** Whether it says which blocks are irreversible, as far as is known: over gRPC a node may have the head alone. */
  saysSolid(): boolean
  /** Reads the newest irreversible block. @param options.turn when, of the calls that wait. */
  solidHead(options?: { turn?: Turn }): Promise<BlockRef>
  /** Reads an irreversible block with all its transfers; null while the node lacks it. Two calls, one for a miss. */
  solidBlock(height: number): Promise<ReadBlock | null>
  /** Reads the id of an irreversible block, to compare nodes; null while the node lacks it, or does not say which are. */
  solidHash(height: number): Promise<string | null>
  /** Reads the newest block, which may still be replaced. */
  head(options?: { turn?: Turn }): Promise<BlockRef>
  /** Reads a block that is known to be irreversible; of a node that does not say which are, at its head. Otherwise as `solidBlock`. */
  recordedBlock(height: number): Promise<ReadBlock | null>
  /** Reads a block at the head, which may still be replaced, with all its transfers; null while the node lacks it. */
  newBlock(height: number): Promise<ReadBlock | null>
  /** Reads the header of a block at the head; null while the node lacks it. */
  newHeader(height: number): Promise<SentHeader | null>
  /** Reads a block by its header and its infos alone, for one that the node cannot print; null while the node lacks it. Two calls. */
  blockByInfos(height: number, view: 'head' | 'solid'): Promise<ReadBlock | null>
  /** Reads a block at the head with the transfers known so far; null while the node lacks it. */
  headBlock(height: number): Promise<HeadBlock | null>
  /**
   * Reads consecutive blocks at the head with all their transfers: fewer when it lacks the last. One call for the blocks, where the
   * node offers that, and one for the infos of each.
   */
  newBlocks(from: number, count: number): Promise<ReadBlock[]>
  /**
   * Reads what became of a transaction: in a block at the head, which may still be replaced. For display.
   * @param txid 64 lower-case hex digits. @returns null while it is in no block that the node has.
   */
  transaction(txid: string): Promise<NodeTransactionInfo | null>
  /** Reads the producers that make blocks now, each with the keys that may sign for it. A call for each, and one more. */
  producers(): Promise<ProducerKeys>
  /** Closes its connections. Calls in flight fail. */
  close(): Promise<void>
}

/** How far below its head a node's solidified head is taken to be, where it does not say. Nothing is credited by that. */
const solidAfter = 20
/** For a whole call, from the dial to the last byte. A busy block is under a megabyte. */
const deadlineDefaultMs = 15_000

/**
 * Opens a client of one node. It connects at the first call and keeps its connections.
 * @param options.headUrl of the head: where /wallet is (`http://`, `https://`), or protocol.Wallet (`grpc://`, `grpcs://`).
 * @param options.solidUrl of the solidified chain, by the same transport: another port of your own node, the same host at a
 * provider.
 * @param options.apiKey of TronGrid; sent to hosts of TronGrid only.
 * @param options.share of the memory for answers.
 * @param options.bucket paces its requests.
 */
export function createTronNode(options: {
  headUrl: string
  solidUrl: string
  apiKey?: string | undefined
  usdtContract: TronAddress
  name?: string | undefined
  deadlineMs?: number | undefined
  bodyMaxBytes?: number | undefined
  share?: AnswerShare | undefined
  bucket?: TokenBucket | undefined
  onCall?: ((outcome: CallOutcome) => void) | undefined
}): TronNode {
  const openViews = isGrpcUrl(options.headUrl) ? openGrpcViews : openHttpViews
  const views = openViews({ ...options, deadlineMs: options.deadlineMs ?? deadlineDefaultMs })
  const { head, solid } = views
  const name = options.name ?? new URL(options.headUrl).host
  const usdtContract = addressToHex(options.usdtContract)
  const newest = { head: newestHeader(head), solid: newestHeader(solid) }

  const joined = async (view: WalletView, block: NodeBlock, height: number): Promise<ReadBlock> => {
    checkHeight(block, height)
    const infos = await infosOf(view, block, height).catch(cause => {
      throw nodeErrorAt('its infos', cause, { lacksInfos: true })
    })
    failpoint('block:after-fetch')
    return { ...joinSolidBlock(height, block, infos, usdtContract), node: name }
  }
  let offersSeveral = true
  const severalBlocks = async (from: number, count: number): Promise<NodeBlock[]> => {
    let isRefused = false
    if (offersSeveral) {
      try {
        return await head.blocks(from, count)
      } catch (error) {
        if (!isNotOffered(error)) throw error
        isRefused = true
      }
    }
    const blocks = await Promise.all(Array.from({ length: count }, (_, i) => head.block(from + i)))
    // Where it gives all of them singly, it is the call that it refuses. It may be one block that it cannot print.
    if (isRefused) offersSeveral = false
    const end = blocks.indexOf(null)
    return (end < 0 ? blocks : blocks.slice(0, end)) as NodeBlock[]
  }
  const wholeBlock = async (view: WalletView, height: number) => {
    const block = await view.block(height)
    return block && (await joined(view, block, height))
  }

  return {
    name,
    genesisId: () =>
      named(name, 'genesis block', async () => {
        await views.check()
        const block = await head.block(0, 'ahead')
        if (!block) throw new NodeError('failed', 'it has no block 0')
        return checkHeight(block, 0).hash
      }),
    saysSolid: () => views.hasSolid(),
    solidHead: ({ turn } = {}) =>
      named(name, 'solidified head', async () => {
        if (views.hasSolid()) return refOf(await newest.solid(turn), 'solidified block')
        const { height } = refOf(await newest.head(turn), 'block')
        return refOf(await headerAt(head, Math.max(0, height - solidAfter)), 'solidified block')
      }),
    solidBlock: height =>
      named(name, `block ${height}`, async () => {
        if (views.hasSolid()) return await wholeBlock(solid, height)
        throw new NodeError('failed', wrongSolidUrl(options.headUrl, options.solidUrl), {
          status: notImplemented,
        })
      }),
    recordedBlock: height =>
      named(name, `block ${height}`, () => wholeBlock(views.hasSolid() ? solid : head, height)),
    blockByInfos: (height, wanted) =>
      named(name, `header and infos of block ${height}`, async () => {
        const view = wanted === 'solid' && views.hasSolid() ? solid : head
        const header = await headerAt(view, height)
        if (!header) return null
        const infos = await view.infos(height)
        return { ...joinByInfos(height, header, infos, usdtContract), node: name }
      }),
    newBlock: height => named(name, `new block ${height}`, () => wholeBlock(head, height)),
    newBlocks: (from, count) =>
      named(name, `new blocks from ${from}`, async () => {
        const blocks = await severalBlocks(from, count)
        for (const [i, block] of blocks.entries()) checkHeight(block, from + i)
        return await Promise.all(blocks.slice(0, count).map(block => joined(head, block, block.height)))
      }),
    producers: () =>
      named(name, 'producers', async () => {
        const found = await views.producers()
        return new Map(
          await Promise.all(
            found.map(async producer => [producer, await views.signersOf(producer)] as const),
          ),
        )
      }),
    newHeader: height =>
      named(name, `header ${height}`, async () => {
        const block = await headerAt(head, height)
        if (block && !block.header) throw new NodeError('failed', `it does not say all of header ${height}`)
        return block?.header ? headerAlone(block.header) : null
      }),
    solidHash: height =>
      named(name, `id of block ${height}`, async () => {
        if (!views.hasSolid()) return null
        const block = await headerAt(solid, height)
        return block?.hash ?? null
      }),
    head: ({ turn } = {}) => named(name, 'head', async () => refOf(await newest.head(turn), 'block')),
    headBlock: height =>
      named(name, `head block ${height}`, async () => {
        const block = await head.block(height, 'display')
        return block && joinHeadBlock(block, await infosOf(head, block, height, 'display'), usdtContract)
      }),
    transaction: txid =>
      named(name, `transaction ${txid}`, async () => {
        const info = await head.info(txid, 'display')
        if (info && info.txid !== txid)
          throw new NodeError('failed', `transaction ${info.txid} came in answer`)
        return info
      }),
    close: () => views.close(),
  }
}

/** Asks for a block's infos, if it has transactions. */
async function infosOf(view: WalletView, block: NodeBlock, height: number, turn?: Turn) {
  checkHeight(block, height)
  return block.txids.length === 0 ? [] : await view.infos(height, turn)
}

/** Asks for a header alone, where the node offers that. */
async function headerAt(view: WalletView, height: number): Promise<NodeBlock | null> {
  const block = await view.header(height).catch(async error => {
    if (!isNotOffered(error)) throw error
    return await view.block(height)
  })
  return block && checkHeight(block, height)
}

function checkHeight(block: NodeBlock, height: number): NodeBlock {
  if (block.height === height) return block
  throw new NodeError('failed', `block ${block.height} came in answer to ${height}`)
}

function refOf(block: NodeBlock | null, what: string): BlockRef {
  if (!block) throw new NodeError('failed', `it has no ${what}`)
  return { height: block.height, hash: block.hash, time: block.time }
}

/** Runs a call. Its failure becomes a NodeError that names the node and what it was asked. */
async function named<T>(name: string, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw nodeErrorAt(`node ${name}, ${what}`, cause)
  }
}
