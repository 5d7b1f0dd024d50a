import { createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { encodeElement, encodeProtobuf } from '../../tron/protobuf.ts'
import type { AnswerStream, Refusal } from '../faults/fault-effect.ts'
import { grpcMethods, messageOf } from './grpc-methods.ts'
import { type NodeParts, throughFaults } from './node-door.ts'

const contentType = 'application/grpc+proto'
/** In front of every message: whether it is compressed, and its length. */
const prefixBytes = 5
const requestMaxBytes = 64 * 1024
const status = { unknown: 2, unimplemented: 12, internal: 13, unavailable: 14, resourceExhausted: 8 }

/**
 * Opens java-tron's gRPC on a port of its own, without TLS. Written on HTTP/2 itself: a gRPC server cannot be told to cut its
 * answers short or to send them byte by byte.
 */
export async function openGrpcDoor(
  node: NodeParts,
  options: { host: string; port: number },
): Promise<{ grpcUrl: string; close(): Promise<void> }> {
  const server = createServer()
  const sessions = new Set<Http2Session>()
  const sockets = new Map<number, Socket>()
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket
    if (remotePort === undefined) return
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
  })
  server.on('session', session => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    // Connections are reset on purpose.
    session.on('error', () => undefined)
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    const { remotePort } = stream.session?.socket ?? {}
    const reset = () => void (remotePort && sockets.get(remotePort)?.resetAndDestroy())
    answer(node, { stream, headers, reset }).catch(error =>
      refuseCall(stream, status.internal, (error as Error).message),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { address, family, port } = server.address() as AddressInfo
  return {
    grpcUrl: `grpc://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close() {
      for (const session of sessions) session.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function answer(
  node: NodeParts,
  { stream, headers, reset }: { stream: ServerHttp2Stream; headers: IncomingHttpHeaders; reset: () => void },
): Promise<void> {
  const path = `${headers[':path']}`
  const request = await readRequest(stream)
  node.counts.count(path)
  const method = grpcMethods.get(path)
  if (!method) return refuseUnknown(stream, path)
  const { twin, surface } = method
  const question = {
    path: twin,
    surface,
    height: method.heightOf(request),
    last: method.lastOf?.(request),
  }
  const outcome = throughFaults(node, question, method.nothing, seen => method.answer(seen, request))
  if ('refusal' in outcome) {
    return outcome.refusal.isUnknown ? refuseUnknown(stream, path) : refuse(stream, outcome.refusal)
  }
  const { value } = outcome
  const message = node.kept.written(value) ?? messageOf(value as ReturnType<typeof method.answer>)
  const answers = messageStream(stream, reset)
  if (outcome.deliver) return outcome.deliver(answers, message)
  answers.begin(message.length)
  answers.write(message)
  answers.end()
}

async function readRequest(stream: ServerHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    length += part.length
    if (length > requestMaxBytes) throw new Error(`a request of more than ${requestMaxBytes} bytes`)
    parts.push(part)
  }
  const framed = Buffer.concat(parts)
  if (framed.length < prefixBytes || framed.length !== prefixBytes + framed.readUInt32BE(1)) {
    throw new Error('a request without its one message')
  }
  return framed.subarray(prefixBytes)
}

function messageStream(stream: ServerHttp2Stream, reset: () => void): AnswerStream {
  return {
    begin(bytes) {
      if (stream.destroyed) return
      stream.respond({ ':status': 200, 'content-type': contentType }, { waitForTrailers: true })
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      const prefix = Buffer.alloc(prefixBytes)
      prefix.writeUInt32BE(bytes, 1)
      stream.write(prefix)
    },
    write: part => stream.destroyed || stream.write(part),
    end: () => void stream.end(),
    onDrain: call => stream.on('drain', call),
    onClose: call => stream.once('close', call),
    reset,
    // A field that no message has.
    padding: bytes => {
      const tag = encodeElement(15_000, Buffer.alloc(0)).subarray(0, -1)
      const length = encodeProtobuf([[1, bytes]]).subarray(1)
      return { head: Buffer.concat([tag, length]), fill: 0 }
    },
  }
}

/** Refuses as java-tron does over gRPC, and as a service in front of it that speaks HTTP. */
function refuse(stream: ServerHttp2Stream, refusal: Refusal): void {
  if (refusal.type === 'text/html') {
    stream.respond({ ':status': refusal.status, 'content-type': refusal.type, ...refusal.headers })
    stream.end(refusal.body)
    return
  }
  const error =
    refusal.type === 'application/json' ? (JSON.parse(refusal.body) as { Error: string }).Error : refusal.body
  const isLimit = /allowed_rps|frequency limit|lack of computing resources/.test(error)
  const otherwise = refusal.isCrash ? status.unknown : status.unavailable
  refuseCall(stream, isLimit ? status.resourceExhausted : otherwise, error)
}

function refuseUnknown(stream: ServerHttp2Stream, path: string): void {
  refuseCall(stream, status.unimplemented, `Method not found: ${path.slice(1)}`)
}

function refuseCall(stream: ServerHttp2Stream, code: number, message: string): void {
  if (stream.destroyed || stream.headersSent) return
  stream.respond(
    {
      ':status': 200,
      'content-type': contentType,
      'grpc-status': `${code}`,
      'grpc-message': encodeURI(message),
    },
    { endStream: true },
  )
}
