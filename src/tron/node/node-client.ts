import { failpoint } from '../../base/failpoint.ts'
import { addressToBytes, type TronAddress } from '../address.ts'
import type { BlockRef, HeadBlock, SolidBlock } from '../block.ts'
import type { AnswerShare } from './answer-budget.ts'
import { joinHeadBlock } from './head-block.ts'
import { type AskView, newestHeader } from './newest-header.ts'
import { type NodeBlock, readBlock, readBlockFields, readTransactionInfos } from './node-answers.ts'
import { isNotOffered, NodeError, nodeErrorAt } from './node-error.ts'
import { type CallOutcome, createNodeHttp, endpoint } from './node-http.ts'
import { joinSolidBlock } from './solid-block.ts'
import type { TokenBucket } from './token-bucket.ts'

/** A TRON node. Every call throws a NodeError when it gets no usable answer. */
export interface TronNode {
  /** The host and port of its head URL. The path is left out: it may hold a key. */
  readonly name: string
  /** Reads the id of block 0, which names the chain. */
  genesisId(): Promise<string>
  /** Reads the newest irreversible block. @param options.ahead before the calls that wait for their turn. */
  solidHead(options?: { ahead?: boolean }): Promise<BlockRef>
  /** Reads an irreversible block with all its transfers; null while the node lacks it. Two calls, one for a miss. */
  solidBlock(height: number): Promise<SolidBlock | null>
  /** Reads the id of an irreversible block, to compare nodes; null while the node lacks it. */
  solidHash(height: number): Promise<string | null>
  /** Reads the newest block, which may still be replaced. */
  head(): Promise<BlockRef>
  /** Reads a block at the head with the transfers known so far; null while the node lacks it. */
  headBlock(height: number): Promise<HeadBlock | null>
  /** Closes its connections. Calls in flight fail. */
  close(): Promise<void>
}

/** For a whole call, from the dial to the last byte. A busy block is under a megabyte. */
const deadlineDefaultMs = 15_000

/**
 * Opens a client of one node over java-tron's HTTP API. It connects at the first call and keeps its connections.
 * @param options.headUrl where /wallet is.
 * @param options.solidUrl where /walletsolidity is: another port of your own node, the same host at a provider.
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
  const http = createNodeHttp({
    ...options,
    baseUrls: [options.headUrl, options.solidUrl],
    deadlineMs: options.deadlineMs ?? deadlineDefaultMs,
  })
  const name = options.name ?? new URL(options.headUrl).host
  const usdtContract = addressToBytes(options.usdtContract).toString('hex')
  const wallet: AskView = (path, body, ahead = false) =>
    http.post(endpoint(options.headUrl, `/wallet${path}`), body, { ahead, read: readerOf(path) })
  const solid: AskView = (path, body, ahead = false) =>
    http.post(endpoint(options.solidUrl, `/walletsolidity${path}`), body, { ahead, read: readerOf(path) })
  const newest = { wallet: newestHeader(wallet), solid: newestHeader(solid) }

  return {
    name,
    genesisId: () =>
      named(name, 'genesis block', async () => {
        const block = readBlock(await wallet('/getblockbynum', { num: 0 }, true))
        if (!block) throw new NodeError('failed', 'it has no block 0')
        return checkHeight(block, 0).hash
      }),
    solidHead: ({ ahead = false } = {}) =>
      named(name, 'solidified head', async () => refOf(await newest.solid(ahead), 'solidified block')),
    solidBlock: height =>
      named(name, `block ${height}`, async () => {
        const block = readBlock(await solid('/getblockbynum', { num: height }))
        if (!block) return null
        const infos = await infosOf(solid, block, height)
        failpoint('block:after-fetch')
        return { ...joinSolidBlock(height, block, infos, usdtContract), node: name }
      }),
    solidHash: height => named(name, `id of block ${height}`, () => hashAt(solid, height)),
    head: () => named(name, 'head', async () => refOf(await newest.wallet(false), 'block')),
    headBlock: height =>
      named(name, `head block ${height}`, async () => {
        const block = readBlock(await wallet('/getblockbynum', { num: height }))
        return block && joinHeadBlock(block, await infosOf(wallet, block, height), usdtContract)
      }),
    close: () => http.close(),
  }
}

const infosPath = '/gettransactioninfobyblocknum'

/** All other paths answer with a block. */
function readerOf(path: string): ((body: Buffer) => unknown) | undefined {
  return path === infosPath ? undefined : readBlockFields
}

/** Asks for a block's infos, if it has transactions. They go ahead of other blocks, so that a block begun is finished first. */
async function infosOf(ask: AskView, block: NodeBlock, height: number) {
  checkHeight(block, height)
  if (block.txids.length === 0) return []
  return readTransactionInfos(await ask(infosPath, { num: height }, true))
}

async function hashAt(ask: AskView, height: number): Promise<string | null> {
  const byHeader = ask('/getblock', { id_or_num: String(height), detail: false }).then(readBlock)
  const block = await byHeader.catch(async error => {
    if (!isNotOffered(error)) throw error
    return readBlock(await ask('/getblockbynum', { num: height }))
  })
  return block && checkHeight(block, height).hash
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
