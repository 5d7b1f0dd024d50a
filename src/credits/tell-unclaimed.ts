import type { DepositAddressId, MerchantId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import { eventKey } from '../callbacks/outbox/event.ts'
import { insertEvents } from '../callbacks/outbox/event-store.ts'
import { rows, type Tx } from '../db/pool.ts'
import type { CreditRules } from './credit-rules.ts'
import type { PendingTransfer } from './pending-transfer.ts'

/** Writes an event for each transfer that has become unclaimed now, for the merchants who ask for it. */
export async function tellUnclaimed(
  tx: Tx,
  rules: CreditRules,
  unclaimed: readonly PendingTransfer[],
): Promise<void> {
  const fresh = unclaimed.filter(({ reason }) => reason !== 'unclaimed')
  if (fresh.length === 0) return
  const asking = await askingAddresses(
    tx,
    fresh.map(({ depositAddressId }) => depositAddressId),
  )
  const events = fresh.flatMap(({ txid, logIndex, amount, depositAddressId }) => {
    const asked = asking.get(depositAddressId)
    if (!asked) return []
    const { merchantId, localusermark, address } = asked
    return {
      key: eventKey(rules, 'deposit.unclaimed', `${txid}:${logIndex}`),
      merchantId,
      event: 'deposit.unclaimed' as const,
      notifyUrl: null,
      says: { localusermark, address, txid, log_index: `${logIndex}`, amount_usdt: formatUsdt(amount) },
    }
  })
  await insertEvents(tx, events)
}

interface AskingAddress {
  merchantId: MerchantId
  localusermark: string
  address: string
}

/** Addresses that were skipped after a restore belong to no user, so nobody is told of them. */
async function askingAddresses(
  tx: Tx,
  ids: readonly DepositAddressId[],
): Promise<Map<DepositAddressId, AskingAddress>> {
  const found = await rows<AskingAddress & { id: DepositAddressId }>(
    tx,
    `select a.id, a.merchant_id as "merchantId", a.localusermark, a.address
       from deposit_address a
       join merchant m on m.id = a.merchant_id and 'deposit.unclaimed' = any(m.events)
      where a.id = any($1::bigint[]) and a.localusermark <> ''`,
    [[...new Set(ids)]],
  )
  return new Map(found.map(address => [address.id, address]))
}
