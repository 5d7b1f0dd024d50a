import type { Tx } from '../db/pool.ts'
import { transfersToUs } from '../transfers/transfer-store.ts'
import { addressFromHex } from '../tron/address.ts'
import type { SolidBlock, UsdtTransfer } from '../tron/block.ts'
import type { PendingProof } from './pending-proof-store.ts'

/** Finds in a block the version of a transfer, as that block shows it. @returns undefined when it shows none such. */
function shownIn(block: SolidBlock, version: PendingProof): UsdtTransfer | undefined {
  if (block.hash !== version.hash) return undefined
  return block.transfers.find(
    transfer =>
      transfer.txid === version.txid &&
      transfer.logIndex === version.logIndex &&
      transfer.amount === version.amount &&
      addressFromHex(transfer.fromHex) === version.from &&
      addressFromHex(transfer.toHex) === version.to,
  )
}

/** Tells whether a block shows this version: the same block, transaction, position, sender, recipient and amount. */
export function shows(block: SolidBlock, version: PendingProof): boolean {
  return shownIn(block, version) !== undefined
}

/** Tells whether readings prove a version: it is signed in a verified one, or two hosts have shown it by now. */
export function isProved(
  readings: readonly SolidBlock[],
  version: PendingProof,
  hostOf: (node: string) => string,
): boolean {
  const showing = readings.filter(reading => shows(reading, version))
  if (showing.some(one => one.unverified === null && shownIn(one, version)!.signed)) return true
  const hosts = new Set([...showing.map(({ node }) => hostOf(node)), ...version.hosts])
  return showing.length > 0 && hosts.size >= 2
}

/**
 * Tells whether readings decide everything about a block, so that no further host has to be asked. What two hosts deny may be
 * what a third one proves: for a rejection all are asked.
 */
export function isEnough(
  readings: readonly SolidBlock[],
  about: {
    pending: readonly PendingProof[]
    block: { hash: string } | undefined
    hostOf: (node: string) => string
  },
): boolean {
  const { pending, block, hostOf } = about
  const decided = pending.every(version => isProved(readings, version, hostOf))
  if (!decided || !block) return decided
  const same = readings.filter(({ hash }) => hash === block.hash)
  if (same.some(({ unverified }) => unverified === null)) return true
  return same.some((a, i) =>
    same
      .slice(i + 1)
      .some(b => hostOf(a.node) !== hostOf(b.node) && keysOf(a.transfers) === keysOf(b.transfers)),
  )
}

/** Makes a comparison of readings by what they pay our addresses: what others are paid does not matter. */
export async function alikeFor(
  tx: Tx,
  readings: readonly SolidBlock[],
  firstHeight: number,
): Promise<(a: SolidBlock, b: SolidBlock) => boolean> {
  const paid = new Map<SolidBlock, UsdtTransfer[]>(readings.map(reading => [reading, []]))
  for (const { block, transfer } of await transfersToUs(tx, readings, firstHeight)) {
    paid.get(block)!.push(transfer)
  }
  return (a, b) => a.hash === b.hash && keysOf(paid.get(a)!) === keysOf(paid.get(b)!)
}

function keysOf(transfers: readonly UsdtTransfer[]): string {
  return transfers
    .map(({ txid, logIndex, fromHex, toHex, amount }) => [txid, logIndex, fromHex, toHex, amount].join(' '))
    .sort()
    .join('\n')
}
