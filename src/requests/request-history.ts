import type { Logger } from '../base/log.ts'
import { Counter, type Registry } from '../base/metrics.ts'
import type { Pool } from '../db/pool.ts'
import { type ApiRequest, insertApiRequests } from './api-request-store.ts'

const writeEveryMs = 500
/** Requests written in one statement at most. */
const batchMax = 1_000
/** Requests kept in memory while the database is away, besides the batch being written. Above it the oldest are dropped and counted. */
const waitingMax = 20_000

/** Requests waiting to be written to the history. */
export interface RequestHistory {
  /** Adds a request. It is written later; this never waits. */
  keep(request: ApiRequest): void
  /** Writes what is waiting, or logs how many requests are lost. */
  close(): Promise<void>
}

/**
 * Opens the history. A batch that cannot be written, or whose outcome is unknown, is written again: a request may be there
 * twice, but is not missing.
 */
export function openRequestHistory(options: {
  pool: Pool
  log: Logger
  registry?: Registry | undefined
}): RequestHistory {
  const { pool, log, registry } = options
  const waiting: ApiRequest[] = []
  const lost = registry && lostCounter(registry)
  let writing: Promise<void> | undefined
  let failing = false

  /** Drops the oldest until at most `max` are waiting. @returns how many it dropped. */
  const shrinkTo = (max: number): number => {
    const dropped = waiting.splice(0, Math.max(0, waiting.length - max))
    lost?.inc(dropped.length)
    return dropped.length
  }
  const write = async () => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax)
      try {
        const refused = await insertAllButRefused(pool, batch)
        lost?.inc(refused.length)
        if (refused.length > 0) log.error({ calls: refused.length, err: refused[0] }, 'requests.not_taken')
      } catch (err) {
        waiting.unshift(...batch)
        // Tried again soon; logged once.
        if (!failing) log.warn({ err, waiting: waiting.length }, 'requests.not_kept_yet')
        failing = true
        shrinkTo(waitingMax)
        return
      }
      failing = false
    }
  }
  const writeOnce = () => {
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing
  }
  const timer = setInterval(writeOnce, writeEveryMs)
  return {
    keep(request) {
      waiting.push(request)
      if (waiting.length > waitingMax) shrinkTo(waitingMax)
    },
    async close() {
      clearInterval(timer)
      await writing
      await writeOnce()
      const calls = shrinkTo(0)
      if (calls > 0) log.warn({ calls }, 'requests.lost')
    },
  }
}

/**
 * Writes a batch without the requests whose data Postgres refuses: these would otherwise block all later ones.
 * @returns one error for each refused request.
 * @throws any other error, such as a lost connection. Part of the batch may then have been written.
 */
async function insertAllButRefused(pool: Pool, batch: readonly ApiRequest[]): Promise<unknown[]> {
  try {
    await insertApiRequests(pool, batch)
    return []
  } catch (err) {
    if (!isRefusedData(err)) throw err
    if (batch.length === 1) return [err]
  }
  const half = Math.ceil(batch.length / 2)
  const refused = await insertAllButRefused(pool, batch.slice(0, half))
  return [...refused, ...(await insertAllButRefused(pool, batch.slice(half)))]
}

/** Whether the row itself is wrong (SQLSTATE class 22: its values; 23: a constraint), so that trying again cannot help. */
function isRefusedData(error: unknown): boolean {
  return /^2[23]...$/.test(String((error as { code?: unknown } | null)?.code))
}

function lostCounter(registry: Registry): Counter {
  return new Counter({
    name: 'gateway_requests_unkept_total',
    help: 'Authenticated requests that are missing in the history, because the database was away or refused them',
    registers: [registry],
  })
}
