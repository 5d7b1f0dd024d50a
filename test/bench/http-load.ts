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
  const latencies: number[] = []
  const result: Pick<LoadResult, 'statuses' | 'firstFailure'> = { statuses: {}, firstFailure: null }
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: options.connections }, () =>
      runConnection(options.port, options.next, latencies, result),
    ),
  )
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return { perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), ...result }
}

function runConnection(
  port: number,
  next: () => Buffer | null,
  latencies: number[],
  result: Pick<LoadResult, 'statuses' | 'firstFailure'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let sentAt = 0
    let pending = ''
    const send = () => {
      const request = next()
      if (!request) {
        socket.end()
        resolve()
        return
      }
      sentAt = performance.now()
      socket.write(request)
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
