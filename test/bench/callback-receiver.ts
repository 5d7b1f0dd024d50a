import { createServer, type Server, type Socket } from 'node:net'
import type { Merchant } from '../../src/merchants/merchant.ts'
import type { ReceivedCallback } from '../support/merchant-endpoint.ts'
import { verifyCallback } from '../support/verify-callback.ts'
import { sharedClockMs } from './child-process.ts'

// A child process of the bench: the endpoints of as many merchants as asked for, a port each; the last ones listed as
// hanging accept and never answer, or answer after a while when one is given. It keeps what comes and answers at once: what it spends is missing on the side that is
// measured, so everything is looked at afterwards.

interface Arrival {
  port: number
  at: number
  /** Head and body as they came. */
  bytes: Buffer
}

const reply = Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 7\r\n\r\nsuccess')
const [endpoints, hanging, answerAfterMs = 0] = process.argv.slice(2).map(Number) as [number, number, number?]
let arrivals: Arrival[] = []
let waiting: { count: number; tell: () => void } | undefined

const servers = await Promise.all(
  Array.from({ length: endpoints }, (_, i) =>
    listen(i < endpoints - hanging ? serve : answerAfterMs > 0 ? serveSlowly : swallow),
  ),
)
process.on(
  'message',
  async (question: { kind: string; count?: number; merchants?: Map<number, Merchant> }) => {
    process.send!(await answer(question))
  },
)
process.send!({ ports: servers.map(portOf) })

async function answer(question: { kind: string; count?: number; merchants?: Map<number, Merchant> }) {
  switch (question.kind) {
    case 'forget':
      arrivals = []
      return {}
    case 'expect':
      await new Promise<void>(resolve => {
        waiting = { count: question.count!, tell: resolve }
        tellWhenReached()
      })
      return { firstAt: arrivals[0]!.at, lastAt: arrivals[question.count! - 1]!.at }
    case 'arrivals':
      return arrivals.map(({ port, at, bytes }) => ({ port, at, key: keyOf(bytes) }))
    case 'verify':
      return verify(question.merchants!)
    default:
      throw new Error(`no such question: ${question.kind}`)
  }
}

function tellWhenReached(): void {
  if (!waiting || arrivals.length < waiting.count) return
  waiting.tell()
  waiting = undefined
}

async function listen(handle: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, handle)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', 1024, resolve))
  return server
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port
}

function swallow(socket: Socket): void {
  socket.on('error', () => undefined) // The other side leaves at its deadline.
  socket.resume()
}

/** Answers, and keeps nothing of what came. */
function serveSlowly(socket: Socket): void {
  socket.on('error', () => undefined)
  socket.on('data', () => setTimeout(() => socket.write(reply), answerAfterMs))
}

function serve(socket: Socket): void {
  let pending: Buffer | undefined
  socket.on('error', () => undefined) // A courier that is stopped leaves as it likes.
  socket.on('data', chunk => {
    const bytes = pending ? Buffer.concat([pending, chunk]) : chunk
    const end = requestEnd(bytes)
    // One request in flight on a connection, so that what has come is one request or the beginning of one.
    pending = bytes.length < end ? bytes : undefined
    if (pending) return
    arrivals.push({ port: socket.localPort!, at: sharedClockMs(), bytes })
    socket.write(reply)
    tellWhenReached()
  })
}

/** Where the request ends that begins here; infinity while its head is not complete. */
function requestEnd(bytes: Buffer): number {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return Number.POSITIVE_INFINITY
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString('latin1', 0, headEnd))
  return headEnd + 4 + Number(length?.[1] ?? 0)
}

/** Each verified as its merchant would, and each key once. @throws when one is not what it should be. */
function verify(merchants: Map<number, Merchant>): { checked: number; keys: number } {
  const keys = new Set<string>()
  for (const { port, bytes } of arrivals) {
    const request = parse(bytes)
    const fields = verifyCallback(request, merchants.get(port)!)
    if (fields.appid !== merchants.get(port)!.appid) throw new Error('a callback came to the wrong merchant')
    keys.add(request.headers['idempotency-key'] as string)
  }
  return { checked: arrivals.length, keys: keys.size }
}

function parse(bytes: Buffer): ReceivedCallback {
  const headEnd = bytes.indexOf('\r\n\r\n')
  const [first, ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const [method, path] = first!.split(' ')
  const headers = Object.fromEntries(
    lines.map(line => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  return { method: method!, path: path!, headers, body: bytes.subarray(headEnd + 4).toString(), at: 0 }
}

function keyOf(bytes: Buffer): string {
  return /\r\nidempotency-key: (\S+)/i.exec(bytes.toString('latin1'))?.[1] ?? ''
}
