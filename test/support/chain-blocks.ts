import { createHash } from 'node:crypto'
import { usdt } from '../../src/base/money.ts'
import type { SolidBlock } from '../../src/tron/block.ts'

/** A payment of a made-up block: base units to an address's 20 bytes. */
export interface Payment {
  toBytes: Buffer
  units: bigint
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Any 20 bytes, the same for the same name. */
export function bytesFor(name: string): Buffer {
  return digest(name).subarray(0, 20)
}

/**
 * A solidified block as the node client gives it, one transaction per list of payments.
 * @param parent a block, or null for one that follows on the genesis of `seed`.
 */
export function makeBlock(
  seed: string,
  parent: { height: number; hash: string } | null,
  time: Date,
  transactions: readonly (readonly Payment[])[],
): SolidBlock {
  const height = (parent?.height ?? 0) + 1
  return {
    height,
    hash: digest(`${seed} block ${height}`).toString('hex'),
    parentHash: parent?.hash ?? digest(`${seed} block 0`).toString('hex'),
    time,
    transactionCount: transactions.length,
    undecodable: [],
    alarms: [],
    undone: [],
    unverified: null,
    node: 'node',
    transfers: transactions.flatMap((payments, txIndex) =>
      payments.map(({ toBytes, units }, logIndex) => ({
        txid: digest(`${seed} ${height} ${txIndex}`).toString('hex'),
        txIndex,
        logIndex,
        fromHex: bytesFor('payer').toString('hex'),
        toHex: toBytes.toString('hex'),
        amount: usdt(units),
        signed: true,
      })),
    ),
  }
}
