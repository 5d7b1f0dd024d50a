import { createServer } from 'node:net'
import { after } from 'node:test'

/** Listens on all addresses of this machine until the file is done, ends each connection, and counts them. */
export async function countConnections(): Promise<{ port: number; connections: number }> {
  const counted = { port: 0, connections: 0 }
  const listener = createServer(socket => {
    counted.connections++
    socket.destroy()
  })
  await new Promise<void>(resolve => listener.listen(0, '0.0.0.0', resolve))
  after(() => listener.close())
  counted.port = (listener.address() as { port: number }).port
  return counted
}
