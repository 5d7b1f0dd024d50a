import { Agent } from 'undici'
import { byLength, hideIn, isUnmistakable, secretsOfUrl } from '../../base/hide-secrets.ts'
import { type AnswerBody, firstOf, readAnswerBody } from './answer-body.ts'
import { type AnswerShare, createAnswerBudget } from './answer-budget.ts'
import type { RequestEnd } from './load-limit.ts'
import { NodeError } from './node-error.ts'
import { readAnswer } from './node-refusal.ts'
import type { TokenBucket, Turn } from './token-bucket.ts'

/** HTTP to one node, or to a provider in front of many. An answer is parsed JSON; everything else is a NodeError. */
export interface NodeHttp {
  /** @param options.read as for `readAnswer`. */
  post(
    url: URL,
    body: object,
    options?: { turn?: Turn | undefined; read?: ((body: Buffer) => unknown) | undefined },
  ): Promise<unknown>
  get(url: URL): Promise<unknown>
  /** Closes the connections. Calls in flight fail. */
  close(): Promise<void>
}

/** How a request ended. */
export type CallOutcome = 'answered' | 'later' | 'failed'

/** A hundred times a busy block: only an answer that is not a block reaches it. */
const bodyMaxDefaultBytes = 64 * 1024 * 1024

/**
 * Opens connections to a node as calls need them.
 * @param options.deadlineMs for a whole call, from the dial to the last byte, not counting the wait for its turn, unless the
 * bucket says otherwise.
 * @param options.bodyMaxBytes of an answer, both as it comes and decompressed.
 * @param options.baseUrls of the node: what in them may be a key is hidden wherever the node repeats it.
 * @param options.share of the memory for answers; without it, as much as a single node may have.
 * @param options.onCall called at the end of every request.
 */
export function createNodeHttp(options: {
  baseUrls: readonly string[]
  apiKey?: string | undefined
  deadlineMs: number
  bodyMaxBytes?: number | undefined
  share?: AnswerShare | undefined
  bucket?: TokenBucket | undefined
  onCall?: ((outcome: CallOutcome) => void) | undefined
}): NodeHttp {
  const bodyMaxBytes = options.bodyMaxBytes ?? bodyMaxDefaultBytes
  const secrets = byLength([
    ...options.baseUrls.flatMap(url => secretsOfUrl(new URL(url))),
    ...(options.apiKey === undefined ? [] : [options.apiKey]),
  ])
  const unmistakable = secrets.filter(isUnmistakable)
  // undici's headersTimeout and bodyTimeout restart with every byte, so only the signal below bounds a call.
  const share = options.share ?? createAnswerBudget().share()
  const openAgent = () =>
    new Agent({ maxResponseSize: bodyMaxBytes, connect: { timeout: options.deadlineMs } })
  let agent = openAgent()
  /** They take no more calls. Those in flight go on to their end. */
  const retired = new Set<Agent>()
  const retire = (old: Agent) => {
    if (old !== agent) return
    agent = openAgent()
    retired.add(old)
    old.close().then(
      () => retired.delete(old),
      () => undefined, // It was destroyed meanwhile.
    )
  }

  const ask = async (
    url: URL,
    request: { method: 'GET' | 'POST'; body?: string },
    { turn, read }: { turn?: Turn | undefined; read?: ((body: Buffer) => unknown) | undefined } = {},
  ) => {
    const release = await options.bucket?.take({ turn })
    const deadlineMs = options.bucket?.deadlineMs ?? options.deadlineMs
    const deadline = AbortSignal.timeout(deadlineMs)
    let end: RequestEnd = 'failed'
    let answered: AnswerBody | undefined
    const asked = agent
    try {
      const response = await asked.request({
        origin: url.origin,
        path: url.pathname + url.search,
        headers: requestHeaders(url, options.apiKey),
        ...request,
        signal: deadline,
      })
      const retryAfter = firstOf(response.headers['retry-after'])
      answered = await readAnswerBody(response, bodyMaxBytes, share)
      const body = hideInBody(answered.bytes, unmistakable)
      const answer = readAnswer({ status: response.statusCode, retryAfter, body, secrets }, read)
      options.onCall?.('answered')
      end = 'answered'
      return answer
    } catch (error) {
      options.onCall?.(error instanceof NodeError ? error.kind : 'failed')
      if (!deadline.aborted) throw error
      end = 'timed out'
      // Its connection may be dead, and then so are all that were open with it: the next call dials again, as over gRPC.
      retire(asked)
      throw new NodeError('failed', `timed out after ${deadlineMs} ms`, {
        timedOut: true,
        cause: error,
      })
    } finally {
      answered?.release()
      // Deferred until the caller has recorded the outcome: no other request may go out to a node that just failed.
      if (release) setImmediate(release, end)
    }
  }
  return {
    post: (url, body, asked) => ask(url, { method: 'POST', body: JSON.stringify(body) }, asked),
    get: url => ask(url, { method: 'GET' }),
    close: async () => {
      await Promise.all([agent, ...retired].map(one => one.destroy()))
    },
  }
}

/** Builds the headers. Only hosts of TronGrid get its key: no other node, and no host with a similar name. */
export function requestHeaders(url: URL, apiKey: string | undefined): Record<string, string> {
  // Blocks are mostly hex: gzip makes them a fifth.
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    'accept-encoding': 'gzip',
  }
  const isTronGrid = url.protocol === 'https:' && /(^|\.)trongrid\.io$/.test(url.hostname)
  return apiKey !== undefined && isTronGrid ? { ...headers, 'TRON-PRO-API-KEY': apiKey } : headers
}

/** Joins a path to a base URL, which may have a path itself. */
export function endpoint(baseUrl: string, path: string): URL {
  const url = new URL(baseUrl)
  url.pathname = url.pathname.replace(/\/+$/, '') + path
  return url
}

/**
 * Replaces what a node repeats of the keys in its URL, before anything is read of its answer: whatever is quoted of it later,
 * and however it is cut, holds no part of a key.
 */
function hideInBody(body: Buffer, secrets: readonly string[]): Buffer {
  return secrets.some(secret => body.includes(secret)) ? Buffer.from(hideIn(body.toString(), secrets)) : body
}
