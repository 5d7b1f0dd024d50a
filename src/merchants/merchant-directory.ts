import { UsageError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import type { Merchant, MerchantId, MerchantKey } from './merchant.ts'
import { type MerchantRows, readMerchants, readVersion, type SealedRow } from './merchant-store.ts'
import { openSecret, type SecretRow } from './sealed-secret.ts'

/** All merchants in memory, with their live keys and secrets opened. */
export interface MerchantDirectory {
  byAppid(appid: string): Merchant | undefined
  byId(id: bigint): Merchant | undefined
  /** Reads everything again, now. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/** How often the version is looked at: a retired key stops working within this and a read. */
const pollMs = 500

/**
 * Reads all merchants and keeps them current. While the database is away, what was read last goes on being used.
 * @throws UsageError when MASTER_KEY opens none of what is sealed: it is another one.
 */
export async function openMerchantDirectory(options: {
  pool: Pool
  masterKey: Buffer
  log: Logger
}): Promise<MerchantDirectory> {
  const { pool, masterKey, log } = options
  const opened = new Map<string, OpenedSecret>()
  const read = async () => arrange(await readSnapshot(pool), masterKey, opened, log)
  let current = await read()
  if (opensNothing(current)) {
    throw new UsageError("MASTER_KEY is not the one the merchants' keys in this database were sealed under")
  }
  let reading: Promise<void> | undefined
  const refresh = () => {
    // One at a time; whoever asks during one waits for a read that began after asking.
    reading = (reading ?? Promise.resolve())
      .catch(() => undefined) // Whoever asked for that one has heard of it.
      .then(async () => {
        const now = await read()
        // Sealed anew under another master key: go on with what we have until we are started with that one.
        current = opensNothing(now) ? { ...current, version: now.version } : now
      })
    return reading
  }
  const polling = poll(async () => {
    const { version, at } = await readVersion(pool)
    const ended = current.nextEndAt !== null && at >= current.nextEndAt
    if (version !== current.version || ended) await refresh()
  }, log)
  return {
    byAppid: appid => current.byAppid.get(appid),
    byId: id => current.byId.get(id),
    refresh,
    close: () => polling.stop(),
  }
}

interface OpenedSecret {
  sealed: Buffer
  text: string
}

interface Arranged {
  version: bigint
  nextEndAt: Date | null
  byAppid: Map<string, Merchant>
  byId: Map<bigint, Merchant>
  sealed: number
  unopened: number
}

function opensNothing(rows: Arranged): boolean {
  return rows.sealed > 0 && rows.unopened === rows.sealed
}

function readSnapshot(pool: Pool): Promise<MerchantRows> {
  return inTransaction(pool, async tx => {
    await tx.query('set transaction isolation level repeatable read, read only')
    return readMerchants(tx)
  })
}

/**
 * Puts rows together into merchants. What does not open is left out alone, and said: one damaged row must not stop the
 * others.
 * @param opened what was opened before, by table and id, so that a change to one merchant does not open ten thousand.
 */
function arrange(
  rows: MerchantRows,
  masterKey: Buffer,
  opened: Map<string, OpenedSecret>,
  log: Logger,
): Arranged {
  const kept = new Set<string>()
  let unopened = 0
  const open = (table: SecretRow['table'], row: SealedRow, purpose: string): string | null => {
    const name = `${table} ${row.id} ${row.merchantId} ${purpose}`
    const before = opened.get(name)
    kept.add(name)
    if (before?.sealed.equals(row.sealed)) return before.text
    try {
      const text = openSecret(masterKey, { table, merchantId: row.merchantId, purpose }, row.sealed)
      opened.set(name, { sealed: row.sealed, text })
      return text
    } catch (err) {
      unopened++
      log.error({ err, table, rowId: row.id, merchantId: row.merchantId }, 'merchant.secret_not_opened')
      return null
    }
  }
  const keys = new Map<bigint, MerchantKey[]>()
  for (const row of rows.keys) {
    const key = open('merchant_key', row, row.scheme)
    if (key !== null)
      add(keys, row.merchantId, { id: row.id, scheme: row.scheme, key, promoted: row.promoted })
  }
  const secrets = new Map<bigint, string[]>()
  for (const row of rows.secrets) {
    const secret = open('webhook_secret', row, 'standard-webhooks')
    if (secret !== null) add(secrets, row.merchantId, secret)
  }
  for (const name of opened.keys()) if (!kept.has(name)) opened.delete(name)
  const merchants = rows.merchants.map(
    (row): Merchant => ({ ...row, keys: keys.get(row.id) ?? [], webhookSecrets: secrets.get(row.id) ?? [] }),
  )
  return {
    version: rows.version,
    nextEndAt: rows.nextEndAt,
    byAppid: new Map(merchants.map(merchant => [merchant.appid, merchant])),
    byId: new Map<bigint, Merchant>(merchants.map(merchant => [merchant.id, merchant])),
    sealed: rows.keys.length + rows.secrets.length,
    unopened,
  }
}

function add<T>(lists: Map<bigint, T[]>, id: MerchantId, item: T): void {
  const list = lists.get(id)
  if (list) list.push(item)
  else lists.set(id, [item])
}

/** Looks again and again, a while after the last look has ended; failures are logged when they begin and when they end. */
function poll(look: () => Promise<void>, log: Logger): { stop(): Promise<void> } {
  let stopped = false
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  const next = () => {
    if (stopped) return
    timer = setTimeout(() => {
      looking = look()
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
    // Looking for changes is no reason for a process to stay.
    timer.unref()
  }
  next()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await looking
    },
  }
}
