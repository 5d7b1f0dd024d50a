import type { Client } from '@grpc/grpc-js'
import type { GrpcStatus } from './grpc-refusal.ts'

/** A connection over gRPC whose messages are bytes. It is made at the first call, and again when it was lost. */
export interface GrpcChannel {
  /** Makes a call. Never throws: how a call ended without a message is an outcome. */
  call(options: {
    /** Such as `/protocol.Wallet/GetNowBlock2`. */
    method: string
    request: Buffer
    headers: Record<string, string>
    deadlineMs: number
    /** Ends the call. */
    signal: AbortSignal
  }): Promise<{ message: Buffer } | GrpcStatus>
  /** Takes no more calls. Those in flight go on to their end. */
  hangUp(): void
}

/** A node that came back is found within a second. How often it is asked is decided elsewhere. */
const reconnectMs = { first: 100, last: 1_000 }
/** While calls are in flight: a connection that went dead without a word must end. */
const keepalive = { everyMs: 10_000, timeoutMs: 5_000 }
/**
 * Of a connection and of each call on it, before the node waits for us to say that it has come. At the default of 64 kB a node
 * a twentieth of a second away could send some ten blocks a second.
 */
const windowBytes = 4 * 1024 * 1024

/**
 * Opens a channel. Nothing is loaded or dialled before the first call: most gateways use HTTP alone.
 * @param url `grpc://host:port`, or `grpcs://` for TLS.
 * @param messageMaxBytes A longer message is refused by its length, before it is received.
 */
export function openGrpcChannel(url: string, messageMaxBytes: number): GrpcChannel {
  // Kept: importing a module costs something each time, also one that is loaded.
  let opening: Promise<{ grpc: Grpc; client: Client }> | null = null
  let client: Client | null = null
  let closed = false
  const open = async () => {
    const grpc = await import('@grpc/grpc-js')
    client = openClient(grpc, url, messageMaxBytes)
    return { grpc, client }
  }
  return {
    async call({ method, request, headers, deadlineMs, signal }) {
      opening ??= open()
      const { grpc, client } = await opening
      if (closed || signal.aborted) {
        client.close()
        return { code: grpc.status.CANCELLED, details: 'the connection was closed', answered: false }
      }
      const metadata = new grpc.Metadata()
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
      return await new Promise(resolve => {
        const deadline = Date.now() + deadlineMs
        let retryAfter: string | undefined
        const call = client.makeUnaryRequest<Buffer, Buffer>(
          method,
          asItIs,
          asItIs,
          request,
          metadata,
          { deadline },
          (error, message) => {
            signal.removeEventListener('abort', cancel)
            if (!error) return resolve({ message: message! })
            const { code, details, metadata } = error
            const trailers = metadata.getMap()
            // What grpc-js found itself has no headers.
            const answered = Object.keys(trailers).length > 0 || details.startsWith('Received HTTP status')
            resolve({ code, details, answered, retryAfter: retryAfter ?? textOf(trailers['retry-after']) })
          },
        )
        const cancel = () => call.cancel()
        signal.addEventListener('abort', cancel)
        call.on('metadata', received => (retryAfter = textOf(received.get('retry-after')[0])))
      })
    },
    hangUp() {
      closed = true
      client?.close()
    },
  }
}

type Grpc = typeof import('@grpc/grpc-js')

function openClient(grpc: Grpc, url: string, messageMaxBytes: number): Client {
  const { protocol, host } = new URL(url)
  const { credentials } = grpc
  return new grpc.Client(
    `dns:${host}`,
    protocol === 'grpcs:' ? credentials.createSsl() : credentials.createInsecure(),
    {
      'grpc.max_receive_message_length': messageMaxBytes,
      'grpc.initial_reconnect_backoff_ms': reconnectMs.first,
      'grpc.max_reconnect_backoff_ms': reconnectMs.last,
      'grpc-node.flow_control_window': windowBytes,
      'grpc.keepalive_time_ms': keepalive.everyMs,
      'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
      // Connections of their own: they end with the channel.
      'grpc.use_local_subchannel_pool': 1,
      // As over HTTP: no second call behind the back of the pool, no proxy from the environment, no settings from DNS.
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_channelz': 0,
    },
  )
}

function asItIs(bytes: Buffer): Buffer {
  return bytes
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : `${value}`
}
