import { UsageError } from '../base/errors.ts'
import type { AddressCounterId } from '../base/ids.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { listCounters, lockCounter, moveCounter } from '../merchants/address-counter-store.ts'
import { type AccountKey, deriveAddress, parseAccountKey } from '../tron/account-key.ts'
import type { User } from './deposit-address.ts'
import { findExisting, insertAddresses } from './deposit-address-store.ts'

/** What became of one counter: indexes `from` to `to`, both included, will not be handed out any more. */
export interface SkippedAddresses {
  counterId: AddressCounterId
  /** Whose name the addresses are kept under: the first merchant of the counter. */
  appid: string
  from: number
  to: number
  /** Those of them that are watched from now on; the others were already. */
  watched: number
}

/** At the most for one counter: deriving an address takes about a millisecond. */
export const skipMax = 1_000_000

/**
 * Whose a skipped address is: nobody's. No request can name this user, since a localusermark has at least one character,
 * so no order can be made there, and what is paid stays unclaimed and visible until the address is given to its user:
 * `importAddresses` does.
 */
export const noUser = { localusermark: '', username: 'restored' }

/** Derived and written together: deriving them takes a fraction of a second, in which nothing else is done. */
const batchMax = 250
const indexEnd = 0x80000000

/**
 * Moves every address counter on, after a restore, and watches what it skips: addresses handed out after the backup was
 * made are in payers' hands, and must neither be handed out to others nor be paid unseen. Run again, also after an
 * interruption, it skips as many more.
 * @param count indexes of each counter, 1 to `skipMax`.
 * @param onProgress told after each batch: the counter, and how many of its indexes are left.
 * @throws UsageError when a counter has not as many left; nothing is skipped then.
 */
export async function skipAddresses(
  pool: Pool,
  count: number,
  onProgress: (counterId: AddressCounterId, left: number) => void = () => undefined,
  actor = 'command line',
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
  const skipped: SkippedAddresses[] = []
  for (const { id, xpub, nextIndex, merchantId, appid } of counters) {
    const account = parseAccountKey(xpub)
    const end = nextIndex + count
    let watched = 0
    for (let from = nextIndex; from < end; from += batchMax) {
      const to = Math.min(from + batchMax, end)
      watched += await skipBatch(pool, { id, account, user: { merchantId, ...noUser }, from, to, actor })
      onProgress(id, end - to)
    }
    skipped.push({ counterId: id, appid, from: nextIndex, to: end - 1, watched })
  }
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
    actor: string
  },
): Promise<number> {
  const { id, account, user, from, to, actor } = batch
  // Before the transaction, which others would have to wait for.
  const derived = Array.from({ length: to - from }, (_, i) => ({
    index: from + i,
    address: deriveAddress(account, from + i),
  }))
  return await inTransaction(pool, async tx => {
    const counter = await lockCounter(tx, id)
    if (counter.nextIndex !== from) {
      throw new Error(
        `counter ${id} stands at ${counter.nextIndex} instead of ${from}: somebody else hands out addresses, stop that first`,
      )
    }
    // An imported one, say: watched already, and somebody's.
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
      actor,
      action: 'addresses.skipped',
      subject: `counter ${id}`,
      detail: { from, to: to - 1, watched: fresh.length },
    })
    return fresh.length
  })
}
