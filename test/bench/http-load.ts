import { connect } from 'node:net'

/** What a load came to. Latencies in milliseconds. */
export interface LoadResult {
  perSecond: number
  p50: number
  p99: number
  /** Answers by status and, for the ones that are not 2xx, the first body seen. */
  statuses: Record<number, number>
  firstFailure: string | null
}

/** Gives a connection its next request, and the moment its latency counts from; null when there is no more. */
type NextRequest = () => Promise<{ bytes: Buffer; from: number } | null>

/**
 * Posts prepared requests over keep-alive connections as fast as they are answered, one in flight on each.
 * Plain sockets and prepared bytes: on a shared machine whatever the load generator spends is missing on the other side.
 * @param next the next request's bytes, or null when they are used up.
 */
export async function httpLoad(options: {
  port: number
  connections: number
  next: () => Buffer | null
}): Promise<LoadResult> {
  return load(options.port, options.connections, async () => {
    const bytes = options.next()
    return bytes && { bytes, from: performance.now() }
  })
}

/**
 * Posts prepared requests at a steady rate, whatever the answers take: a request that had to wait for a free connection
 * has waited, and its latency says so.
 */
export async function pacedLoad(options: {
  port: number
  connections: number
  perSecond: number
  requests: readonly Buffer[]
}): Promise<LoadResult> {
  const startedAt = performance.now()
  let sent = 0
  return load(options.port, options.connections, async () => {
    const n = sent++
    const bytes = options.requests[n]
    if (!bytes) return null
    const dueAt = startedAt + (n * 1000) / options.perSecond
    const early = dueAt - performance.now()
    if (early <= 0) return { bytes, from: dueAt }
    await new Promise(resolve => setTimeout(resolve, early))
    // The timer's own lateness is none of the server's.
    return { bytes, from: performance.now() }
  })
}

async function load(port: number, connections: number, next: NextRequest): Promise<LoadResult> {
  const latencies: number[] = []
  const result: Pick<LoadResult, 'statuses' | 'firstFailure'> = { statuses: {}, firstFailure: null }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, () => runConnection(port, next, latencies, result)))
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return { perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), ...result }
}

function runConnection(
  port: number,
  next: NextRequest,
  latencies: number[],
  result: Pick<LoadResult, 'statuses' | 'firstFailure'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let sentAt = 0
    let pending = ''
    const send = async () => {
      const request = await next()
      if (!request) {
        socket.end()
        resolve()
        return
      }
      sentAt = request.from
      socket.write(request.bytes)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', chunk => {
      pending += chunk.toString('latin1')
      const headEnd = pending.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0)
      if (pending.length < headEnd + 4 + length) return
      latencies.push(performance.now() - sentAt)
      const status = Number(pending.slice(9, 12))
      result.statuses[status] = (result.statuses[status] ?? 0) + 1
      if (status >= 300) result.firstFailure ??= pending
      pending = ''
      send()
    })
  })
}
