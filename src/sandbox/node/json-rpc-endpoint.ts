import { heightOfBlockId } from '../../tron/block-id.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import { type LogFilter, quantity, rpcBlock, rpcLogs } from './json-rpc-answers.ts'
import type { Call, Endpoint, Parameters } from './node-door.ts'

/** A JSON-RPC error. */
class RpcError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const invalidParams = -32602
const topicSlotsMax = 4

/** The methods the gateway uses, as in java-tron. eth_getLogs takes one block, by its hash. */
const methods: Record<string, (params: readonly unknown[], call: Call) => unknown> = {
  eth_chainId: (_params, { chain }) => quantity(Number.parseInt(chain.genesisId.slice(-8), 16)),
  eth_blockNumber: (_params, { view }) => quantity(view.head.height),
  eth_getBlockByNumber: ([tag, full], call) => {
    const block = blockTagged(tag, call)
    return block ? rpcBlock(block, full === true) : null
  },
  eth_getLogs: ([filter], call) => {
    const asked = object(filter)
    if (asked.blockHash === undefined) {
      throw new RpcError(-32601, 'the sandbox finds logs by blockHash only')
    }
    if (asked.fromBlock !== undefined || asked.toBlock !== undefined) {
      throw new RpcError(
        invalidParams,
        'cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
      )
    }
    const id = hash(asked.blockHash)
    const block = call.view.block(heightOfBlockId(id))
    if (block?.id !== id) throw new RpcError(invalidParams, 'invalid blockHash')
    return call.effects.reduce<readonly unknown[]>(
      (logs, effect) => effect.logs?.(logs) ?? logs,
      rpcLogs(block, readFilter(asked)),
    )
  },
}

export const jsonRpcEndpoint: Endpoint = {
  method: ['POST'],
  url: '/jsonrpc',
  surface: 'head',
  nothing: { jsonrpc: '2.0', id: 1, result: null },
  heightOf: ({ params }) => {
    const [first] = Array.isArray(params) ? params : []
    const id = /^0x([0-9a-f]{64})$/.exec(`${(first as Parameters | undefined)?.blockHash}`)?.[1]
    return id === undefined ? undefined : heightOfBlockId(id)
  },
  answer: call => {
    const { id = null, method, params = [] } = call.parameters
    try {
      const run = Object.hasOwn(methods, `${method}`) ? methods[`${method}`] : undefined
      if (!run) throw new RpcError(-32601, 'method not found')
      return { jsonrpc: '2.0', id, result: run(params as unknown[], call) }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      return { jsonrpc: '2.0', id, error: { code: error.code, message: error.message } }
    }
  },
}

function blockTagged(tag: unknown, { view }: Call): SandboxBlock | undefined {
  if (tag === 'latest') return view.head
  if (tag === 'finalized') return view.solid
  if (tag === 'earliest') return view.block(0)
  if (tag === 'pending' || tag === 'safe') throw new RpcError(invalidParams, `TAG ${tag} not supported`)
  const height = /^0x([0-9a-f]{1,13})$/.exec(`${tag}`)?.[1]
  if (height === undefined) throw new RpcError(invalidParams, 'invalid block number')
  return view.block(Number.parseInt(height, 16))
}

function readFilter({ address, topics }: Parameters): LogFilter {
  const addresses = address === undefined || address === null ? [] : [address].flat()
  const slots = (topics ?? []) as (string | string[] | null)[]
  if (slots.length > topicSlotsMax)
    throw new RpcError(invalidParams, `topics size should be <= ${topicSlotsMax}`)
  return {
    addresses: addresses.map(it => hex(it, 40, 'address')),
    topics: slots.map(slot => (slot === null ? null : [slot].flat().map(hash))),
  }
}

function hash(text: unknown): string {
  return hex(text, 64, 'hash value')
}

function hex(text: unknown, digits: number, name: string): string {
  const found = new RegExp(`^0x([0-9a-f]{${digits}})$`).exec(`${text}`)?.[1]
  if (found === undefined) throw new RpcError(invalidParams, `invalid ${name}: ${`${text}`.slice(0, 100)}`)
  return found
}

function object(value: unknown): Parameters {
  if (typeof value !== 'object' || value === null) throw new RpcError(invalidParams, 'invalid filter')
  return value as Parameters
}
