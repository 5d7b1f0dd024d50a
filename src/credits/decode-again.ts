import assert from 'node:assert/strict'
import { readHeaders } from '../blocks/block-store.ts'
import type { Tx } from '../db/pool.ts'
import type { Quarantined } from '../transfers/quarantine-store.ts'
import { addressToHex, parseTronAddress } from '../tron/address.ts'
import { decodeTransferLog, type NodeLog } from '../tron/transfer-log.ts'
import { type ShownBlock, unknownNode } from './record-proved.ts'

/** A quarantined log, decoded again. */
export type DecodedAgain =
  /** A block with this transfer only, to be recorded. */
  | { kind: 'transfer'; block: ShownBlock }
  | { kind: 'no transfer' | 'zero' | 'no header' }
  | { kind: 'undecodable'; reason: string }

/**
 * Decodes a quarantined log with the present code. The block's id and time come from its recorded header. The result is
 * `no header` when that is missing, or when the transaction's position was not kept.
 * @param usdtContract base58check, of the chain the database is bound to.
 */
export async function decodeAgain(
  tx: Tx,
  usdtContract: string,
  { txid, txIndex, logIndex, height, log }: Quarantined,
): Promise<DecodedAgain> {
  const contract = parseTronAddress(usdtContract)
  assert(contract, 'the contract in chain_cursor is an address')
  const decoded = decodeTransferLog(log as NodeLog, addressToHex(contract))
  if (decoded === null) return { kind: 'no transfer' }
  if (decoded.kind === 'undecodable') return decoded
  if (decoded.amount === 0n) return { kind: 'zero' }
  const [header] = await readHeaders(tx, { from: height, to: height })
  if (!header || txIndex === null) return { kind: 'no header' }
  const { fromHex, toHex, amount } = decoded
  return {
    kind: 'transfer',
    // The node that sent the log was not kept, so any node counts as a second one.
    block: {
      ...header,
      node: unknownNode,
      unverified: null,
      transfers: [{ txid, txIndex, logIndex, fromHex, toHex, amount, signed: false }],
    },
  }
}
