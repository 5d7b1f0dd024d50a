import { type ChildProcess, spawn } from 'node:child_process'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLog } from '../../src/base/log.ts'
import { startCourier } from '../../src/courier.ts'
import { createPool } from '../../src/db/pool.ts'
import type { CourierOptions } from './open-courier.ts'
import { directoryOf } from './seed-merchant.ts'

// A courier as a process of its own, for what only a process can suffer. Run as a program, this file is that process.

const self = fileURLToPath(import.meta.url)

/** Starts one; killed when the file (or suite) is done, if it has not been before. */
export async function startCourierProcess(options: Omit<CourierOptions, 'pool'>): Promise<ChildProcess> {
  const { merchants, url, redisUrl, tuning } = options
  const settings = JSON.stringify({ merchants, url, redisUrl, tuning }, (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const child = spawn(process.execPath, ['--import', 'tsx', self, settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  after(() => child.kill('SIGKILL'))
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', bytes => `${bytes}`.includes('courier.started') && resolve())
    child.once('exit', code => reject(new Error(`the courier ended with ${code}`)))
  })
  return child
}

async function run(settings: string): Promise<void> {
  const { merchants, url, redisUrl, tuning } = JSON.parse(settings, (_, value) =>
    typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
  ) as Pick<CourierOptions, 'merchants' | 'url' | 'redisUrl' | 'tuning'>
  await startCourier({
    pool: createPool(url),
    databaseUrl: url,
    redisUrl,
    merchants: directoryOf(...merchants),
    allowedNetworks: ['127.0.0.0/8'],
    log: createLog('info', 'courier'),
    ...(tuning && { tuning }),
  })
}

if (process.argv[1] === self) await run(process.argv[2]!)
