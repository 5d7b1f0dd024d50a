import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/** A request as a merchant received it. */
export interface ReceivedCallback {
  path: string
  method: string
  headers: IncomingHttpHeaders
  /** The exact bytes, as text. */
  body: string
  at: number
}

/** How a merchant answers. */
export type Answer =
  | {
      status: number
      body?: string | Buffer
      headers?: Record<string, string>
      delayMs?: number
      /** Not before this has resolved. */
      after?: Promise<void>
    }
  /** Nothing at all; with a status, nothing after the headers. */
  | { hang: true; status?: number }
  /** One byte now and then, for ever. */
  | { drip: true; status: number; everyMs: number }
  /** As much as the other side takes. */
  | { endless: true; status: number }
  /** The connection broken off, before or in the middle of an answer. */
  | { reset: true; status?: number }
  /** These bytes, whatever they are. */
  | { raw: string | Buffer }

export interface MerchantEndpoint {
  /** With a trailing path: http://127.0.0.1:port/callback */
  url: string
  port: number
  requests: ReceivedCallback[]
  /** Requests being answered now, and the most there have been at once. */
  inFlight: number
  inFlightMax: number
  /** How it answers from now on; a function is asked for each request. */
  answer: Answer | ((request: ReceivedCallback, nth: number) => Answer)
  /** Breaks off what is in flight. It goes on listening. */
  dropConnections(): void
  close(): Promise<void>
}

/** A merchant's server: real HTTP, on a port of its own, closed when the file (or suite) is done. */
export async function startMerchantEndpoint(answer?: MerchantEndpoint['answer']): Promise<MerchantEndpoint> {
  const endpoint = await openMerchantEndpoint(answer)
  after(endpoint.close)
  return endpoint
}

/** The same, closed by whoever opened it. */
export async function openMerchantEndpoint(
  answer: MerchantEndpoint['answer'] = { status: 200, body: 'success' },
): Promise<MerchantEndpoint> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    endpoint.inFlight++
    endpoint.inFlightMax = Math.max(endpoint.inFlightMax, endpoint.inFlight)
    response.once('close', () => endpoint.inFlight--)
    request.on('data', chunk => chunks.push(chunk))
    request.on('error', () => undefined) // The other side may leave whenever it likes.
    request.on('end', () => {
      const received = receive(request, Buffer.concat(chunks).toString())
      endpoint.requests.push(received)
      const chosen =
        typeof endpoint.answer === 'function'
          ? endpoint.answer(received, endpoint.requests.length)
          : endpoint.answer
      give(chosen, response)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const endpoint: MerchantEndpoint = {
    url: `http://127.0.0.1:${port}/callback`,
    port,
    requests: [],
    inFlight: 0,
    inFlightMax: 0,
    answer,
    dropConnections: () => server.closeAllConnections(),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return endpoint
}

function receive(request: IncomingMessage, body: string): ReceivedCallback {
  return { path: request.url!, method: request.method!, headers: request.headers, body, at: Date.now() }
}

function give(answer: Answer, response: ServerResponse): void {
  const { socket } = response
  if ('raw' in answer) socket?.end(answer.raw)
  else if ('hang' in answer) {
    if (answer.status) response.writeHead(answer.status, { 'content-length': '10' }).flushHeaders()
  } else if ('reset' in answer) {
    if (!answer.status) socket?.resetAndDestroy()
    else {
      response.writeHead(answer.status, { 'content-length': '10' })
      response.write('12345', () => setImmediate(() => socket?.resetAndDestroy()))
    }
  } else if ('drip' in answer) {
    response.writeHead(answer.status)
    const timer = setInterval(() => response.write('.'), answer.everyMs)
    response.once('close', () => clearInterval(timer))
  } else if ('endless' in answer) {
    response.writeHead(answer.status)
    pour(response)
  } else {
    const reply = () => response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
    if (answer.after) void answer.after.then(reply)
    else if (answer.delayMs) setTimeout(reply, answer.delayMs)
    else reply()
  }
}

const bucket = Buffer.alloc(64 * 1024, 'x')

function pour(response: ServerResponse): void {
  if (response.destroyed) return
  if (response.write(bucket)) setImmediate(pour, response)
  else response.once('drain', () => pour(response))
}
