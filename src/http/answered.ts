import fastifyPlugin from 'fastify-plugin'
import type { AnsweredWork } from './request-context.ts'

/**
 * Does the work of `onAnswered` once for each request, also where the client closed the connection before or while its
 * answer was sent. Fastify's onResponse runs for neither, and those are the requests that support is asked about most.
 */
export const answered = fastifyPlugin(
  async app => {
    const finish: AnsweredWork = (request, reply) => {
      if (request.answered) return
      request.answered = true
      for (const work of app.onAnswered) work(request, reply)
    }
    app.addHook('onRequest', (request, _, done) => {
      // A socket remembers its client's address after it is closed only if the address was read before.
      void request.socket.remoteAddress
      done()
    })
    app.addHook('onResponse', (request, reply, done) => {
      finish(request, reply)
      done()
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      // When the answer is sent completely, onResponse runs before 'close'.
      if (reply.raw.destroyed) finish(request, reply)
      else reply.raw.once('close', () => finish(request, reply))
      done(null, payload)
    })
  },
  { name: 'answered', dependencies: ['request-context'] },
)
