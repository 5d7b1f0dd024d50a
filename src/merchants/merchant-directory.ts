import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import type { Logger } from '../base/log.ts'
import { inTransaction, type Pool, run } from '../db/pool.ts'
import { applyUrlChanges } from './apply-url-changes.ts'
import { arrangeMerchants, type OpenedSecret } from './arrange-merchants.ts'
import type { Merchant } from './merchant.ts'
import { type MerchantRows, readMerchants, readVersion } from './merchant-rows.ts'

/** All merchants in memory, with their live keys and secrets opened. */
export interface MerchantDirectory {
  byAppid(appid: string): Merchant | undefined
  byId(id: MerchantId): Merchant | undefined
  all(): Iterable<Merchant>
  /** Reads everything again, now. */
  refresh(): Promise<void>
  /**
   * Reads everything again if something changed that is not known here yet. May be called at any rate: all who call meanwhile
   * share one look. Never throws, and never takes long: then it is as if nothing had changed.
   */
  lookForChanges(): Promise<void>
  close(): Promise<void>
}

/** How often the version is polled. A retired key stops working within this time and that of a read. */
const pollMs = 500

/** The pause between two looks that requests cause: strangers may send any number with a wrong sign. */
const lookEveryMs = 100
/** A look of which no more is known by then is given up. */
const lookMaxMs = 2_000

/**
 * Reads all merchants and keeps them current. While the database is unreachable, the merchants read last stay in use.
 * @throws UsageError when MASTER_KEY opens none of the secrets: they were sealed under another one.
 */
export async function openMerchantDirectory(options: {
  pool: Pool
  masterKey: Buffer
  log: Logger
}): Promise<MerchantDirectory> {
  const { pool, masterKey, log } = options
  const opened = new Map<string, OpenedSecret>()
  const read = async () => arrangeMerchants(await readSnapshot(pool), masterKey, opened, log)
  let current = await read()
  if (current.opensNothing) {
    throw new UsageError("MASTER_KEY is not the one the merchants' keys in this database were sealed under")
  }
  let reading: Promise<void> | undefined
  const refresh = () => {
    // One read at a time. A refresh during a read starts another one after it, which sees every change so far.
    reading = (reading ?? Promise.resolve())
      .catch(() => undefined) // Reported to those who asked for that read.
      .then(async () => {
        const now = await read()
        // Sealed again under another master key: keep the merchants we have until a restart with that key.
        current = now.opensNothing ? { ...current, version: now.version } : now
      })
    return reading
  }
  const refreshIfChanged = async () => {
    const { version, at, urlsDue } = await readVersion(pool)
    const ended = current.nextRetirementAt !== null && at >= current.nextRetirementAt
    if (version === current.version && !ended && !urlsDue) return
    // Read as in effect also while it cannot be written: somebody else is changing the merchant.
    if (urlsDue) await applyUrlChanges(pool).finally(refresh)
    else await refresh()
  }
  const polling = poll(refreshIfChanged, log)
  return {
    byAppid: appid => current.byAppid.get(appid),
    byId: id => current.byId.get(id),
    all: () => current.byId.values(),
    refresh,
    lookForChanges: openLooks(refreshIfChanged),
    close: () => polling.stop(),
  }
}

function readSnapshot(pool: Pool): Promise<MerchantRows> {
  return inTransaction(pool, async tx => {
    await run(tx, 'set transaction isolation level repeatable read, read only')
    return readMerchants(tx)
  })
}

/** Shares looks: who comes during one takes part in the next, since what it wants to see may be newer. */
function openLooks(look: () => Promise<void>): () => Promise<void> {
  let last: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | undefined
  let running: Promise<void> | undefined
  const begin = async () => {
    await last
    next = undefined
    // One that was given up and goes on is waited for again: the database has one look at a time. The polling logs what fails.
    running ??= look()
      .catch(() => undefined)
      .finally(() => {
        running = undefined
      })
    const looked = Promise.race([running, sleep(lookMaxMs, undefined, { ref: false })])
    last = looked.then(() => sleep(lookEveryMs, undefined, { ref: false }))
    await looked
  }
  return () => {
    next ??= begin()
    return next
  }
}

/** Repeats a check, with a pause after each. Logs when checks begin to fail and when they succeed again. */
function poll(check: () => Promise<void>, log: Logger): { stop(): Promise<void> } {
  let stopped = false
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<void> = Promise.resolve()
  const next = () => {
    if (stopped) return
    timer = setTimeout(() => {
      checking = check()
        .then(() => {
          if (failing) log.info('merchants.current_again')
          failing = false
        })
        .catch(err => {
          if (!failing && !stopped) log.warn({ err }, 'merchants.not_current')
          failing = true
        })
        .finally(next)
    }, pollMs)
    // Polling must not keep the process alive.
    timer.unref()
  }
  next()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await checking
    },
  }
}
