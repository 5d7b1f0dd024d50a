import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyPlugin from 'fastify-plugin'
import type { Registry } from '../base/metrics.ts'

/** Checks whether the process can do its work: resolves when it can, rejects with the reason when it cannot. */
export type ReadyCheck = () => Promise<unknown>

/** A check that takes longer than this counts as failed. */
const readyTimeoutMs = 2_000

/** Runs the check and makes the answer to a probe. The reason is left out: probes need no authentication. */
async function readiness(ready: ReadyCheck): Promise<{ status: 200 | 503; body: string }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('not answered in time')), readyTimeoutMs)
  })
  try {
    await Promise.race([ready(), late])
    return { status: 200, body: '{"status":"ready"}' }
  } catch {
    // Not being ready is the answer.
    return { status: 503, body: '{"status":"not ready"}' }
  } finally {
    clearTimeout(timer)
  }
}

/** Anyone may probe at any rate: the check itself runs at most once in this time. */
const readyForMs = 1_000

/** Serves /healthz (the process runs) and /readyz on the API's own port. */
export const healthRoutes = fastifyPlugin<{ ready: ReadyCheck }>(
  async (app, { ready }) => {
    let last: { answer: ReturnType<typeof readiness>; until: number } | undefined
    app.get('/healthz', (_, reply) => reply.type('application/json').send('{"status":"ok"}'))
    app.get('/readyz', async (_, reply) => {
      const now = performance.now()
      if (!last || last.until <= now) last = { answer: readiness(ready), until: now + readyForMs }
      const { status, body } = await last.answer
      return reply.code(status).type('application/json').send(body)
    })
  },
  { name: 'health-routes' },
)

/**
 * Serves /healthz, /readyz and /metrics on a separate port, which must not be public.
 * @param port 0 for any free port.
 */
export async function startHealthServer(options: {
  host: string
  port: number
  registry: Registry
  ready: ReadyCheck
}): Promise<{ url: string; stop(): Promise<void> }> {
  const { registry, ready } = options
  const answers: Record<string, () => Promise<{ status: number; body: string; type?: string }>> = {
    '/healthz': async () => ({ status: 200, body: '{"status":"ok"}' }),
    '/readyz': () => readiness(ready),
    '/metrics': async () => ({ status: 200, body: await registry.metrics(), type: registry.contentType }),
  }
  const server = createServer({ requestTimeout: 10_000 }, async (request, response) => {
    const answer = request.method === 'GET' ? answers[(request.url ?? '').split('?')[0]!] : undefined
    try {
      const { status, body, type } = answer ? await answer() : { status: 404, body: '{"status":"not found"}' }
      response.writeHead(status, { 'content-type': type ?? 'application/json' }).end(body)
    } catch {
      // A metric could not be collected. The scraper shows a gap.
      response.writeHead(500).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
