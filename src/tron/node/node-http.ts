import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Agent, type Dispatcher } from 'undici'
import { NodeError } from './node-error.ts'
import { readAnswer } from './node-refusal.ts'
import type { TokenBucket } from './token-bucket.ts'

/** Asks one node, or the provider in front of many. Answers are parsed JSON; everything else is a NodeError. */
export interface NodeHttp {
  /** @param options.read as `readAnswer` says. */
  post(
    url: URL,
    body: object,
    options?: { ahead?: boolean; read?: ((body: Buffer) => unknown) | undefined },
  ): Promise<unknown>
  get(url: URL): Promise<unknown>
  /** Drops the connections; calls in hand fail. */
  close(): Promise<void>
}

/** How a request ended. */
export type CallOutcome = 'answered' | 'later' | 'failed'

/** Some hundred times a busy block: reached only by what is no block. */
const bodyMaxDefaultBytes = 64 * 1024 * 1024
const unzip = promisify(gunzip)

/**
 * @param options.deadlineMs for a whole call, from the dial to the last byte, not counting the wait for its turn.
 * @param options.bodyMaxBytes of an answer, as it comes and unpacked.
 * @param options.onCall told of every request's end.
 */
export function createNodeHttp(options: {
  apiKey?: string | undefined
  deadlineMs: number
  bodyMaxBytes?: number | undefined
  bucket?: TokenBucket | undefined
  onCall?: ((outcome: CallOutcome) => void) | undefined
}): NodeHttp {
  const bodyMaxBytes = options.bodyMaxBytes ?? bodyMaxDefaultBytes
  // headersTimeout and bodyTimeout begin anew with every byte: only the signal below bounds a call.
  const agent = new Agent({ maxResponseSize: bodyMaxBytes, connect: { timeout: options.deadlineMs } })

  const ask = async (
    url: URL,
    request: { method: 'GET' | 'POST'; body?: string },
    { ahead = false, read }: { ahead?: boolean; read?: ((body: Buffer) => unknown) | undefined } = {},
  ) => {
    const release = await options.bucket?.take({ ahead })
    const deadline = AbortSignal.timeout(options.deadlineMs)
    try {
      const response = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        headers: requestHeaders(url, options.apiKey),
        ...request,
        signal: deadline,
      })
      const retryAfter = firstOf(response.headers['retry-after'])
      const body = await readBody(response, bodyMaxBytes)
      const answer = readAnswer({ status: response.statusCode, retryAfter, body }, read)
      options.onCall?.('answered')
      return answer
    } catch (error) {
      options.onCall?.(error instanceof NodeError ? error.kind : 'failed')
      if (!deadline.aborted) throw error
      throw new NodeError('failed', `timed out after ${options.deadlineMs} ms`, {
        timedOut: true,
        cause: error,
      })
    } finally {
      // Not before whoever asked has drawn the consequences: nobody else may be let through to a node that just failed.
      if (release) setImmediate(release)
    }
  }
  return {
    post: (url, body, asked) => ask(url, { method: 'POST', body: JSON.stringify(body) }, asked),
    get: url => ask(url, { method: 'GET' }),
    close: () => agent.destroy(),
  }
}

/** The key belongs to TronGrid: neither another node nor a host that only looks like theirs may see it. */
export function requestHeaders(url: URL, apiKey: string | undefined): Record<string, string> {
  // Blocks are hex, twice over: packed they are a fifth.
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    'accept-encoding': 'gzip',
  }
  const isTronGrid = url.protocol === 'https:' && /(^|\.)trongrid\.io$/.test(url.hostname)
  return apiKey !== undefined && isTronGrid ? { ...headers, 'TRON-PRO-API-KEY': apiKey } : headers
}

/** The URL of a path under a base URL, which may have a path of its own. */
export function endpoint(baseUrl: string, path: string): URL {
  const url = new URL(baseUrl)
  url.pathname = url.pathname.replace(/\/+$/, '') + path
  return url
}

/** Unpacked here and not by undici, whose decompressing is an experiment: zlib stops at the limit by itself. */
async function readBody(response: Dispatcher.ResponseData, bodyMaxBytes: number): Promise<Buffer> {
  const body = await response.body.arrayBuffer()
  if (firstOf(response.headers['content-encoding']) !== 'gzip') return Buffer.from(body)
  return await unzip(body, { maxOutputLength: bodyMaxBytes })
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
