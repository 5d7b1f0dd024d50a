import { setMaxListeners } from 'node:events'
import { byLength } from '../../base/hide-secrets.ts'
import { type AnswerShare, createAnswerBudget } from './answer-budget.ts'
import { type GrpcChannel, openGrpcChannel } from './grpc-channel.ts'
import { type GrpcStatus, grpcRefusal, lengthRefused } from './grpc-refusal.ts'
import type { RequestEnd } from './load-limit.ts'
import { NodeError } from './node-error.ts'
import type { CallOutcome } from './node-http.ts'
import type { TokenBucket, Turn } from './token-bucket.ts'

/** gRPC to one address of a node. An answer is read from its message's bytes; everything else is a NodeError. */
export interface NodeGrpc {
  /**
   * Makes a call.
   * @param method such as `/protocol.Wallet/GetNowBlock2`.
   * @param options.read reads the message. It keeps no part of it.
   * @param options.turn when it is made, of the calls that wait.
   */
  call<T>(
    method: string,
    request: Buffer,
    options: { turn?: Turn | undefined; read: (message: Buffer) => T },
  ): Promise<T>
  /** Closes the connections. Calls in flight fail. */
  close(): void
}

/** As over HTTP: only an answer that is not a block reaches it. */
const messageMaxDefaultBytes = 64 * 1024 * 1024
/**
 * Five times a busy block. grpc-js shows a message only when it is whole, so a call takes this much of the memory for answers
 * before it is made. If the message is longer, it is refused by its length and asked for again.
 */
const usualBytes = 1024 * 1024
/** Of a message that came compressed, whose length is not known. */
const unpackedMaxBytes = 16 * 1024 * 1024

/**
 * Opens a connection to a node at the first call.
 * @param options.url `grpc://host:port`, or `grpcs://` for TLS.
 * @param options.deadlineMs for a whole call, not counting the wait for its turn, unless the bucket says otherwise.
 * @param options.bodyMaxBytes of a message.
 * @param options.share of the memory for answers; without it, as much as a single node may have.
 * @param options.onCall called at the end of every request.
 */
export function createNodeGrpc(options: {
  url: string
  apiKey?: string | undefined
  deadlineMs: number
  bodyMaxBytes?: number | undefined
  share?: AnswerShare | undefined
  bucket?: TokenBucket | undefined
  onCall?: ((outcome: CallOutcome) => void) | undefined
}): NodeGrpc {
  const { url } = options
  const secrets = byLength(options.apiKey === undefined ? [] : [options.apiKey])
  const headers = requestMetadata(url, options.apiKey)
  const share = options.share ?? createAnswerBudget().share()
  const maxBytes = options.bodyMaxBytes ?? messageMaxDefaultBytes
  const usualMaxBytes = Math.min(usualBytes, maxBytes)
  const closing = new AbortController()
  // Every call in flight listens to it.
  setMaxListeners(0, closing.signal)
  const { signal } = closing
  let usual: GrpcChannel | null = null

  const hangUp = (channel: GrpcChannel) => {
    if (usual === channel) usual = null
    channel.hangUp()
  }
  const lengthOf = (outcome: GrpcStatus, deadlineMs: number) => {
    const length = lengthRefused(outcome)
    if (length !== undefined) return { length }
    throw signal.aborted ? closedError() : grpcRefusal(outcome, { deadlineMs, secrets })
  }
  /** Waits for a call's turn and makes it. A message longer than `bytes` is an outcome: its length. */
  const inTurn = async <T>(
    channel: GrpcChannel,
    { method, request, read, turn, bytes }: Asked<T>,
  ): Promise<{ value: T } | { length: number | 'unknown' }> => {
    const release = await options.bucket?.take({ turn })
    const deadlineMs = options.bucket?.deadlineMs ?? options.deadlineMs
    let end: RequestEnd = 'failed'
    let held = false
    try {
      if (signal.aborted) throw closedError()
      held = share.take(bytes)
      if (!held) {
        throw new NodeError(
          'failed',
          `its answers together take too much memory (${bytes} bytes for this one)`,
        )
      }
      const outcome = await channel.call({ method, request, headers, deadlineMs, signal })
      const result = 'message' in outcome ? { value: read(outcome.message) } : lengthOf(outcome, deadlineMs)
      options.onCall?.('answered')
      end = 'answered'
      return result
    } catch (error) {
      options.onCall?.(error instanceof NodeError ? error.kind : 'failed')
      // The connection may be dead: the next call dials again, as over HTTP.
      if (error instanceof NodeError && error.timedOut) {
        end = 'timed out'
        hangUp(channel)
      }
      throw error
    } finally {
      if (held) share.give(bytes)
      // Deferred until the caller has recorded the outcome: no other request may go out to a node that just failed.
      if (release) setImmediate(release, end)
    }
  }

  return {
    async call(method, request, { turn, read }) {
      usual ??= openGrpcChannel(url, usualMaxBytes)
      const first = await inTurn(usual, { method, request, read, turn, bytes: usualMaxBytes })
      if ('value' in first) return first.value
      const bytes = first.length === 'unknown' ? Math.min(unpackedMaxBytes, maxBytes) : first.length
      if (bytes > maxBytes) throw tooLong(maxBytes)
      // On a connection that takes a message of this length and none longer.
      const wide = openGrpcChannel(url, bytes)
      try {
        const second = await inTurn(wide, {
          method,
          request,
          read,
          turn: turn === 'display' ? turn : 'ahead',
          bytes,
        })
        if ('value' in second) return second.value
        throw tooLong(bytes)
      } finally {
        hangUp(wide)
      }
    },
    close() {
      closing.abort()
      usual?.hangUp()
    },
  }
}

interface Asked<T> {
  method: string
  request: Buffer
  read: (message: Buffer) => T
  turn: Turn | undefined
  bytes: number
}

/**
 * Builds the metadata. Only hosts of TronGrid get its key: no other node, and no host with a similar name. They get it without
 * TLS too, since an operator who writes `grpc://` for TronGrid has chosen that (docs/nodes.md says what it means).
 */
export function requestMetadata(url: string, apiKey: string | undefined): Record<string, string> {
  const isTronGrid = /(^|\.)trongrid\.io$/i.test(new URL(url).hostname)
  return apiKey !== undefined && isTronGrid ? { 'TRON-PRO-API-KEY': apiKey } : {}
}

function closedError(): NodeError {
  return new NodeError('failed', 'the node was closed')
}

function tooLong(maxBytes: number): NodeError {
  return new NodeError('failed', `its answer is longer than ${maxBytes} bytes`)
}
