import { failpoint } from '../../base/failpoint.ts'
import { addressToBytes, type TronAddress } from '../address.ts'
import type { BlockRef, HeadBlock, SolidBlock } from '../block.ts'
import { joinHeadBlock } from './head-block.ts'
import { type AskView, newestHeader } from './newest-header.ts'
import { type NodeBlock, readBlock, readBlockFields, readTransactionInfos } from './node-answers.ts'
import { isNotOffered, NodeError } from './node-error.ts'
import { type CallOutcome, createNodeHttp, endpoint } from './node-http.ts'
import { joinSolidBlock } from './solid-block.ts'
import type { TokenBucket } from './token-bucket.ts'

/** A TRON node as the watcher sees it. Every call throws a NodeError when it cannot be answered. */
export interface TronNode {
  /** The host and port of its head URL; paths, which may hold keys, are left out. */
  readonly name: string
  /** Id of block 0: says which chain this is. */
  genesisId(): Promise<string>
  /** The newest irreversible block. @param options.ahead before the calls that wait for their turn. */
  solidHead(options?: { ahead?: boolean }): Promise<BlockRef>
  /** An irreversible block with all its transfers; null while the node does not have it. Two calls, one for a miss. */
  solidBlock(height: number): Promise<SolidBlock | null>
  /** The id of an irreversible block, for comparing; null while the node does not have it. */
  solidHash(height: number): Promise<string | null>
  /** The newest block, which may still be replaced. */
  head(): Promise<BlockRef>
  /** A block at the head, with the transfers known so far; null while the node does not have it. */
  headBlock(height: number): Promise<HeadBlock | null>
  /** Drops its connections; calls in hand fail. */
  close(): Promise<void>
}

/** A whole call, from the dial to the last byte. A busy block is under a megabyte. */
const deadlineDefaultMs = 15_000

/**
 * A client of one node over java-tron's HTTP API, with connections kept open. Opens none before the first call.
 * @param options.headUrl where /wallet is.
 * @param options.solidUrl where /walletsolidity is: another port of one's own node, the same host at a provider.
 * @param options.apiKey TronGrid's; sent to hosts of TronGrid and to no others.
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
  bucket?: TokenBucket | undefined
  onCall?: ((outcome: CallOutcome) => void) | undefined
}): TronNode {
  const http = createNodeHttp({ ...options, deadlineMs: options.deadlineMs ?? deadlineDefaultMs })
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

/** Every other path of a view answers with a block. */
function readerOf(path: string): ((body: Buffer) => unknown) | undefined {
  return path === infosPath ? undefined : readBlockFields
}

/** Asked for only where there are any. They go before the blocks others wait for: what is begun is finished first. */
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

/** Runs a call; whatever it fails with becomes a NodeError that says which node and what was asked. */
async function named<T>(name: string, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    const known = cause instanceof NodeError ? cause : undefined
    throw new NodeError(known?.kind ?? 'failed', `node ${name}, ${what}: ${(cause as Error).message}`, {
      retryAfterMs: known?.retryAfterMs,
      status: known?.status,
      allowedPerSecond: known?.allowedPerSecond,
      timedOut: known?.timedOut ?? false,
      cause,
    })
  }
}
