import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands before Postgres, and can reset the connection on which a given message is sent. */
export interface CommitProxy {
  /** The same URL, by way of the proxy. */
  url: string
  /**
   * Arms it for the next message that contains the text, on a connection that has sent `after` before.
   * @param when `unsent`: the server never sees it, and rolls back. `unanswered`: the server has done it, and only the
   *   answer is lost: whoever asked cannot know.
   * @returns resolves when it has happened.
   */
  resetAt(text: string, when: 'unsent' | 'unanswered', after?: string): Promise<void>
  close(): Promise<void>
}

/** Opens it. A message is taken to arrive in one piece, as pg sends what is below a few kilobytes. */
export async function openCommitProxy(target: string): Promise<CommitProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let armed: { text: string; when: 'unsent' | 'unanswered'; after: string; done: () => void } | null = null
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    let dying: (() => void) | null = null
    let ready = false
    const reset = () => {
      client.resetAndDestroy()
      upstream.destroy()
    }
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined) // Resets are what this is for.
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    client.on('data', chunk => {
      if (armed && chunk.includes(armed.after)) ready = true
      const hit = armed && ready && chunk.includes(armed.text) ? armed : null
      if (!armed) ready = false
      if (hit) armed = null
      if (hit?.when === 'unsent') {
        reset()
        hit.done()
        return
      }
      upstream.write(chunk)
      if (hit) dying = hit.done
    })
    upstream.on('data', chunk => {
      if (!dying) return void client.write(chunk)
      // Its first word of an answer: what was asked has been done.
      reset()
      dying()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    resetAt: (text, when, after = '') =>
      new Promise(done => {
        armed = { text, when, after, done }
      }),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
