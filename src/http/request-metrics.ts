import fastifyPlugin from 'fastify-plugin'
import { Counter, Histogram, type Registry } from '../base/metrics.ts'

/** Counts and times every request of the merchant API by endpoint; counts it by the code of its answer too. */
export const requestMetrics = fastifyPlugin<{ registry: Registry }>(
  async (app, { registry }) => {
    const { answered, duration } = metricsIn(registry)
    // Looked up once: finding a metric by its labels costs more than counting.
    const counters = new Map<string, Counter.Internal>()
    const timers = new Map<string, Histogram.Internal<'endpoint'>>()
    const count = (endpoint: string, code: string) =>
      remembered(counters, `${endpoint} ${code}`, () => answered.labels(endpoint, code)).inc()
    app.onAnswered.push((request, reply) => {
      // One label for all unknown paths: clients could otherwise create any number of them.
      const endpoint = request.routeOptions.config.endpoint ?? 'none'
      count(endpoint, request.refusedWith ?? 'ok')
      remembered(timers, endpoint, () => duration.labels(endpoint)).observe(reply.elapsedTime / 1000)
    })
    app.onUnreadable.push(code => count('none', code))
  },
  { name: 'request-metrics', dependencies: ['answered'] },
)

const opened = new WeakMap<Registry, ReturnType<typeof openMetrics>>()

/** The metrics of a process: the console's own port counts in those of the API. */
function metricsIn(registry: Registry) {
  const metrics = opened.get(registry) ?? openMetrics(registry)
  opened.set(registry, metrics)
  return metrics
}

function openMetrics(registry: Registry) {
  return {
    answered: new Counter({
      name: 'gateway_requests_total',
      help: "Requests of the merchant API, and of payers' pages (pay), by endpoint and code; ok when there was no refusal",
      labelNames: ['endpoint', 'code'],
      registers: [registry],
    }),
    duration: new Histogram({
      name: 'gateway_request_duration_seconds',
      help: 'From the headers of a request to the end of its answer',
      labelNames: ['endpoint'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    }),
  }
}

function remembered<T>(map: Map<string, T>, name: string, make: () => T): T {
  let value = map.get(name)
  if (value === undefined) {
    value = make()
    map.set(name, value)
  }
  return value
}
