import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../../src/demo/embedded-database.ts'
import { findProgram } from '../support/programs.ts'

/**
 * A Redis of the bench's own, set as docker-compose.yml sets it.
 * @returns null when redis-server is not on the PATH.
 */
export async function startBenchRedis(): Promise<{ url: string; pid: number; stop(): Promise<void> } | null> {
  if (!findProgram('redis-server')) return null
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-redis-'))
  const port = await freePort()
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction']
  const server = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...durable],
    { stdio: 'ignore' },
  )
  const exited = new Promise<void>(resolve => server.once('exit', () => resolve()))
  const url = `redis://127.0.0.1:${port}`
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 })
  client.on('error', () => undefined) // Refused until it listens.
  await client.ping()
  client.disconnect()
  return {
    url,
    pid: server.pid!,
    stop: async () => {
      server.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
