import { addressToBytes, type TronAddress } from '../address.ts'
import { decodeTransferLog, transferTopic } from '../transfer-log.ts'
import type { LogFact } from './compare-logs.ts'
import { isNotOffered, NodeError } from './node-error.ts'
import type { NodeHttp } from './node-http.ts'

/** The USDT transfers of a block as a node's JSON-RPC has them: another way into the same node, or into another. */
export interface JsonRpc {
  /**
   * @param blockHash 64 hex digits.
   * @returns in the node's order; null while the node is known not to offer it. None says nothing: nodes answer so too
   * where they have no index.
   * @throws NodeError when it might have been answered and was not.
   */
  transferLogs(blockHash: string): Promise<LogFact[] | null>
}

/** A node that did not offer it may have been set up since. */
const askAgainMs = 3_600_000
const word = /^0x[0-9a-f]{64}$/

/** @param options.url of /jsonrpc itself. */
export function createJsonRpc(options: {
  http: NodeHttp
  url: URL
  usdtContract: TronAddress
  now: () => number
}): JsonRpc {
  const usdtContract = addressToBytes(options.usdtContract).toString('hex')
  let notOfferedUntilMs = 0
  return {
    async transferLogs(blockHash) {
      if (options.now() < notOfferedUntilMs) return null
      const filter = {
        blockHash: `0x${blockHash}`,
        address: [`0x${usdtContract}`],
        topics: [`0x${transferTopic}`],
      }
      try {
        const answer = await options.http.post(options.url, {
          jsonrpc: '2.0',
          id: 1,
          method: 'eth_getLogs',
          params: [filter],
        })
        return readTransferLogs(answer, { blockHash, usdtContract })
      } catch (error) {
        if (!isNotOffered(error)) throw error
        notOfferedUntilMs = options.now() + askAgainMs
        return null
      }
    },
  }
}

/**
 * Reads eth_getLogs' answer, whatever it is. Events other than a transfer above zero are left out, as they are of a block.
 * @throws NodeError for an error of JSON-RPC, and for anything that is not a list of logs of that block. With a status of
 * 404 where the method is not known.
 */
export function readTransferLogs(
  answer: unknown,
  { blockHash, usdtContract }: { blockHash: string; usdtContract: string },
): LogFact[] {
  const { result, error } = object(answer, 'the answer') as { result?: unknown; error?: unknown }
  if (error !== undefined && error !== null) throw refusal(object(error, 'error'))
  if (!Array.isArray(result)) throw wrong('result', 'a list', result)
  return result.flatMap(value => {
    const log = object(value, 'a log')
    if (log.blockHash !== `0x${blockHash}`) throw wrong('blockHash', `0x${blockHash}`, log.blockHash)
    if (typeof log.transactionHash !== 'string' || !word.test(log.transactionHash)) {
      throw wrong('transactionHash', '0x and 64 hex digits', log.transactionHash)
    }
    const topics = Array.isArray(log.topics) ? log.topics.map(topic => bare(topic, 'a topic')) : []
    const decoded = decodeTransferLog(
      { address: bare(log.address, 'address'), topics, data: bare(log.data ?? '0x', 'data') },
      usdtContract,
    )
    if (decoded?.kind !== 'transfer' || decoded.amount === 0n) return []
    const { fromBytes, toBytes, amount } = decoded
    return [{ txid: log.transactionHash.slice(2), fromBytes, toBytes, amount }]
  })
}

function refusal(error: Record<string, unknown>): NodeError {
  const text = String(error.message)
    .slice(0, 200)
    .replace(/\p{Cc}+/gu, ' ')
  const message = `answered with error ${Number(error.code)}: ${text}`
  return new NodeError('failed', message, { status: error.code === -32601 ? 404 : undefined })
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw wrong(name, 'an object', value)
}

function bare(value: unknown, name: string): string {
  if (typeof value === 'string' && value.startsWith('0x')) return value.slice(2)
  throw wrong(name, 'hex with 0x in front', value)
}

function wrong(name: string, expected: string, value: unknown): NodeError {
  const got = JSON.stringify(value)?.slice(0, 100) ?? 'nothing'
  return new NodeError('failed', `${name} should be ${expected}, got ${got}`)
}
