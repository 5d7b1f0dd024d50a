import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { TronAddress } from '../address.ts'
import type { BlockRef } from '../block.ts'
import type { LogFact } from '../node/compare-logs.ts'
import { createJsonRpc } from '../node/json-rpc.ts'
import { createTronNode, type TronNode } from '../node/node-client.ts'
import { NodeError } from '../node/node-error.ts'
import { createNodeHttp, endpoint } from '../node/node-http.ts'
import { createTokenBucket } from '../node/token-bucket.ts'
import { isOnOtherChain, type NodeHealth, stepBackMax } from './node-health.ts'
import type { createNodeMetrics } from './node-metrics.ts'
import { createNodeRecord, type NodeRecord } from './node-record.ts'

/** Where a node is. */
export interface NodeSetting {
  headUrl: string
  solidUrl: string
  /** Where its JSON-RPC is, with or without /jsonrpc at the end; without, it is looked for beside /walletsolidity. */
  jsonRpcUrl?: string | undefined
}

/** The one chain the nodes of a pool serve; the first answer says which, where nobody said before. */
export interface ChainIdentity {
  genesisId: string | null
}

/** A node of a pool: its calls are paced, and what they come to is remembered. */
export interface PooledNode {
  readonly name: string
  readonly health: NodeHealth
  readonly counts: NodeRecord['counts']
  /** Calls it, after making sure that it serves our chain: once, and again when it had failed. @throws NodeError */
  ask<T>(call: (node: TronNode) => Promise<T>): Promise<T>
  /** Its newest solidified block. @throws NodeError also when it is further back than a moment ago. */
  solidHead(options?: { ahead?: boolean }): Promise<BlockRef>
  /** Remembers a solidified block it served, when it is the newest. */
  served(block: BlockRef): void
  /** Which chain it serves. @throws NodeError */
  genesisId(): Promise<string>
  /** @returns null when it offers no JSON-RPC. A failure there says nothing of the rest of it. @throws NodeError */
  transferLogs(blockHash: string): Promise<LogFact[] | null>
  distrust(why: string): void
  close(): Promise<void>
}

/** A hung call must leave time to ask another node within ten seconds. */
const deadlineDefaultMs = 8_000

export function createPooledNode(options: {
  name: string
  setting: NodeSetting
  chain: ChainIdentity
  apiKey?: string | undefined
  usdtContract: TronAddress
  requestsPerSecond: number
  deadlineMs?: number | undefined
  log: Logger
  metrics: ReturnType<typeof createNodeMetrics>
  clock: Clock
}): PooledNode {
  const { name, setting, chain, clock, apiKey, usdtContract } = options
  const now = () => clock.now().getTime()
  const bucket = createTokenBucket({ requestsPerSecond: options.requestsPerSecond, clock })
  const record = createNodeRecord({ ...options, bucket, now })
  const { health } = record
  const onCall = record.called
  const transport = { apiKey, bucket, onCall, deadlineMs: options.deadlineMs ?? deadlineDefaultMs }
  const node = createTronNode({ ...setting, ...transport, name, usdtContract })
  const http = createNodeHttp(transport)
  const jsonRpc = createJsonRpc({ http, url: jsonRpcUrl(setting), usdtContract, now })
  let genesisId: Promise<string> | null = null
  let closed = false

  const noted = async <T>(call: () => Promise<T>): Promise<T> => {
    const startedAtMs = now()
    try {
      const result = await call()
      record.succeeded()
      return result
    } catch (error) {
      if (error instanceof NodeError && !closed && !isOnOtherChain(health, now())) {
        record.failed(error, startedAtMs)
        // It may come back as another.
        if (health.state === 'failing') genesisId = null
      }
      throw error
    }
  }
  const readGenesisId = async () => {
    const asked = genesisId ?? node.genesisId()
    genesisId = asked
    try {
      return await asked
    } catch (error) {
      if (genesisId === asked) genesisId = null
      throw error
    }
  }
  const checkChain = async () => {
    const found = await readGenesisId()
    chain.genesisId ??= found
    if (found === chain.genesisId) return
    genesisId = null
    const why = `it serves the chain with genesis ${found}, not ${chain.genesisId}`
    record.onWrongChain(why)
    throw new NodeError('failed', `node ${name}: ${why}`)
  }
  const ask = <T>(call: (node: TronNode) => Promise<T>) =>
    noted(async () => {
      await checkChain()
      return await call(node)
    })
  return {
    name,
    health,
    counts: record.counts,
    ask,
    solidHead: asked =>
      ask(async () => {
        const head = await node.solidHead(asked)
        const back = record.showed(head)
        if (back <= stepBackMax) return head
        throw new NodeError(
          'failed',
          `node ${name}: its solidified head fell by ${back} blocks to ${head.height}`,
        )
      }),
    served(block) {
      if (block.height > (health.solidHead?.height ?? -1)) record.showed(block)
    },
    genesisId: () => noted(readGenesisId),
    async transferLogs(blockHash) {
      try {
        return await jsonRpc.transferLogs(blockHash)
      } catch (cause) {
        const known = cause instanceof NodeError ? cause : undefined
        if (known?.kind === 'later') record.failed(known, now())
        const message = `node ${name}, eth_getLogs: ${(cause as Error).message}`
        throw new NodeError(known?.kind ?? 'failed', message, { retryAfterMs: known?.retryAfterMs, cause })
      }
    },
    distrust: record.distrusted,
    async close() {
      closed = true
      bucket.close()
      await Promise.all([node.close(), http.close()])
    },
  }
}

function jsonRpcUrl({ solidUrl, jsonRpcUrl: given }: NodeSetting): URL {
  if (given === undefined) return endpoint(solidUrl, '/jsonrpc')
  return given.endsWith('/jsonrpc') ? new URL(given) : endpoint(given, '/jsonrpc')
}
