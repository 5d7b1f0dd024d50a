import { isUtf8 } from 'node:buffer'
import type { Agent, Dispatcher } from 'undici'
import { type FailureKind, failureKind } from './failure-kind.ts'
import { parseRetryAfter } from './retry-schedule.ts'

/** From the first DNS question to the answer's last byte. */
export const sendDeadlineMs = 10_000

/** What is read of an answer at the most: enough to find an acknowledgement word, harmless to hold 256 times. */
const readBytesMax = 64 * 1024

/** Interim answers (1xx) put up with: a stream of them would keep a processor busy until the deadline. */
const interimMax = 32

/** What is kept of an answer. */
const keptBytes = 2 * 1024

export interface OutgoingCallback {
  url: string
  contentType: string
  body: string
  /** Sent as Idempotency-Key. */
  key: string
  webhookHeaders: Readonly<Record<string, string>>
  /** When set, a 2xx acknowledges only if the first 64 KiB of its body contain this word. */
  acknowledgement: string | null
}

/** What came of one attempt. `answer`: the first 2 KiB, as text; durationMs in whole milliseconds. */
export type SendOutcome =
  | { kind: 'acknowledged'; status: number; durationMs: number; answer: string }
  | { kind: 'refused'; status: number; durationMs: number; answer: string; retryAfterMs?: number }
  | { kind: 'failed'; failure: FailureKind; reason: string; durationMs: number; status?: number }

/**
 * Makes one attempt: one POST, no redirect followed, everything within the deadline. Nothing that the endpoint does
 * makes it throw. An answer longer than 64 KiB is judged by what was read of it; one that breaks off, or that the
 * deadline cuts, is a failure whatever its status: the endpoint may have died on the way.
 * @param agent from `createGuardedAgent`.
 * @param deadlineMs 10 s for deliveries, less for a merchant who waits for the result of a test.
 */
export async function sendCallback(
  agent: Agent,
  callback: OutgoingCallback,
  deadlineMs: number = sendDeadlineMs,
): Promise<SendOutcome> {
  const startedAt = performance.now()
  const durationMs = () => Math.round(performance.now() - startedAt)
  const cut = cutAfter(deadlineMs)
  let status: number | undefined
  try {
    const response = await Promise.race([post(agent, callback, cut.signal), cut.rejected])
    status = response.statusCode
    const body = await Promise.race([readBody(response.body), cut.rejected])
    const answer = { status, durationMs: durationMs(), answer: keptAnswer(body) }
    if (acknowledges(status, body, callback.acknowledgement)) return { kind: 'acknowledged', ...answer }
    const retryAfterMs = parseRetryAfter(headerText(response.headers['retry-after']), new Date())
    return { kind: 'refused', ...answer, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  } catch (error) {
    const { failure, reason } = cut.signal.aborted
      ? { failure: 'timeout' as const, reason: `no complete answer within ${deadlineMs} ms` }
      : failureKind(error)
    const known = status === undefined ? {} : { status }
    return { kind: 'failed', failure, reason, durationMs: durationMs(), ...known }
  } finally {
    cut.cancel()
  }
}

/**
 * One clock for all of an attempt: undici's own timeouts begin anew with every byte of a drip, and its signal is not
 * heard while it connects. Cancelled when the attempt is over, so that none leaves a timer behind.
 */
function cutAfter(ms: number): { signal: AbortSignal; rejected: Promise<never>; cancel(): void } {
  const controller = new AbortController()
  const { signal } = controller
  const rejected = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  const timer = setTimeout(() => controller.abort(), ms)
  return { signal, rejected, cancel: () => clearTimeout(timer) }
}

class InterimFlood extends Error {
  readonly code = 'INTERIM_FLOOD'
}

function post(
  agent: Agent,
  callback: OutgoingCallback,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(callback.url)
  let interim = 0
  return agent.request({
    origin,
    path: pathname + search,
    method: 'POST',
    headers: {
      'content-type': callback.contentType,
      'user-agent': 'recharge-gateway',
      'idempotency-key': callback.key,
      ...callback.webhookHeaders,
    },
    body: callback.body,
    signal,
    // Throwing here breaks the connection off.
    onInfo: () => {
      if (++interim > interimMax) throw new InterimFlood(`more than ${interimMax} interim answers`)
    },
    // The signal is the only clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

/** Reads at most 64 KiB; the rest is not waited for, and its connection is closed. */
async function readBody(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= readBytesMax) break
  }
  return Buffer.concat(chunks).subarray(0, readBytesMax)
}

function acknowledges(status: number, body: Buffer, word: string | null): boolean {
  return status >= 200 && status <= 299 && (word === null || body.includes(word))
}

/** Text that Postgres takes, whatever was sent: no NUL, valid UTF-8, and still no more than 2 KiB. */
function keptAnswer(body: Buffer): string {
  if (body.length <= keptBytes && isUtf8(body) && !body.includes(0)) return body.toString()
  const text = new TextDecoder()
    .decode(body.subarray(0, keptBytes), { stream: true })
    .replaceAll('\0', '\ufffd')
  // A replacement character is longer than the byte it stands for.
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(keptBytes))
  return text.slice(0, read)
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
