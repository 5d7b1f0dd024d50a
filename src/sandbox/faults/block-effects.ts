import { hash } from 'node:crypto'
import { addressToHex, type TronAddress } from '../../tron/address.ts'
import { heightHex } from '../../tron/block-id.ts'
import { type NodeLog, transferTopic } from '../../tron/transfer-log.ts'
import { readAddress } from '../chain/control-texts.ts'
import { type SandboxBlock, strangerAddress, withHeader } from '../chain/sandbox-block.ts'
import { SandboxRefusal } from '../chain/sandbox-refusal.ts'
import { sandboxAddresses } from '../chain/sandbox-transactions.ts'
import { addressWord, type SandboxTransaction } from '../chain/transaction-facts.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'
import { onceEach, resignBlock, type Signed } from './resign-block.ts'

// Faults in a node's blocks. Infos and logs are those of the block as it is shown. Unless `signed` says otherwise, header and
// signature are those of the true block.

const usdt = addressToHex(sandboxAddresses.usdt)

/** Changes a block's id. Its parent is right, and the block after it names the right id as its parent. */
export function otherHash({ signed }: FaultOf<'other-hash'>): Effect {
  return changedBlock(signed, block =>
    withHeader(block, { witness_address: strangerAddress('of another block') }),
  )
}

/** Changes a block's parent to one that is not on the chain. */
export function wrongParent({ signed }: FaultOf<'wrong-parent'>): Effect {
  return changedBlock(signed, block => {
    const stray = hash('sha256', `stray ${block.id}`, 'hex').slice(16)
    return withHeader(block, { parentHash: heightHex(Math.max(0, block.height - 1)) + stray })
  })
}

/** Leaves a transaction, or all that pay an address, out of its block and of the infos. */
export function hiddenTransaction({ txid, to, signed }: FaultOf<'hidden-transaction'>): Effect {
  if (txid === undefined && to === undefined) throw new SandboxRefusal('hidden-transaction needs txid or to')
  const isHidden = chosenBy({ txid, to })
  return changedBlock(signed, block => ({
    ...block,
    transactions: block.transactions.filter(transaction => !isHidden(transaction)),
  }))
}

/** Shows a block's header, and no transactions and infos. */
export function headerOnly(): Effect {
  return { block: onceEach(block => ({ ...block, transactions: [] })) }
}

/** Has no block there, or none of those that pay an address, although it has later ones. */
export function withheldBlock({ to }: FaultOf<'withheld-block'>): Effect {
  const isPaid = to === undefined ? undefined : chosenBy({ to })
  return { block: block => (!isPaid || block.transactions.some(isPaid) ? null : block) }
}

/** Makes the effect of a change of blocks, which are then signed as the lie says. */
export function changedBlock(signed: Signed, change: (block: SandboxBlock) => SandboxBlock): Effect {
  return { block: onceEach(block => resignBlock(change(block), signed)) }
}

function chosenBy(fault: { txid?: string | undefined; to?: string | undefined }) {
  const pays = fault.to === undefined ? undefined : paysTo(readAddress('to', fault.to))
  return ({ id, logs }: SandboxTransaction) =>
    (fault.txid === undefined || id === fault.txid) && (!pays || logs.some(pays))
}

/** Tells whether a log is a USDT transfer to an address. @param to undefined: to anybody. */
export function paysTo(to: TronAddress | undefined): (log: NodeLog) => boolean {
  const word = to === undefined ? undefined : addressWord(to)
  return log => isTransfer(log) && (word === undefined || log.topics![2] === word)
}

export function isTransfer(log: NodeLog): boolean {
  return log.address === usdt && log.topics?.[0] === transferTopic && log.topics.length === 3
}
