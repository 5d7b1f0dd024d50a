import { UsageError } from '../base/errors.ts'
import { type LockedCursor, lockCursor } from '../blocks/chain-store.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { lockCounter } from '../merchants/address-counter-store.ts'
import { lockMerchant } from '../merchants/merchant-store.ts'
import { parseTronAddress, type TronAddress } from '../tron/address.ts'
import type { User } from './deposit-address.ts'
import {
  adoptAddresses,
  findAssigned,
  findOwners,
  insertAddresses,
  watchEarlier,
  watchFrom,
} from './deposit-address-store.ts'
import { noUser } from './skip-addresses.ts'

export interface ImportedAddresses {
  /** Watched from now on. */
  imported: TronAddress[]
  /** The user's already. */
  known: TronAddress[]
  /** Skipped after a restore; the user's from now on. */
  adopted: TronAddress[]
}

export interface ImportRequest {
  appid: string
  localusermark: string
  addresses: readonly string[]
  actor?: string
}

/**
 * Imports addresses for a user: they are watched from the cursor on. The first becomes the base address if the user has
 * none. Skipped addresses are adopted: the next order at one gets what was paid to it. To credit earlier payments to
 * imported ones as well, use `importFromBlock`.
 * @throws UsageError naming every problem at once: not an address, another user's, an unknown appid.
 */
export async function importAddresses(pool: Pool, request: ImportRequest): Promise<ImportedAddresses> {
  return inTransaction(pool, async tx => importAt(tx, await lockCursor(tx), request))
}

/** Plans an import without importing anything. @throws UsageError as `importAddresses`. */
export async function checkImport(pool: Pool, request: ImportRequest): Promise<ImportedAddresses> {
  return inTransaction(pool, tx => planImport(tx, request))
}

/**
 * Imports addresses in the caller's transaction.
 * @param cursor locked, so that crediting waits and then sees the addresses: no block past the cursor misses them. Lock it
 *   before the merchant's row, in the order in which crediting does.
 * @param fromBlock the first block that counts, for known addresses too. The caller records what was paid up to the
 *   cursor before the transaction ends. Without it the block after the cursor counts first, and known ones do not change.
 */
export async function importAt(
  tx: Tx,
  cursor: LockedCursor | null,
  request: ImportRequest,
  fromBlock?: number,
): Promise<ImportedAddresses> {
  const { user, newBase, imported, known, adopted } = await planImport(tx, request)
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
      subject: `merchant ${request.appid}`,
      detail: {
        localusermark: user.localusermark,
        addresses: imported,
        ...(adopted.length > 0 && { adopted }),
        ...(fromBlock !== undefined && { fromBlock, named: [...imported, ...known, ...adopted] }),
      },
    })
  }
  return { imported, known, adopted }
}

/** Decides what an import does. The counter stays locked, so the user gets no other address until the transaction ends. */
async function planImport(
  tx: Tx,
  { appid, localusermark, addresses: texts }: ImportRequest,
): Promise<ImportedAddresses & { user: User; newBase: TronAddress | null }> {
  const addresses = readAddresses(localusermark, texts)
  const merchant = await lockMerchant(tx, appid)
  if (!merchant) throw new UsageError(`no merchant has the appid "${appid}"`)
  const user = { merchantId: merchant.id, localusermark, username: localusermark }
  // Every assignment takes this lock, so no base address is assigned meanwhile.
  await lockCounter(tx, merchant.addressCounterId)
  const owners = await findOwners(tx, addresses)
  const adopted = addresses.filter(address => {
    const owner = owners.get(address)
    return owner?.localusermark === noUser.localusermark && owner.counterId === merchant.addressCounterId
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
  return { user, newBase, imported, known, adopted }
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
