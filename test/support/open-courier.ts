import { createLog, type Logger } from '../../src/base/log.ts'
import type { CourierTuning } from '../../src/callbacks/leasing/courier-tuning.ts'
import type { EventTuning } from '../../src/callbacks/sending/send-events.ts'
import { startCourier } from '../../src/courier.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import type { SeededCallback } from './seed-callback.ts'
import { directoryOf } from './seed-merchant.ts'

export interface CourierOptions {
  pool: Pool
  url: string
  redisUrl: string | undefined
  merchants: readonly Merchant[]
  tuning?: Partial<CourierTuning>
  eventTuning?: Partial<EventTuning>
  log?: Logger
}

export type TestCourier = Awaited<ReturnType<typeof startCourier>>

/** A courier for these merchants, allowed to call this machine; the caller stops it, before its database goes. */
export function openCourier(options: CourierOptions): Promise<TestCourier> {
  return startCourier({
    pool: options.pool,
    databaseUrl: options.url,
    redisUrl: options.redisUrl,
    merchants: directoryOf(...options.merchants),
    allowedNetworks: ['127.0.0.0/8'],
    log: options.log ?? createLog('silent', 'courier'),
    ...(options.tuning && { tuning: options.tuning }),
    ...(options.eventTuning && { eventTuning: options.eventTuning }),
  })
}

/** Runs the work beside a courier, and stops it whatever came of the work. */
export async function withCourier(
  options: CourierOptions,
  work: (courier: TestCourier) => Promise<void>,
): Promise<void> {
  const courier = await openCourier(options)
  try {
    await work(courier)
  } finally {
    await courier.stop()
  }
}

export async function stateOf(
  pool: Pool,
  seeded: SeededCallback,
): Promise<{ state: string; attempts: number }> {
  const { rows } = await pool.query(
    `select s.state, c.attempts from callback c join callback_state s on s.callback_id = c.id where c.id = $1`,
    [seeded.callbackId],
  )
  return rows[0]
}
