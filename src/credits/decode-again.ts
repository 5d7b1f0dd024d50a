import assert from 'node:assert/strict'
import { readHeaders } from '../blocks/block-store.ts'
import type { Tx } from '../db/pool.ts'
import type { Quarantined } from '../transfers/quarantine-store.ts'
import type { BlockOfTransfers } from '../transfers/transfer-store.ts'
import { addressToBytes, parseTronAddress } from '../tron/address.ts'
import { decodeTransferLog, type NodeLog } from '../tron/transfer-log.ts'

/** What a parked log says now. */
export type DecodedAgain =
  /** A block of nothing but this transfer, to be recorded. */
  | { kind: 'transfer'; block: BlockOfTransfers & { node: string } }
  | { kind: 'no transfer' | 'zero' | 'no header' }
  | { kind: 'undecodable'; reason: string }

/**
 * Decodes a parked log as today's code reads it. Its block's id and time are its recorded header's; `no header`, when
 * that is missing or its transaction's position was not kept.
 * @param usdtContract base58check, as pinned.
 */
export async function decodeAgain(
  tx: Tx,
  usdtContract: string,
  { txid, txIndex, logIndex, height, log }: Quarantined,
): Promise<DecodedAgain> {
  const contract = parseTronAddress(usdtContract)
  assert(contract, 'the pinned contract is an address')
  const decoded = decodeTransferLog(log as NodeLog, addressToBytes(contract).toString('hex'))
  if (decoded === null) return { kind: 'no transfer' }
  if (decoded.kind === 'undecodable') return decoded
  if (decoded.amount === 0n) return { kind: 'zero' }
  const [header] = await readHeaders(tx, { from: height, to: height })
  if (!header || txIndex === null) return { kind: 'no header' }
  const { fromBytes, toBytes, amount } = decoded
  return {
    kind: 'transfer',
    // Which node sent the log was not kept: any will do as the second.
    block: {
      ...header,
      node: 'unknown',
      transfers: [{ txid, txIndex, logIndex, fromBytes, toBytes, amount }],
    },
  }
}
