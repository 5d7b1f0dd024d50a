import type { FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

/** A request that was not answered in time. What it began goes on, and its outcome is unknown. */
export class DeadlineError extends Error {
  constructor(afterMs: number) {
    super(`not answered within ${afterMs} ms`)
    this.name = 'DeadlineError'
  }
}

/** How late a deadline may be noticed. */
const stepMs = 250

/**
 * Fails every request that is not answered `afterMs` after its headers arrived; the time its body takes counts too.
 * Fastify's handlerTimeout does the same with a timer and an aborted signal per request, which took a fifth of the CPU
 * time of an order. Here one timer serves all requests.
 */
export const deadline = fastifyPlugin<{ afterMs: number }>(
  async (app, { afterMs }) => {
    // In order of arrival, which is the order of their deadlines. A request whose client has gone stays until its own.
    const open = new Map<FastifyRequest, { reply: FastifyReply; endsAt: number }>()
    app.addHook('onRequest', (request, reply, done) => {
      open.set(request, { reply, endsAt: performance.now() + afterMs })
      done()
    })
    app.addHook('onResponse', (request, _, done) => {
      open.delete(request)
      done()
    })
    const timer = setInterval(() => {
      const now = performance.now()
      for (const [request, { reply, endsAt }] of open) {
        if (endsAt > now) break
        open.delete(request)
        // One that has begun is being taken: a file of many lines may take longer.
        if (!reply.sent && !reply.raw.headersSent) reply.send(new DeadlineError(afterMs))
      }
    }, stepMs)
    timer.unref()
    app.addHook('onClose', async () => clearInterval(timer))
  },
  { name: 'deadline' },
)
