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
   * @param rows for `unanswered`: an answer without a row does not count, the next one is waited for.
   * @returns resolves when it has happened.
   */
  resetAt(
    text: string,
    when: 'unsent' | 'unanswered',
    options?: { after?: string | undefined; rows?: boolean },
  ): Promise<void>
  close(): Promise<void>
}

interface Armed {
  text: string
  when: 'unsent' | 'unanswered'
  after: string
  rows: boolean
  done: () => void
}

/** Whether an answer of Postgres' has a row: a type byte and a length begin each of its messages, `D` is a row. */
function hasRow(answer: Buffer): boolean {
  for (let at = 0; at + 5 <= answer.length; at += 1 + answer.readInt32BE(at + 1)) {
    if (answer[at] === 'D'.charCodeAt(0)) return true
  }
  return false
}

/** Opens it. A message is taken to arrive in one piece, as pg sends what is below a few kilobytes. */
export async function openCommitProxy(target: string): Promise<CommitProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let armed: Armed | null = null
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    let dying: Armed | null = null
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
      if (hit) dying = hit
    })
    upstream.on('data', chunk => {
      if (!dying) return void client.write(chunk)
      if (dying.rows && !hasRow(chunk)) {
        armed = dying
        dying = null
        client.write(chunk)
        return
      }
      // Its first word of an answer: what was asked has been done.
      reset()
      dying.done()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    resetAt: (text, when, { after = '', rows = false } = {}) =>
      new Promise(done => {
        armed = { text, when, after, rows, done }
      }),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
