import { addressToHex, type TronAddress } from '../address.ts'
import { decodeTransferLog } from '../transfer-log.ts'
import { asList, asObject, describe, excerpt, wrongField } from './answer-fields.ts'
import type { LogFact } from './compare-logs.ts'
import { isNotOffered, NodeError } from './node-error.ts'
import type { NodeHttp } from './node-http.ts'

/** A node's JSON-RPC: a second source for the USDT transfers of a block. */
export interface JsonRpc {
  /**
   * Reads the USDT transfers of a block, in the node's order.
   * @param blockHash 64 hex digits.
   * @returns null while the node is known not to offer JSON-RPC; `not yet` while it does not have the block. An empty list
   * proves nothing: nodes without an index answer so too.
   * @throws NodeError when a node that may offer it gave no usable answer.
   */
  transferLogs(blockHash: string): Promise<LogFact[] | 'not yet' | null>
}

/** A node that did not offer it may have been reconfigured since. */
const askAgainMs = 3_600_000
const word = /^0x[0-9a-f]{64}$/
/** java-tron's own limit of such an answer. All logs of a busy block, whoever emitted them, are a megabyte. */
export const rpcAnswerMaxBytes = 25 * 1024 * 1024
const invalidParams = -32602

/** Opens a node's JSON-RPC. @param options.url of /jsonrpc itself. */
export function createJsonRpc(options: {
  http: NodeHttp
  url: URL
  usdtContract: TronAddress
  now: () => number
}): JsonRpc {
  const usdtContract = addressToHex(options.usdtContract)
  let notOfferedUntilMs = 0
  return {
    async transferLogs(blockHash) {
      if (options.now() < notOfferedUntilMs) return null
      // By the hash alone: with address or topics beside it a node answers from an index that lacks older blocks, and says [].
      const filter = { blockHash: `0x${blockHash}` }
      try {
        const answer = await options.http.post(options.url, {
          jsonrpc: '2.0',
          id: 1,
          method: 'eth_getLogs',
          params: [filter],
        })
        return readTransferLogs(answer, { blockHash, usdtContract })
      } catch (error) {
        if (error instanceof NotYet) return 'not yet'
        if (!isNotOffered(error)) throw error
        notOfferedUntilMs = options.now() + askAgainMs
        return null
      }
    },
  }
}

/** A node says so of a block that it has not solidified yet. */
class NotYet extends NodeError {}

/**
 * Reads the answer of eth_getLogs: all logs of a block. Events other than a transfer of USDT above zero are left out, as they
 * are from a block.
 * @throws NodeError for a JSON-RPC error, with status 404 for an unknown method, and for anything that is not a list of
 * logs of that block.
 */
export function readTransferLogs(
  answer: unknown,
  { blockHash, usdtContract }: { blockHash: string; usdtContract: string },
): LogFact[] {
  const { result, error } = asObject(answer, 'the answer') as { result?: unknown; error?: unknown }
  if (error !== undefined && error !== null) throw refusal(asObject(error, 'error'))
  return asList(result, 'result').flatMap(value => {
    const log = asObject(value, 'a log')
    if (log.blockHash !== `0x${blockHash}`) throw wrongField('blockHash', `0x${blockHash}`, log.blockHash)
    if (typeof log.transactionHash !== 'string' || !word.test(log.transactionHash)) {
      throw wrongField('transactionHash', '0x and 64 hex digits', log.transactionHash)
    }
    const address = bare(log.address, 'address')
    // Most logs of a block are of other contracts.
    if (address !== usdtContract) return []
    const topics = Array.isArray(log.topics) ? log.topics.map(topic => bare(topic, 'a topic')) : []
    const decoded = decodeTransferLog({ address, topics, data: bare(log.data ?? '0x', 'data') }, usdtContract)
    if (decoded?.kind !== 'transfer' || decoded.amount === 0n) return []
    const { fromHex, toHex, amount } = decoded
    return [{ txid: log.transactionHash.slice(2), fromHex, toHex, amount }]
  })
}

function refusal(error: Record<string, unknown>): NodeError {
  const text = typeof error.message === 'string' ? excerpt(error.message) : describe(error.message)
  const message = `answered with error ${describe(error.code)}: ${text}`
  if (error.code === invalidParams && text.includes('invalid blockHash')) return new NotYet('failed', message)
  return new NodeError('failed', message, { status: error.code === -32601 ? 404 : undefined })
}

function bare(value: unknown, name: string): string {
  if (typeof value === 'string' && value.startsWith('0x')) return value.slice(2)
  throw wrongField(name, 'hex with 0x in front', value)
}
