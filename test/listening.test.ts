import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { readConfig } from '../src/base/config.ts'
import { listenProblem } from '../src/base/listen-problem.ts'
import { createLog } from '../src/base/log.ts'
import { createMetrics } from '../src/base/metrics.ts'
import { productVersion } from '../src/base/version.ts'
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
