import { Agent, request } from 'undici'
import { printableError } from '../base/printable-error.ts'

/** Everything of one request: name, connection, answer. */
const deadlineMs = 10_000
/** Of an answer the status counts. What is read of it only keeps the connection usable. */
const readBytesMax = 64 * 1024

/** How a request ended. `reason`: without the URL, which may hold a token. */
export type Sent = { ok: true } | Unsent
export interface Unsent {
  ok: false
  reason: string
  retryAfterS: number | null
}

/** Sends to the operator's own URLs. */
export interface Sender {
  /** POSTs a body. No redirect is followed. Never throws. */
  post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<Sent>
  /** GETs a URL. Never throws. */
  get(url: string): Promise<Sent>
  close(): Promise<void>
}

/**
 * Opens a sender. The guard of callbacks is not used: the operator who sets these URLs also sets those of the nodes and the
 * database, and a receiver of alarms is often on a private network. Merchants have no part in them.
 */
export function openSender(): Sender {
  const agent = new Agent({
    connectTimeout: deadlineMs,
    headersTimeout: deadlineMs,
    bodyTimeout: deadlineMs,
    connections: 4,
  })
  const send = async (url: string, options: object): Promise<Sent> => {
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      const { statusCode, headers, body } = await request(url, { ...options, dispatcher: agent, signal })
      await body.dump({ limit: readBytesMax, signal }).catch(() => undefined) // The status has said how it went.
      if (statusCode >= 200 && statusCode < 300) return { ok: true }
      const after = Number.parseInt(String(headers['retry-after'] ?? ''), 10)
      return {
        ok: false,
        reason: `status ${statusCode}`,
        retryAfterS: Number.isSafeInteger(after) && after >= 0 ? after : null,
      }
    } catch (error) {
      if (signal.aborted) return { ok: false, reason: `no answer within ${deadlineMs} ms`, retryAfterS: null }
      return { ok: false, reason: reasonOf(error), retryAfterS: null }
    }
  }
  return {
    post: (url, body, headers) =>
      send(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'user-agent': 'recharge-gateway', ...headers },
      }),
    get: url => send(url, { method: 'GET', headers: { 'user-agent': 'recharge-gateway' } }),
    close: () => agent.destroy(),
  }
}

/** The kind of failure alone: messages of libraries quote URLs. */
function reasonOf(error: unknown): string {
  const { code, type } = printableError(error) as { code?: unknown; type?: unknown }
  return String(code ?? type ?? 'failed')
}
