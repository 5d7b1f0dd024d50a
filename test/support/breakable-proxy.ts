import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after } from 'node:test'

export interface BreakableProxy {
  /** The same URL, by way of the proxy. */
  url: string
  /** Resets every connection and refuses new ones. */
  cut(): Promise<void>
  /** Accepts and answers nothing: neither on connections that exist nor on new ones. */
  silence(): void
  /**
   * What is open now stays open and says nothing more, for good, as when a firewall forgot it: neither end learns what becomes of
   * the other. New connections work.
   * @param afterBytes of each, from the server, come before that: it breaks off in the middle of an answer.
   */
  forget(afterBytes?: number): void
  /** How many connections were made. */
  readonly dialled: number
  /** Forwards again. @param to another server from now on, as after a failover. */
  restore(to?: string): Promise<void>
}

/** Stands before a server (Postgres, Redis), which can then be taken away from one side without stopping it. */
export async function startBreakableProxy(target: string): Promise<BreakableProxy> {
  const proxy = await openBreakableProxy(target)
  after(proxy.cut)
  return proxy
}

/** The same, cut at last by whoever opened it. */
export async function openBreakableProxy(target: string): Promise<BreakableProxy> {
  let { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  /** How many more bytes each connection brings from the server. */
  const ways = new Set<{ bytesLeft: number }>()
  let silent = false
  let dialled = 0
  const forward = (client: Socket) => {
    dialled++
    const upstream = connect(Number(port), hostname)
    const way = { bytesLeft: Number.POSITIVE_INFINITY }
    ways.add(way)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', chunk => {
        if (silent || way.bytesLeft === 0) return
        const passed = from === upstream ? chunk.subarray(0, way.bytesLeft) : chunk
        if (from === upstream) way.bytesLeft -= passed.length
        to.write(passed)
      })
      from.on('error', () => undefined) // Resets are what this is for.
      from.on('close', () => {
        sockets.delete(from)
        ways.delete(way)
        if (way.bytesLeft > 0) to.destroy()
      })
    }
  }
  const listen = async (on: number): Promise<Server> => {
    const listening = createServer(forward).listen(on, '127.0.0.1')
    await once(listening, 'listening')
    return listening
  }
  let server = await listen(0)
  const own = (server.address() as { port: number }).port
  const cut = async () => {
    for (const socket of sockets) socket.resetAndDestroy()
    server.close()
    if (server.listening) await once(server, 'close')
  }
  const url = new URL(target)
  url.host = `127.0.0.1:${own}`
  return {
    url: url.href,
    cut,
    silence: () => {
      silent = true
    },
    forget: (afterBytes = 0) => {
      for (const way of ways) way.bytesLeft = afterBytes
    },
    get dialled() {
      return dialled
    },
    restore: async to => {
      if (to !== undefined) ({ hostname, port } = new URL(to))
      silent = false
      if (!server.listening) server = await listen(own)
    },
  }
}
