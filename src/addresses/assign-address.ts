import { GatewayError } from '../base/errors.ts'
import { failpoint } from '../base/failpoint.ts'
import type { AddressCounterId } from '../base/ids.ts'
import { inTransaction, type Pool, promptlyMs, type Tx } from '../db/pool.ts'
import { shareRoundTrips } from '../db/shared-round-trip.ts'
import { lockCounter } from '../merchants/address-counter-store.ts'
import { type AccountKey, deriveAddress, parseAccountKey } from '../tron/account-key.ts'
import type { TronAddress } from '../tron/address.ts'
import { type AddressWitness, openAddressWitness } from './address-witness.ts'
import type { DepositAddress } from './deposit-address.ts'
import {
  type AddressRequest,
  type Assigned,
  findAssigned,
  findExisting,
  insertAddresses,
} from './deposit-address-store.ts'

/**
 * Assigns an address: the user's base address, or with an orderid the order's own. Repeated, it returns the same one.
 * @param counterId the merchant's counter, from which a new address takes its index.
 * @throws GatewayError orderid_conflict when the orderid's address is another user's, or its order exists at another
 *   address; unavailable when the account has no index left, or addresses may have been lost by a failover.
 */
export type AssignAddress = (request: AddressRequest, counterId: AddressCounterId) => Promise<DepositAddress>

/** The last index an address can be derived at. */
const indexMax = 0x7fffffff

/**
 * Opens the assignment of addresses. Requests that need new ones at the same time share a transaction and its lock.
 * @param witness of this process, which is asked before an address is assigned, and told after.
 */
export function openAssignment(pool: Pool, witness = openAddressWitness({ pool })): AssignAddress {
  const find = shareRoundTrips({
    run: (requests: readonly AddressRequest[]) => findAssigned(pool, requests),
    itemsMax: 256,
    waitingMax: 4_096,
    inFlightMax: 2,
  })
  // One queue for each counter, so that one connection waits for its lock instead of the whole pool.
  const queues = new Map<AddressCounterId, (request: AddressRequest) => Promise<Assigned>>()
  // Parsed once: parsing costs a derivation, and a counter's key never changes.
  const accounts = new Map<string, AccountKey>()
  const readAccount = (xpub: string) => {
    const account = accounts.get(xpub) ?? parseAccountKey(xpub)
    accounts.set(xpub, account)
    return account
  }
  const assignNew = (counterId: AddressCounterId) => {
    const queue =
      queues.get(counterId) ??
      shareRoundTrips({
        run: async (requests: readonly AddressRequest[]) => {
          const { assigned, nextIndex } = await witness.assigning(() =>
            inTransaction(
              pool,
              tx => takeIndexes(tx, { counterId, witness, readAccount }, requests),
              promptlyMs,
            ),
          )
          failpoint('address:after-commit')
          await witness.remember(counterId, nextIndex)
          return assigned
        },
        itemsMax: 64,
        waitingMax: 4_096,
        inFlightMax: 1,
      })
    queues.set(counterId, queue)
    return queue
  }
  return async (request, counterId) => {
    const assigned = (await find(request)) ?? (await assignNew(counterId)(request))
    if (assigned === 'order_at_other_address') {
      throw new GatewayError('orderid_conflict', 'orderid: this order exists already, at another address')
    }
    if (assigned.localusermark !== request.localusermark) {
      throw new GatewayError(
        'orderid_conflict',
        'orderid: its address was assigned before, to another localusermark',
      )
    }
    return assigned
  }
}

/** Assigns new addresses under the counter's lock. Looks again first: a replica may have assigned them meanwhile. */
async function takeIndexes(
  tx: Tx,
  {
    counterId,
    witness,
    readAccount,
  }: { counterId: AddressCounterId; witness: AddressWitness; readAccount: (xpub: string) => AccountKey },
  requests: readonly AddressRequest[],
): Promise<{ assigned: Assigned[]; nextIndex: number }> {
  const counter = await lockCounter(tx, counterId)
  const found = await findAssigned(tx, requests)
  const missing = new Map<string, AddressRequest>()
  requests.forEach((r, i) => {
    if (!found[i] && !missing.has(requestKey(r))) missing.set(requestKey(r), r)
  })
  const account = readAccount(counter.xpub)
  const fresh = await deriveFresh(tx, account, counter.nextIndex, missing.size)
  const inserted = await insertAddresses(
    tx,
    [...missing.values()].map((r, i) => ({
      ...r,
      address: fresh[i]!.address,
      isBase: r.orderid === null,
      derived: { counterId, index: fresh[i]!.index },
    })),
  )
  const nextIndex = fresh.length > 0 ? fresh.at(-1)!.index + 1 : counter.nextIndex
  if (fresh.length > 0) await witness.move(tx, counter, nextIndex)
  failpoint('address:before-commit')
  const assigned = new Map([...missing.keys()].map((name, i) => [name, inserted[i]!]))
  return { assigned: requests.map((r, i) => found[i] ?? assigned.get(requestKey(r))!), nextIndex }
}

/** Derives `count` addresses from an index on, leaving out those that exist already, such as imported ones. */
async function deriveFresh(
  tx: Tx,
  account: AccountKey,
  firstIndex: number,
  count: number,
): Promise<{ index: number; address: TronAddress }[]> {
  const fresh: { index: number; address: TronAddress }[] = []
  for (let next = firstIndex; fresh.length < count; ) {
    const derived: { index: number; address: TronAddress }[] = []
    for (; derived.length < count - fresh.length; next++) {
      if (next > indexMax)
        throw new GatewayError(
          'unavailable',
          'no address is left to assign: the account key has no index left',
          { retryAfterS: 60 },
        )
      derived.push({ index: next, address: deriveAddress(account, next) })
    }
    const existing = await findExisting(
      tx,
      derived.map(({ address }) => address),
    )
    fresh.push(...derived.filter(({ address }) => !existing.has(address)))
  }
  return fresh
}

/** Names the address that a request asks for: equal requests share it. */
function requestKey(request: AddressRequest): string {
  return JSON.stringify(
    request.orderid === null
      ? [String(request.merchantId), request.localusermark]
      : [String(request.merchantId), null, request.orderid],
  )
}
