import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** A request that was not answered in time. Whatever it began goes on, and its outcome is unknown. */
export class DeadlineError extends Error {
  constructor(afterMs: number) {
    super(`not answered within ${afterMs} ms`)
    this.name = 'DeadlineError'
  }
}

/** How late a deadline may be noticed. */
const stepMs = 250

/**
 * Gives every request this long from its headers to its answer, its body's coming included.
 * Fastify's own handlerTimeout does the same with a timer and an aborted signal per request, which was a fifth of all
 * that an order costs; one timer looks after all of them here.
 */
export function answerInTime(app: FastifyInstance, afterMs: number): void {
  // In the order of their coming, which is that of their deadlines. One whose client has gone stays until its own.
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
      if (!reply.sent) reply.send(new DeadlineError(afterMs))
    }
  }, stepMs)
  timer.unref()
  app.addHook('onClose', async () => clearInterval(timer))
}
