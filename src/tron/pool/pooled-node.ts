import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { TronAddress } from '../address.ts'
import type { BlockRef } from '../block.ts'
import type { AnswerShare } from '../node/answer-budget.ts'
import type { LogFact } from '../node/compare-logs.ts'
import { createDayQuota, type DayQuota } from '../node/day-quota.ts'
import { isGrpcUrl } from '../node/grpc-views.ts'
import { createJsonRpc, rpcAnswerMaxBytes } from '../node/json-rpc.ts'
import { createLoadLimit } from '../node/load-limit.ts'
import { createTronNode, type TronNode } from '../node/node-client.ts'
import { NodeError, nodeErrorAt, notImplemented } from '../node/node-error.ts'
import { createNodeHttp, endpoint } from '../node/node-http.ts'
import { createTokenBucket, type Turn } from '../node/token-bucket.ts'
import { isOnOtherChain, type NodeHealth, stepBackMax } from './node-health.ts'
import type { createNodeMetrics } from './node-metrics.ts'
import { createNodeRecord, type NodeRecord } from './node-record.ts'

/** The URLs of a node, `http(s)://` or `grpc(s)://`. */
export interface NodeSetting {
  headUrl: string
  solidUrl: string
  /** Of its JSON-RPC, with or without /jsonrpc at the end. Default: /jsonrpc beside /walletsolidity; none over gRPC. */
  jsonRpcUrl?: string | undefined
}

/** The chain that the nodes of a pool serve. If it is not configured, the first answer decides. */
export interface ChainIdentity {
  genesisId: string | null
}

/** A node of a pool. Its calls are paced, and their outcomes recorded. */
export interface PooledNode {
  readonly name: string
  readonly health: NodeHealth
  readonly counts: NodeRecord['counts']
  readonly quota: DayQuota
  /**
   * Calls it. Before the first call, and after it was failing, it checks that the node serves our chain.
   * @param options.isExpected a failure says nothing of how the node is, as long as it answers other calls: it has failed for
   *   this very block before. @throws NodeError
   */
  ask<T>(call: (node: TronNode) => Promise<T>, options?: { isExpected: boolean }): Promise<T>
  /** Whether it says which blocks are irreversible, as far as is known. */
  saysSolid(): boolean
  /** Reads its newest solidified block. @throws NodeError also when that has stepped back. */
  solidHead(options?: { turn?: Turn }): Promise<BlockRef>
  /** Records a solidified block it served as its head, if it is newer. */
  served(block: BlockRef): void
  /** Records a block at the head that it served: it does not stand still. */
  sawHead(block: BlockRef): void
  /** Reads the id of its block 0. @throws NodeError */
  genesisId(): Promise<string>
  /**
   * Reads a block's transfers over its JSON-RPC. A failure there does not count as the node's.
   * @returns null when it offers none; `not yet` while it lacks the block.
   */
  transferLogs(blockHash: string): Promise<LogFact[] | 'not yet' | null>
  distrust(why: string): void
  close(): Promise<void>
}

/** After a call that hangs there must be time to ask another node within ten seconds. */
const deadlineDefaultMs = 8_000
/** The most requests that are out at a node. */
const inFlightMax = 16
/** How recently a node has to have answered something, so that what it cannot give says nothing of how it is. */
const answersOthersMs = 15_000

export function createPooledNode(options: {
  name: string
  setting: NodeSetting
  chain: ChainIdentity
  apiKey?: string | undefined
  usdtContract: TronAddress
  requestsPerSecond: number
  /** Calls allowed in a day, and what crediting alone takes of them; undefined: any number. */
  quota?: { perDay: number; reservePerDay: number } | undefined
  /** Whether no other node can be asked now. */
  isAlone?: (() => boolean) | undefined
  /** Of the memory for the answers of all nodes. */
  share: AnswerShare
  deadlineMs?: number | undefined
  log: Logger
  metrics: ReturnType<typeof createNodeMetrics>
  clock: Clock
}): PooledNode {
  const { name, setting, chain, clock, apiKey, usdtContract } = options
  const now = () => clock.now().getTime()
  const deadlineMs = options.deadlineMs ?? deadlineDefaultMs
  const quota = createDayQuota({ perDay: null, reservePerDay: 0, ...options.quota, clock })
  const load = createLoadLimit({ inFlightMax, deadlineMs, isAlone: options.isAlone ?? (() => false), clock })
  const bucket = createTokenBucket({ requestsPerSecond: options.requestsPerSecond, load, quota, clock })
  const record = createNodeRecord({ ...options, bucket, quota, now })
  const { health } = record
  const onCall = record.countCall
  const transport = { apiKey, bucket, onCall, deadlineMs, share: options.share }
  const node = createTronNode({ ...setting, ...transport, name, usdtContract })
  const rpcUrl = jsonRpcUrl(setting)
  const http =
    rpcUrl && createNodeHttp({ ...transport, baseUrls: [rpcUrl.href], bodyMaxBytes: rpcAnswerMaxBytes })
  const jsonRpc = http && createJsonRpc({ http, url: rpcUrl, usdtContract, now })
  let genesisId: Promise<string> | null = null
  let closed = false
  let headHeight = -1
  let answeredAtMs = Number.NEGATIVE_INFINITY

  const recorded = async <T>(call: () => Promise<T>, isExpected = false): Promise<T> => {
    const startedAtMs = now()
    try {
      const result = await call()
      answeredAtMs = now()
      record.succeeded()
      return result
    } catch (error) {
      // What a node does not offer says nothing of how it is.
      const isFailure = error instanceof NodeError && error.status !== notImplemented
      const answersOthers = now() - answeredAtMs < answersOthersMs
      const isKnown = isFailure && isExpected && answersOthers && error.kind === 'failed' && !error.timedOut
      if (isFailure && !isKnown && !closed && !isOnOtherChain(health, now())) {
        record.failed(error, startedAtMs)
        // Another node may answer at its address when it comes back.
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
  const ask = <T>(call: (node: TronNode) => Promise<T>, { isExpected } = { isExpected: false }) =>
    recorded(async () => {
      await checkChain()
      return await call(node)
    }, isExpected)
  return {
    name,
    health,
    counts: record.counts,
    quota,
    ask,
    saysSolid: node.saysSolid,
    solidHead: asked =>
      ask(async () => {
        const head = await node.solidHead(asked)
        const back = record.sawSolidHead(head)
        if (back <= stepBackMax) return head
        throw new NodeError(
          'failed',
          `node ${name}: its solidified head fell by ${back} blocks to ${head.height}`,
        )
      }),
    served(block) {
      if (block.height > (health.solidHead?.height ?? -1)) record.sawSolidHead(block)
    },
    sawHead(block) {
      if (block.height <= headHeight) return
      headHeight = block.height
      health.progressAtMs = now()
    },
    genesisId: () => recorded(readGenesisId),
    async transferLogs(blockHash) {
      if (!jsonRpc) return null
      try {
        return await jsonRpc.transferLogs(blockHash)
      } catch (cause) {
        // A rate limit applies to the whole node.
        if (cause instanceof NodeError && cause.kind === 'later') record.failed(cause, now())
        throw nodeErrorAt(`node ${name}, eth_getLogs`, cause)
      }
    },
    distrust: record.distrusted,
    async close() {
      closed = true
      bucket.close()
      await Promise.all([node.close(), http?.close()])
    },
  }
}

function jsonRpcUrl({ solidUrl, jsonRpcUrl: given }: NodeSetting): URL | null {
  if (given === undefined) return isGrpcUrl(solidUrl) ? null : endpoint(solidUrl, '/jsonrpc')
  return given.endsWith('/jsonrpc') ? new URL(given) : endpoint(given, '/jsonrpc')
}
