import type { Logger } from '../base/log.ts'
import { Counter, type Registry } from '../base/metrics.ts'
import type { Pool } from '../db/pool.ts'
import { type ApiRequest, insertApiRequests } from './api-request-store.ts'

/** How long a call waits in memory at the most, and how many are written in one statement. */
const writeEveryMs = 500
const batchMax = 1_000
/** What waits in memory while the database takes nothing, a batch under way aside; beyond it the oldest are lost, and counted. */
const waitingMax = 20_000

/** Calls on their way into the history. */
export interface RequestHistory {
  /** Has a call written soon; never waits. */
  keep(request: ApiRequest): void
  /** Writes what waits, or says how much is lost. */
  close(): Promise<void>
}

/**
 * Opens the history. What cannot be written now is tried again; a batch whose outcome is unknown is written again, so that a
 * call may stand there twice, and is not missing.
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

  /** Forgets the oldest until no more than this many wait. @returns how many. */
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
        // Tried again soon; said once.
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
 * Writes calls. One that Postgres will never take must not keep those behind it waiting for ever: the rest is written without it.
 * @returns why those that it refused were refused, one error each.
 * @throws whatever else goes wrong: the database is away, say. Some of the calls may have been written.
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

/** Whether it is the row that is wrong (SQLSTATE 22: a value; 23: a rule it breaks), and not the moment. */
function isRefusedData(error: unknown): boolean {
  return /^2[23]...$/.test(String((error as { code?: unknown } | null)?.code))
}

function lostCounter(registry: Registry): Counter {
  return new Counter({
    name: 'gateway_requests_unkept_total',
    help: 'Authenticated calls whose history was lost while the database took nothing',
    registers: [registry],
  })
}
