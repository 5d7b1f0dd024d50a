import type { UsdtTransfer } from '../block.ts'
import {
  createContractType,
  type SentBlock,
  type SentTransaction,
  type TokenCall,
  triggerContractType,
} from './sent-block.ts'

/** How the transfers of a block, as its logs have them, fit to what the senders of its transactions signed. */
export interface ComparedCalls {
  /** Transfers that are signed as they are: proof `signed`, when the block is verified. */
  signed: ReadonlySet<UsdtTransfer>
  /** Ids of transactions that call the token, succeeded, and show no transfer of it: a log may have been left out. */
  unlogged: string[]
  /** Ids of transactions that call the token and show another transfer, or several. A fee on transfers does that too. */
  differing: string[]
  /**
   * Ids that transfers name and that cannot have made them: by the block the transaction did not succeed, runs no contract,
   * or is not at that position. The logs are false, or the block is.
   */
  contradicted: string[]
}

/**
 * Compares the transfers of a block with the calls in its transactions.
 *
 * Logs are committed to nowhere: a node can move one, repeat it, or put it into another transaction. So a call proves one
 * log alone: of the same sender, recipient and amount, the only transfer of its transaction, and at position 0, where
 * a direct call has it. A transfer is recorded under its transaction and that position: at another one it would be credited again.
 * @param transfers all of the block, as the infos have them: without those of amount 0.
 */
export function compareCalls(transfers: readonly UsdtTransfer[], block: SentBlock): ComparedCalls {
  const signed = new Set<UsdtTransfer>()
  const compared = {
    signed,
    unlogged: [] as string[],
    differing: [] as string[],
    contradicted: [] as string[],
  }
  const shownAt = byPosition(transfers)
  for (const [txIndex, transaction] of block.transactions.entries()) {
    const shown = shownAt.get(txIndex) ?? []
    shownAt.delete(txIndex)
    const { txid, contractRet, call } = transaction
    if (shown.some(transfer => !canCome(transfer, transaction))) compared.contradicted.push(...txidsOf(shown))
    else if (call && contractRet === 'SUCCESS') {
      if (shown.length === 1 && isTheCall(shown[0]!, call)) signed.add(shown[0]!)
      else if (shown.length > 0) compared.differing.push(txid)
      else if (call.amount > 0n) compared.unlogged.push(txid)
    }
  }
  for (const beyond of shownAt.values()) compared.contradicted.push(...txidsOf(beyond))
  return compared
}

function byPosition(transfers: readonly UsdtTransfer[]): Map<number, UsdtTransfer[]> {
  const at = new Map<number, UsdtTransfer[]>()
  for (const transfer of transfers) {
    const others = at.get(transfer.txIndex)
    if (others) others.push(transfer)
    else at.set(transfer.txIndex, [transfer])
  }
  return at
}

/** A type that could not be read may be that of a contract call. */
function canCome(transfer: UsdtTransfer, { txid, contractRet, contractType }: SentTransaction): boolean {
  const runsContract =
    contractType === triggerContractType || contractType === createContractType || contractType === null
  return transfer.txid === txid && contractRet === 'SUCCESS' && runsContract
}

function isTheCall(transfer: UsdtTransfer, call: TokenCall): boolean {
  return (
    transfer.logIndex === 0 &&
    transfer.amount === call.amount &&
    transfer.toHex === call.toHex &&
    transfer.fromHex === call.fromHex
  )
}

function txidsOf(transfers: readonly UsdtTransfer[]): string[] {
  return [...new Set(transfers.map(({ txid }) => txid))]
}
