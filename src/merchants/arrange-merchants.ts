import type { BlockList } from 'node:net'
import type { MerchantId } from '../base/ids.ts'
import type { Logger } from '../base/log.ts'
import { isNetwork, networkList } from '../base/network-list.ts'
import type { Merchant, MerchantKey } from './merchant.ts'
import type { MerchantRow, MerchantRows, SealedRow } from './merchant-rows.ts'
import { openSecret, type SecretRow, webhookPurpose } from './sealed-secret.ts'

/** An opened secret, with the sealed bytes it was opened from. */
export interface OpenedSecret {
  sealed: Buffer
  text: string
}

/** All merchants of one snapshot. */
export interface ArrangedMerchants {
  version: bigint
  nextRetirementAt: Date | null
  byAppid: Map<string, Merchant>
  byId: Map<MerchantId, Merchant>
  /** There are secrets, and none of them opens: they were sealed under another master key. */
  opensNothing: boolean
}

/**
 * Builds merchants from their rows. A secret that does not open, or an allowed client that is not a network, is left out
 * and logged: one damaged row must not stop the other merchants.
 * @param opened a cache by row, so that a change to one merchant does not open the secrets of ten thousand.
 */
export function arrangeMerchants(
  rows: MerchantRows,
  masterKey: Buffer,
  opened: Map<string, OpenedSecret>,
  log: Logger,
): ArrangedMerchants {
  const kept = new Set<string>()
  let unopened = 0
  const open = (table: SecretRow['table'], row: SealedRow, purpose: string): string | null => {
    const name = `${table} ${row.id} ${row.merchantId} ${purpose}`
    const before = opened.get(name)
    kept.add(name)
    if (before?.sealed.equals(row.sealed)) return before.text
    try {
      const text = openSecret(
        masterKey,
        { table, id: row.id, merchantId: row.merchantId, purpose },
        row.sealed,
      )
      opened.set(name, { sealed: row.sealed, text })
      return text
    } catch (err) {
      unopened++
      log.error({ err, table, rowId: row.id, merchantId: row.merchantId }, 'merchant.secret_not_opened')
      return null
    }
  }
  const keys = new Map<MerchantId, MerchantKey[]>()
  for (const row of rows.keys) {
    const key = open('merchant_key', row, row.scheme)
    if (key !== null)
      add(keys, row.merchantId, { id: row.id, scheme: row.scheme, key, promoted: row.promoted })
  }
  const secrets = new Map<MerchantId, string[]>()
  for (const row of rows.secrets) {
    const secret = open('webhook_secret', row, webhookPurpose)
    if (secret !== null) add(secrets, row.merchantId, secret)
  }
  for (const name of opened.keys()) if (!kept.has(name)) opened.delete(name)
  const merchants = rows.merchants.map(
    (row): Merchant => ({
      ...row,
      allowedClients: allowedClientsOf(row, log),
      keys: keys.get(row.id) ?? [],
      webhookSecrets: secrets.get(row.id) ?? [],
    }),
  )
  return {
    version: rows.version,
    nextRetirementAt: rows.nextRetirementAt,
    byAppid: new Map(merchants.map(merchant => [merchant.appid, merchant])),
    byId: new Map(merchants.map(merchant => [merchant.id, merchant])),
    opensNothing: unopened > 0 && unopened === rows.keys.length + rows.secrets.length,
  }
}

/** Reads the networks that a merchant may call from; null: any. A list without a readable entry allows no client. */
function allowedClientsOf({ id, allowedClients }: MerchantRow, log: Logger): BlockList | null {
  if (allowedClients.length === 0) return null
  const networks = allowedClients.filter(isNetwork)
  if (networks.length < allowedClients.length)
    log.error(
      { merchantId: id, unread: allowedClients.length - networks.length },
      'merchant.clients_not_read',
    )
  return networkList(networks)
}

function add<T>(lists: Map<MerchantId, T[]>, id: MerchantId, item: T): void {
  const list = lists.get(id)
  if (list) list.push(item)
  else lists.set(id, [item])
}
