import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { readConfig } from '../src/base/config.ts'
import { listenProblem } from '../src/base/listen-problem.ts'
import { createLog } from '../src/base/log.ts'
import { createMetrics } from '../src/base/metrics.ts'
import { productVersion } from '../src/base/version.ts'
import { freePort } from '../src/demo/embedded-database.ts'
import { startSandboxNode } from '../src/sandbox/sandbox-node.ts'
import { startGateway } from '../src/start-gateway.ts'
import { cloneDatabase } from './support/database.ts'

/** A port that somebody listens on. */
async function takenPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  return (server.address() as AddressInfo).port
}

test('a port in use is said with the setting that names it, in every process', async () => {
  const { url } = await cloneDatabase()
  const port = await takenPort()
  const common = {
    DATABASE_URL: url,
    MASTER_KEY: 'ab'.repeat(32),
    PUBLIC_URL: 'http://127.0.0.1',
    TRON_NETWORK: 'sandbox',
    TRON_NODES: 'http://127.0.0.1:1',
    PORT: '0',
  }
  const log = createLog('silent', 'test')
  for (const [processes, settings, says] of [
    [['api'], { PORT: `${port}`, HOST: '127.0.0.1' }, `PORT: 127.0.0.1:${port} is in use`],
    [['api'], { HEALTH_PORT: `${port}` }, `HEALTH_PORT: 127.0.0.1:${port} is in use`],
    [['watcher'], { HEALTH_PORT: `${port}` }, `HEALTH_PORT: 127.0.0.1:${port} is in use`],
    [['courier'], { HEALTH_PORT: `${port}` }, `HEALTH_PORT: 127.0.0.1:${port} is in use`],
  ] as const) {
    const config = readConfig({ HEALTH_HOST: '127.0.0.1', ...common, ...settings }, ...processes)
    await assert.rejects(startGateway({ config, processes, log }), error => {
      assert((error as Error).message.startsWith(says), (error as Error).message)
      return (error as Error).name === 'UsageError'
    })
  }
})

test('the console is served by the API, or on a port of its own, or not at all', async () => {
  const { url, pool } = await cloneDatabase()
  await pool.query(`insert into console_user (email, admin, password) values ('a@example.com', true, 'x')`)
  const healthPort = await freePort()
  for (const [settings, statuses] of [
    [{}, { api: 200, own: 200 }],
    [{ CONSOLE_PORT: '0' }, { api: 404, own: 200 }],
    [
      { CONSOLE: 'off', CONSOLE_PORT: '0' },
      { api: 404, own: null },
    ],
  ] as const) {
    const env = { DATABASE_URL: url, MASTER_KEY: 'ab'.repeat(32), PORT: '0', HEALTH_PORT: `${healthPort}` }
    const config = readConfig({ ...env, TRON_NETWORK: 'sandbox', ...settings }, 'api')
    const gateway = (await startGateway({ config, processes: ['api'], log: createLog('silent', 'test') }))!
    try {
      const status = async (at: string | null) => at && (await fetch(`${at}/console/sign-in`)).status
      const [api, own] = [await status(gateway.apiUrl), await status(gateway.consoleUrl)]
      assert.deepEqual({ api, own }, statuses)
      const metrics = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text()
      assert.equal(metrics.includes('gateway_requests_total{endpoint="console",code="ok"}'), own === 200)
    } finally {
      await gateway.stop()
    }
  }
})

test('an API whose console cannot listen does not go on without it', async () => {
  const { url } = await cloneDatabase()
  const [port, taken] = [await freePort(), await takenPort()]
  const settings = { MASTER_KEY: 'ab'.repeat(32), PORT: `${port}`, CONSOLE_PORT: `${taken}` }
  const config = readConfig({ DATABASE_URL: url, TRON_NETWORK: 'sandbox', ...settings }, 'api')
  await assert.rejects(
    startGateway({ config, processes: ['api'], log: createLog('silent', 'test') }),
    /^UsageError: CONSOLE_PORT: .* is in use/,
  )
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`))
})

test('the sandbox names its option', async () => {
  const port = await takenPort()
  await assert.rejects(startSandboxNode({ autoMine: false, port }), /^UsageError: --port: .* is in use/)
  await assert.rejects(startSandboxNode({ autoMine: false, grpcPort: port }), /--grpc-port: .* is in use/)
})

test('other reasons why nobody can listen name the setting too', () => {
  const where = { host: '10.9.8.7', port: 80, settings: { host: 'HOST', port: 'PORT' } }
  const say = (code: string) => (listenProblem({ code }, where) as Error).message
  assert.match(say('EACCES'), /^PORT: this user may not listen on port 80/)
  assert.match(say('EADDRNOTAVAIL'), /^HOST: 10.9.8.7 is no address of this machine/)
  const other = new Error('other')
  assert.equal(listenProblem(other, where), other)
})

test('the version is among the metrics', async () => {
  const said = await createMetrics().metrics()
  assert(said.includes(`gateway_build_info{version="${productVersion()}",node="${process.versions.node}"} 1`))
})
