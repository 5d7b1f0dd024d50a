import { UsageError } from '../base/errors.ts'
import type { AddressCounterId } from '../base/ids.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { listCounters, lockCounter, moveCounter } from '../merchants/address-counter-store.ts'
import { type AccountKey, deriveAddress, parseAccountKey } from '../tron/account-key.ts'
import type { User } from './deposit-address.ts'
import { findExisting, insertAddresses } from './deposit-address-store.ts'
import { readHistory } from './history-store.ts'
import { requireEnough, resumeAssigning } from './resume-assigning.ts'

/** What was skipped of one counter: indexes `from` to `to`, both included, are never assigned. */
export interface SkippedAddresses {
  counterId: AddressCounterId
  /** The merchant that the addresses are stored under: the first of the counter. */
  appid: string
  from: number
  to: number
  /** How many of them are watched from now on; the others were already. */
  watched: number
}

/** Bounds the time for one counter: deriving an address takes about a millisecond. */
export const skipMax = 1_000_000

/**
 * The user of a skipped address. No request can name it, since a localusermark has at least one character. So no order can
 * be created there, and what is paid stays unclaimed and visible until `importAddresses` gives the address to its user.
 */
export const noUser = { localusermark: '', username: 'restored' }

/** Addresses derived and written together: deriving them blocks the process for a fraction of a second. */
const batchMax = 250
const indexEnd = 0x80000000

/**
 * Advances every address counter after a restore, and watches the addresses it skips. Payers may hold addresses that were
 * assigned after the backup was made: these must not be assigned to others, and payments to them must be seen. Each run
 * skips `count` more, also after an interrupted one. At its end, addresses are assigned again if that was stopped.
 * @param count indexes of each counter, 1 to `skipMax`.
 * @param onProgress called after each batch with the counter and how many of its indexes are left to skip.
 * @throws UsageError when a counter has fewer left, or more are known to be lost. Then nothing is skipped.
 */
export async function skipAddresses(
  pool: Pool,
  count: number,
  onProgress: (counterId: AddressCounterId, left: number) => void = () => undefined,
  author: Partial<Author> = {},
): Promise<SkippedAddresses[]> {
  const counters = await listCounters(pool)
  const short = counters.filter(({ nextIndex }) => nextIndex + count > indexEnd)
  if (short.length > 0) {
    throw new UsageError(
      short.map(
        ({ id, nextIndex }) => `counter ${id} has ${indexEnd - nextIndex} indexes left, not ${count}`,
      ),
    )
  }
  requireEnough((await readHistory(pool))?.lost ?? {}, counters, count)
  const skipped: SkippedAddresses[] = []
  for (const { id, xpub, nextIndex, merchantId, appid } of counters) {
    const account = parseAccountKey(xpub)
    const end = nextIndex + count
    let watched = 0
    for (let from = nextIndex; from < end; from += batchMax) {
      const to = Math.min(from + batchMax, end)
      watched += await skipBatch(pool, { id, account, user: { merchantId, ...noUser }, from, to, author })
      onProgress(id, end - to)
    }
    skipped.push({ counterId: id, appid, from: nextIndex, to: end - 1, watched })
  }
  await resumeAssigning(pool, author)
  return skipped
}

async function skipBatch(
  pool: Pool,
  batch: {
    id: AddressCounterId
    account: AccountKey
    user: User
    from: number
    to: number
    author: Partial<Author>
  },
): Promise<number> {
  const { id, account, user, from, to, author } = batch
  // Before the transaction, so that the counter is not locked meanwhile.
  const derived = Array.from({ length: to - from }, (_, i) => ({
    index: from + i,
    address: deriveAddress(account, from + i),
  }))
  return await inTransaction(pool, async tx => {
    const counter = await lockCounter(tx, id)
    if (counter.nextIndex !== from) {
      throw new Error(
        `counter ${id} is at ${counter.nextIndex} instead of ${from}: another process assigns addresses; stop it first`,
      )
    }
    // These are watched already, and belong to a user: imported ones, for example.
    const existing = await findExisting(
      tx,
      derived.map(({ address }) => address),
    )
    const fresh = derived.filter(({ address }) => !existing.has(address))
    await insertAddresses(
      tx,
      fresh.map(({ index, address }) => ({
        ...user,
        address,
        isBase: false,
        orderid: null,
        derived: { counterId: id, index },
      })),
    )
    await moveCounter(tx, id, to)
    await recordAudit(tx, {
      ...authorOf(author),
      action: 'addresses.skipped',
      subject: `counter ${id}`,
      detail: { from, to: to - 1, watched: fresh.length },
    })
    return fresh.length
  })
}
