import { UsageError } from '../base/errors.ts'
import { lockCursor } from '../blocks/chain-store.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import { lockCounter } from '../merchants/address-counter-store.ts'
import { lockMerchant } from '../merchants/merchant-store.ts'
import { parseTronAddress, type TronAddress } from '../tron/address.ts'
import {
  adoptAddresses,
  findAssigned,
  findOwners,
  insertAddresses,
  watchEarlier,
  watchFrom,
} from './deposit-address-store.ts'
import { nobody } from './skip-addresses.ts'

export interface ImportedAddresses {
  /** Watched from now on. */
  imported: TronAddress[]
  /** Were this user's already. */
  known: TronAddress[]
  /** Were skipped after a restore, nobody's until now. */
  adopted: TronAddress[]
}

/**
 * Watches addresses we did not derive, for a user; the first is the base address if the user has none. So are those that
 * were skipped after a restore, once it is known whose they are: the next order there gets what was paid to them.
 * They are watched from the cursor on, or from an earlier block: then what they were paid from it up to the cursor counts
 * too, once a rescan reads those blocks again. Known ones count from that block on as well, so that an import that was
 * interrupted before its rescan can be run again.
 * @param request.fromBlock a height, not past the cursor.
 * @throws UsageError naming every problem at once: not an address, another user's, an appid nobody has.
 */
export async function importAddresses(
  pool: Pool,
  request: {
    appid: string
    localusermark: string
    addresses: readonly string[]
    fromBlock?: number | undefined
    actor?: string
  },
): Promise<ImportedAddresses> {
  const { appid, localusermark, fromBlock } = request
  const addresses = readAddresses(localusermark, request.addresses)
  return inTransaction(pool, async tx => {
    // Whoever credits waits, and then sees the addresses: no block past the cursor misses them. Before the merchant's row,
    // which crediting locks after the cursor's.
    const cursor = await lockCursor(tx)
    if (fromBlock !== undefined) checkFromBlock(fromBlock, cursor)
    const merchant = await lockMerchant(tx, appid)
    if (!merchant) throw new UsageError(`no merchant has the appid "${appid}"`)
    const user = { merchantId: merchant.id, localusermark, username: localusermark }
    // Whoever gives a user an address holds this lock: nobody makes a base address beside us.
    await lockCounter(tx, merchant.addressCounterId)
    const owners = await findOwners(tx, addresses)
    const adopted = addresses.filter(address => {
      const owner = owners.get(address)
      return owner?.localusermark === nobody.localusermark && owner.counterId === merchant.addressCounterId
    })
    const foreign = addresses.filter(address => {
      const owner = owners.get(address)
      const isOwn = owner?.merchantId === merchant.id && owner.localusermark === localusermark
      return owner && !isOwn && !adopted.includes(address)
    })
    if (foreign.length > 0) {
      throw new UsageError(foreign.map(address => `${address} is assigned to another user already`))
    }
    const imported = addresses.filter(address => !owners.has(address))
    const known = addresses.filter(address => owners.has(address) && !adopted.includes(address))
    const [base] = await findAssigned(tx, [{ ...user, orderid: null }])
    const newBase = base === null ? ([...adopted, ...imported][0] ?? null) : null
    await adoptAddresses(tx, adopted, user, newBase)
    await insertAddresses(
      tx,
      imported.map(address => ({
        ...user,
        address,
        isBase: address === newBase,
        orderid: null,
        derived: null,
      })),
    )
    const watchedFrom = fromBlock ?? (cursor && cursor.height + 1)
    if (watchedFrom !== null) await watchFrom(tx, imported, watchedFrom)
    if (fromBlock !== undefined) await watchEarlier(tx, known, fromBlock)
    if (imported.length + adopted.length > 0 || fromBlock !== undefined) {
      await recordAudit(tx, {
        actor: request.actor ?? 'command line',
        action: 'address.imported',
        subject: `merchant ${appid}`,
        detail: {
          localusermark,
          addresses: imported,
          ...(adopted.length > 0 && { adopted }),
          ...(fromBlock !== undefined && { fromBlock, named: addresses }),
        },
      })
    }
    return { imported, known, adopted }
  })
}

function readAddresses(localusermark: string, texts: readonly string[]): TronAddress[] {
  const problems: string[] = []
  if (!/^\P{Cc}{1,64}$/u.test(localusermark)) {
    problems.push('localusermark: 1 to 64 characters, no control characters')
  }
  if (texts.length === 0) problems.push('no address was named')
  const addresses = texts.map(parseTronAddress)
  texts.forEach((text, i) => {
    if (addresses[i] === null) problems.push(`"${text}" is not a TRON address (T..., 34 characters)`)
  })
  if (problems.length > 0) throw new UsageError(problems)
  return [...new Set(addresses as TronAddress[])]
}

function checkFromBlock(fromBlock: number, cursor: { height: number } | null): void {
  if (!cursor) throw new UsageError('--from-block: nothing is watched yet, start the watcher first')
  if (fromBlock > cursor.height) {
    throw new UsageError(
      `--from-block: ${fromBlock} is past the cursor, which stands at ${cursor.height}; without it they are watched from there on`,
    )
  }
}
