import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether what follows its answer has been done. */
    answered: boolean
  }
}

/** What is done once for every request that has its answer. */
export type AnsweredWork = (request: FastifyRequest, reply: FastifyReply) => void

/**
 * Follows every request to its end, also where the client had gone before its answer was ready, or went while it was being
 * sent: Fastify's onResponse runs for neither, and who gave up waiting is asked about more often than anybody.
 * @returns a function that takes what is to be done then, in the order of its coming.
 */
export function followAnswers(app: FastifyInstance): (work: AnsweredWork) => void {
  const works: AnsweredWork[] = []
  app.decorateRequest('answered', false)
  const answered: AnsweredWork = (request, reply) => {
    if (request.answered) return
    request.answered = true
    for (const work of works) work(request, reply)
  }
  app.addHook('onRequest', (request, _, done) => {
    // Asked while it is there; a socket that was asked once remembers its address when it is closed.
    void request.socket.remoteAddress
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    answered(request, reply)
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    // Of an answer that has gone, onResponse hears first.
    if (reply.raw.destroyed) answered(request, reply)
    else reply.raw.once('close', () => answered(request, reply))
    done(null, payload)
  })
  return work => works.push(work)
}
