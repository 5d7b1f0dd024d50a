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
  /** What is open now stays open and says nothing more, for good, as when a firewall forgot it. New connections work. */
  forget(): void
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
  const forgotten = new WeakSet<Socket>()
  let silent = false
  const forward = (client: Socket) => {
    const upstream = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', chunk => {
        if (!silent && !forgotten.has(from)) to.write(chunk)
      })
      from.on('error', () => undefined) // Resets are what this is for.
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
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
    forget: () => {
      for (const socket of sockets) forgotten.add(socket)
    },
    restore: async to => {
      if (to !== undefined) ({ hostname, port } = new URL(to))
      silent = false
      if (!server.listening) server = await listen(own)
    },
  }
}
