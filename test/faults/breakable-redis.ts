import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../../src/demo/embedded-database.ts'
import { endWithUs } from './role-process.ts'

/** A real redis-server that can be killed, emptied, and put back to what it held before. */
export interface BreakableRedis {
  url: string
  /** SIGKILL. */
  down(): Promise<void>
  /** Starts it on its port: empty, or with what it held when it was kept. */
  up(from?: 'kept'): Promise<void>
  /** Keeps what it holds now. */
  keep(): Promise<void>
  /** Runs a command. */
  tell(command: string, ...args: string[]): Promise<unknown>
  close(): Promise<void>
}

/** @param running false: nothing listens there yet. */
export async function startBreakableRedis(running = true): Promise<BreakableRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const [dump, kept] = [join(folder, 'dump.rdb'), join(folder, 'kept.rdb')]
  let server: ChildProcess | null = null
  const redis: BreakableRedis = {
    url,
    down: async () => {
      if (!server) return
      const exited = once(server, 'exit')
      server.kill('SIGKILL')
      server = null
      await exited
      await rm(dump, { force: true })
    },
    up: async from => {
      if (from) await copyFile(kept, dump)
      const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder]
      server = spawn('redis-server', [...place, '--save', '', '--maxmemory-policy', 'noeviction'], {
        stdio: 'ignore',
      })
      endWithUs(server)
      await redis.tell('PING')
    },
    keep: async () => {
      await redis.tell('SAVE')
      await copyFile(dump, kept)
    },
    tell: async (command, ...args) => {
      const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 })
      client.on('error', () => undefined) // Refused until it listens.
      try {
        return await client.call(command, ...args)
      } finally {
        client.disconnect()
      }
    },
    close: async () => {
      await redis.down()
      await rm(folder, { recursive: true, force: true })
    },
  }
  if (running) await redis.up()
  return redis
}
