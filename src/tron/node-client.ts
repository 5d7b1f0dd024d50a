import { Agent } from 'undici'
import { addressToBytes, type TronAddress } from './address.ts'
import type { BlockRef, SolidBlock } from './block.ts'
import { readBlock, readTransactionInfos } from './node-answers.ts'
import { NodeError } from './node-error.ts'
import { readAnswer } from './node-refusal.ts'
import { joinSolidBlock } from './solid-block.ts'

/** A TRON node as the watcher sees it. Every call throws a NodeError when it cannot be answered. */
export interface TronNode {
  /** The host and port of its head URL; paths, which may hold keys, are left out. */
  readonly name: string
  /** Id of block 0: says which chain this is. */
  genesisId(): Promise<string>
  /** The newest irreversible block. */
  solidHead(): Promise<BlockRef>
  /** An irreversible block with all its transfers; null while the node does not have it. */
  solidBlock(height: number): Promise<SolidBlock | null>
  /** Drops its connections; calls in hand fail. */
  close(): Promise<void>
}

/** A whole call, from the dial to the last byte. A busy block is under a megabyte. */
const deadlineDefaultMs = 15_000
/** Some hundred times a busy block: reached only by what is no block. */
const bodyMaxDefaultBytes = 64 * 1024 * 1024

/**
 * A client of one node over java-tron's HTTP API, with connections kept open. Opens none before the first call.
 * @param options.headUrl where /wallet is.
 * @param options.solidUrl where /walletsolidity is: another port of one's own node, the same host at a provider.
 * @param options.apiKey TronGrid's; sent to hosts of TronGrid and to no others.
 */
export function createTronNode(options: {
  headUrl: string
  solidUrl: string
  apiKey?: string | undefined
  usdtContract: TronAddress
  deadlineMs?: number
  bodyMaxBytes?: number
}): TronNode {
  const deadlineMs = options.deadlineMs ?? deadlineDefaultMs
  // headersTimeout and bodyTimeout begin anew with every byte: only the signal below bounds a call.
  const agent = new Agent({
    maxResponseSize: options.bodyMaxBytes ?? bodyMaxDefaultBytes,
    connect: { timeout: deadlineMs },
  })
  const name = new URL(options.headUrl).host
  const usdtContract = addressToBytes(options.usdtContract).toString('hex')
  const ask = (baseUrl: string, path: string, body: object) =>
    post(agent, { url: endpoint(baseUrl, path), apiKey: options.apiKey, body, deadlineMs })

  return {
    name,
    genesisId: () =>
      named(name, 'genesis block', async () => {
        const block = readBlock(await ask(options.headUrl, '/wallet/getblockbynum', { num: 0 }))
        if (!block) throw new NodeError('failed', 'it has no block 0')
        if (block.height !== 0) throw new NodeError('failed', `block ${block.height} came in answer to 0`)
        return block.hash
      }),
    solidHead: () =>
      named(name, 'solidified head', async () => {
        const block = readBlock(await ask(options.solidUrl, '/walletsolidity/getnowblock', {}))
        if (!block) throw new NodeError('failed', 'it has no solidified block')
        return { height: block.height, hash: block.hash, time: block.time }
      }),
    solidBlock: height =>
      named(name, `block ${height}`, async () => {
        const [block, infos] = await Promise.all([
          ask(options.solidUrl, '/walletsolidity/getblockbynum', { num: height }).then(readBlock),
          ask(options.solidUrl, '/walletsolidity/gettransactioninfobyblocknum', { num: height }).then(
            readTransactionInfos,
          ),
        ])
        return block && joinSolidBlock(height, block, infos, usdtContract)
      }),
    close: () => agent.destroy(),
  }
}

/** Runs a call; whatever it fails with becomes a NodeError that says which node and what was asked. */
async function named<T>(name: string, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    const { kind, retryAfterMs } = cause instanceof NodeError ? cause : { kind: 'failed' as const }
    throw new NodeError(kind, `node ${name}, ${what}: ${(cause as Error).message}`, { retryAfterMs, cause })
  }
}

async function post(
  agent: Agent,
  question: { url: URL; apiKey: string | undefined; body: object; deadlineMs: number },
): Promise<unknown> {
  const { url, apiKey, deadlineMs } = question
  const response = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'POST',
    headers: requestHeaders(url, apiKey),
    body: JSON.stringify(question.body),
    signal: AbortSignal.timeout(deadlineMs),
  })
  const retryAfter = response.headers['retry-after']
  return readAnswer({
    status: response.statusCode,
    retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    body: await response.body.text(),
  })
}

/** The key belongs to TronGrid: neither another node nor a host that only looks like theirs may see it. */
export function requestHeaders(url: URL, apiKey: string | undefined): Record<string, string> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const isTronGrid = url.protocol === 'https:' && /(^|\.)trongrid\.io$/.test(url.hostname)
  return apiKey !== undefined && isTronGrid ? { ...headers, 'TRON-PRO-API-KEY': apiKey } : headers
}

function endpoint(baseUrl: string, path: string): URL {
  const url = new URL(baseUrl)
  url.pathname = url.pathname.replace(/\/+$/, '') + path
  return url
}
