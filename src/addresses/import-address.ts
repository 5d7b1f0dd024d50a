import { UsageError } from '../base/errors.ts'
import { type LockedCursor, lockCursor } from '../blocks/chain-store.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { lockCounter } from '../merchants/address-counter-store.ts'
import { lockMerchant } from '../merchants/merchant-store.ts'
import { parseTronAddress, type TronAddress } from '../tron/address.ts'
import type { User } from './deposit-address.ts'
import {
  type AddressRequest,
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

export interface ImportRequest extends Partial<Author> {
  appid: string
  localusermark: string
  /** The order whose own address a skipped one was; without it, the address serves any order of the user. */
  orderid?: string | undefined
  addresses: readonly string[]
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
  const orderid = request.orderid ?? null
  await adoptAddresses(tx, adopted, user, { base: newBase, orderid })
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
      ...authorOf(request),
      action: 'address.imported',
      subject: `merchant ${request.appid}`,
      merchantId: user.merchantId,
      detail: {
        localusermark: user.localusermark,
        addresses: imported,
        ...(adopted.length > 0 && { adopted, ...(orderid !== null && { orderid }) }),
        ...(fromBlock !== undefined && { fromBlock, named: [...imported, ...known, ...adopted] }),
      },
    })
  }
  return { imported, known, adopted }
}

/** Decides what an import does. The counter stays locked, so the user gets no other address until the transaction ends. */
async function planImport(
  tx: Tx,
  { appid, localusermark, addresses: texts, orderid: given }: ImportRequest,
): Promise<ImportedAddresses & { user: User; newBase: TronAddress | null }> {
  const orderid = given ?? null
  const addresses = readAddresses(localusermark, texts, orderid)
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
  if (orderid !== null) {
    const isKnown = known.every(address => owners.get(address)?.orderid === orderid)
    if (imported.length > 0 || !isKnown)
      throw new UsageError(
        "--orderid: only an address that was skipped after a restore can become an order's own",
      )
    if (adopted.length > 0) await requireUnassigned(tx, { ...user, orderid })
    return { user, newBase: null, imported, known, adopted }
  }
  const [base] = await findAssigned(tx, [{ ...user, orderid: null }])
  const newBase = base === null ? ([...adopted, ...imported][0] ?? null) : null
  return { user, newBase, imported, known, adopted }
}

/**
 * Checks that an order has neither an address of its own nor is there at another one: it was made again too soon.
 * @throws UsageError saying how the payer's money can still be credited.
 */
async function requireUnassigned(tx: Tx, request: AddressRequest & { orderid: string }): Promise<void> {
  const [assigned] = await findAssigned(tx, [request])
  if (assigned === null) return
  const elsewhere = assigned === 'order_at_other_address' ? 'at another address' : `at ${assigned!.address}`
  throw new UsageError(
    `order ${request.orderid} is there already, ${elsewhere}: import the address without --orderid, ` +
      'and have the merchant create an order with another orderid there',
  )
}

function readAddresses(
  localusermark: string,
  texts: readonly string[],
  orderid: string | null,
): TronAddress[] {
  const problems: string[] = []
  if (orderid !== null) {
    if (!/^\P{Cc}{1,50}$/u.test(orderid))
      problems.push('--orderid: 1 to 50 characters, no control characters')
    if (texts.length > 1) problems.push('--orderid: name one address')
  }
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
