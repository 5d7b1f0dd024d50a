import { createHash } from 'node:crypto'

/**
 * A callback's key: a function of the transfer that caused it and of nothing else, so that it is the same over retries,
 * resends, a rescan and a restored backup. Merchants deduplicate by it.
 * @param genesisId 64 hex digits; contract in base58check; txid 64 lower-case hex digits; logIndex in its transaction.
 * @returns `cb_` and the first 32 hex digits of the SHA-256 over the four, joined by colons.
 */
export function callbackKey(genesisId: string, contract: string, txid: string, logIndex: number): string {
  const hash = createHash('sha256').update(`${genesisId}:${contract}:${txid}:${logIndex}`, 'utf8')
  return `cb_${hash.digest('hex').slice(0, 32)}`
}
