import type { FastifyInstance } from 'fastify'
import { Counter, Histogram, type Registry } from '../base/metrics.ts'

/** Counts and times every request of the merchant API, by endpoint and by how it was answered. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const answered = new Counter({
    name: 'gateway_requests_total',
    help: 'Requests of the merchant API, by endpoint and code; ok when there was no refusal',
    labelNames: ['endpoint', 'code'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'gateway_request_duration_seconds',
    help: 'From the headers of a request to the end of its answer',
    labelNames: ['endpoint'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  app.addHook('onResponse', (request, reply, done) => {
    // One name for all paths that are none, or strangers could make up as many as they like.
    const endpoint = request.routeOptions.config.endpoint ?? 'none'
    answered.inc({ endpoint, code: request.refusedWith ?? 'ok' })
    duration.observe({ endpoint }, reply.elapsedTime / 1000)
    done()
  })
}
