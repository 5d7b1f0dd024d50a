import { isUtf8 } from 'node:buffer'
import type { Agent, Dispatcher } from 'undici'
import { sendDeadlineMs } from '../leasing/courier-tuning.ts'
import type { FailureKind } from '../outbox/callback.ts'
import { failureKind } from './failure-kind.ts'
import { isAcknowledgement, type Wanted } from './is-acknowledgement.ts'
import { plainAnswer } from './plain-answer.ts'
import { redactAnswer, searchedBeyond } from './redact-answer.ts'
import { parseRetryAfter } from './retry-schedule.ts'

/** The most that is read of an answer: enough to find an acknowledgement word, little enough to hold for every slot. */
const readBytesMax = 64 * 1024

/** The most interim answers (1xx) per attempt. A stream of them would keep a CPU busy until the deadline. */
const interimMax = 32

/** The most that is stored of an answer. */
const keptBytes = 2 * 1024

export interface OutgoingCallback {
  url: string
  contentType: string
  body: string
  /** Sent as Idempotency-Key. */
  key: string
  webhookHeaders: Readonly<Record<string, string>>
  /** What an answer has to be, of which the first 64 KiB count. */
  wanted: Wanted
  /** Hidden in what is kept of the answer. */
  secrets?: readonly string[]
}

/** How one attempt ended. `answer`: the first 2 KiB, as text. `durationMs`: whole milliseconds. */
export type SendOutcome =
  | { kind: 'acknowledged'; status: number; durationMs: number; answer: string }
  | { kind: 'refused'; status: number; durationMs: number; answer: string; retryAfterMs?: number }
  | { kind: 'failed'; failure: FailureKind; reason: string; durationMs: number; status?: number }

/**
 * Makes one attempt: one POST, no redirect followed, everything within the deadline. Nothing that the endpoint does makes it
 * throw. Of an answer longer than 64 KiB, the first 64 KiB count. An answer that breaks off or is cut by the deadline is a
 * failure whatever its status: the endpoint may have crashed meanwhile.
 * @param agent from `createGuardedAgent`.
 * @param deadlineMs 10 s for deliveries, less for testcallback, whose caller waits.
 */
export async function sendCallback(
  agent: Agent,
  callback: OutgoingCallback,
  deadlineMs: number = sendDeadlineMs,
): Promise<SendOutcome> {
  const startedAt = performance.now()
  const { status, body: received, encoding, retryAfter, error } = await exchange(agent, callback, deadlineMs)
  const durationMs = Math.round(performance.now() - startedAt)
  if (error !== undefined || status === undefined) {
    return { kind: 'failed', ...failureKind(error), durationMs, ...(status !== undefined && { status }) }
  }
  const body = plainAnswer(received, encoding, readBytesMax)
  const answer = { status, durationMs, answer: keptAnswer(body, callback.secrets ?? []) }
  if (isAcknowledgement(status, body, callback.wanted)) return { kind: 'acknowledged', ...answer }
  const retryAfterMs = parseRetryAfter(retryAfter, new Date())
  return { kind: 'refused', ...answer, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

/** An answer, with at most 64 KiB of its body. With an error it is incomplete, or there was none. */
interface Exchange {
  status: number | undefined
  retryAfter: string | undefined
  /** Its content-encoding. */
  encoding: string | undefined
  body: Buffer
  error: unknown
}

/**
 * Sends the request and reads the answer, under one timer. undici's own timeouts restart with every byte that arrives, and do
 * not run while it waits for a connection. `dispatch` and not `request`: the stream and the abort signal that `request` needs
 * would be a fifth of an attempt's cost.
 */
function exchange(agent: Agent, callback: OutgoingCallback, deadlineMs: number): Promise<Exchange> {
  return new Promise(resolve => {
    const result: Exchange = {
      status: undefined,
      retryAfter: undefined,
      encoding: undefined,
      body: nothing,
      error: undefined,
    }
    const chunks: Buffer[] = []
    let bytes = 0
    let interim = 0
    let over = false
    let sending: Dispatcher.DispatchController | undefined
    const finish = (error?: unknown) => {
      if (over) return
      over = true
      clearTimeout(timer)
      result.body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      result.error = error
      resolve(result)
    }
    /** Ends the attempt and closes its connection. */
    const cut = (error?: Error) => {
      finish(error)
      sending?.abort(cutOff)
    }
    const timer = setTimeout(() => cut(new DeadlinePassed(deadlineMs)), deadlineMs)
    agent.dispatch(requestOf(callback), {
      onRequestStart: controller => {
        sending = controller
        // The connection came after the deadline: nothing is sent on it.
        if (over) controller.abort(cutOff)
      },
      onResponseStart: (_, status, headers) => {
        if (status < 200) {
          if (++interim > interimMax) cut(new InterimFlood(`more than ${interimMax} interim answers`))
          return
        }
        result.status = status
        result.retryAfter = headerText(headers['retry-after'])
        result.encoding = headerText(headers['content-encoding'])
      },
      onResponseData: (_, chunk) => {
        if (bytes < readBytesMax) chunks.push(chunk.subarray(0, readBytesMax - bytes))
        bytes += chunk.length
        if (bytes >= readBytesMax) cut()
      },
      onResponseEnd: () => finish(),
      onResponseError: (_, error) => finish(error),
    })
  })
}

const nothing = Buffer.alloc(0)

/** undici wants an error to abort with. Nothing reads it: the promise is resolved by then. */
const cutOff = new Error('the attempt is over')

class InterimFlood extends Error {
  readonly code = 'INTERIM_FLOOD'
}

/** `failureKind` classifies it by its code. */
class DeadlinePassed extends Error {
  readonly code = 'ETIMEDOUT'

  constructor(deadlineMs: number) {
    super(`no complete answer within ${deadlineMs} ms`)
  }
}

function requestOf(callback: OutgoingCallback): Dispatcher.DispatchOptions {
  const { origin, pathname, search } = new URL(callback.url)
  return {
    origin,
    path: pathname + search,
    method: 'POST',
    headers: headersOf(callback),
    body: callback.body,
    headersTimeout: 0,
    bodyTimeout: 0,
  }
}

/** The headers of a callback. HTTP adds its own. */
export function headersOf(callback: OutgoingCallback): Record<string, string> {
  return {
    // Firewalls with the OWASP core rules refuse requests without it.
    accept: '*/*',
    'content-type': callback.contentType,
    'user-agent': 'recharge-gateway',
    'idempotency-key': callback.key,
    ...callback.webhookHeaders,
  }
}

/** Turns any body into text that Postgres accepts: valid UTF-8 without NUL and without our secrets, at most 2 KiB. */
function keptAnswer(body: Buffer, secrets: readonly string[]): string {
  if (body.length <= keptBytes && isUtf8(body) && !body.includes(0))
    return fitted(redactAnswer(body.toString(), secrets))
  const text = new TextDecoder()
    .decode(body.subarray(0, keptBytes + searchedBeyond), { stream: true })
    .replaceAll('\0', '\ufffd')
  return fitted(redactAnswer(text, secrets))
}

function fitted(text: string): string {
  // A character has at most three bytes of UTF-8 for each of its units.
  if (text.length * 3 <= keptBytes) return text
  // A replacement character is longer than the byte it replaces.
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(keptBytes))
  return text.slice(0, read)
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
