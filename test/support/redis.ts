import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { Redis } from 'ioredis'
import { freePort } from '../../src/demo/embedded-database.ts'
import { findProgram } from './programs.ts'

export interface TestRedis {
  url: string
  stop(): Promise<void>
}

/** Why the tests on Redis cannot run here, or false: made for node:test's `skip`. */
export const noRedis: string | false = findProgram('redis-server') ? false : 'redis-server is not on the PATH'

/** A real Redis of this test's own, stopped when the file (or suite) is done. */
export async function startRedis(port?: number): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-redis-'))
  const listen = port ?? (await freePort())
  const args = ['--port', `${listen}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const server = spawn('redis-server', [...args, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' })
  const exited = new Promise<void>(resolve => server.once('exit', () => resolve()))
  const url = `redis://127.0.0.1:${listen}`
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 })
  client.on('error', () => undefined) // Refused until it listens.
  await client.ping()
  client.disconnect()
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= (async () => {
      server.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    })()
    return stopped
  }
  after(stop)
  return { url, stop }
}
