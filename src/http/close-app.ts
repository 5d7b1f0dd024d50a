import type { FastifyInstance } from 'fastify'

/** Longer than an answer may take. A file is sent for as long as somebody takes it. */
const usualMs = 10_000

/**
 * Answers the requests in progress and closes. Node keeps a connection that was busy at this moment open after its answer;
 * it is closed here as soon as it is idle, instead of after its keep-alive time.
 * @param withinMs then whatever is still being sent is cut off: all other processes of the gateway wait to be stopped.
 */
export async function closeApp(app: FastifyInstance, withinMs = usualMs): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 20)
  const cut = setTimeout(() => app.server.closeAllConnections(), withinMs)
  try {
    await app.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(cut)
  }
}
