import { hash } from 'node:crypto'
import { addressToBytes } from '../../tron/address.ts'
import { heightHex } from '../../tron/block-id.ts'
import { type NodeLog, transferTopic } from '../../tron/transfer-log.ts'
import { readAddress, readAmount } from '../chain/control-texts.ts'
import { strangerAddress, withHeader } from '../chain/sandbox-block.ts'
import { sandboxAddresses } from '../chain/sandbox-transactions.ts'
import { addressWord, amountWord, type SandboxTransaction, transferLog } from '../chain/transaction-facts.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

// Faults in a node's blocks. Each block is complete and consistent in itself, infos and logs included, and is not the chain's.

const usdt = addressToBytes(sandboxAddresses.usdt).toString('hex')

/** Changes a block's id. Its parent is right, and the block after it names the right id as its parent. */
export function otherHash(): Effect {
  return { block: block => withHeader(block, { witness_address: strangerAddress('of another block') }) }
}

/** Changes a block's parent to one that is not on the chain. */
export function wrongParent(): Effect {
  return {
    block: block => {
      const stray = hash('sha256', `stray ${block.id}`, 'hex').slice(16)
      return withHeader(block, { parentHash: heightHex(Math.max(0, block.height - 1)) + stray })
    },
  }
}

/** Adds a transfer that did not happen to each block in the fault's scope. The id stays: only another node shows the difference. */
export function forgedTransfer(fault: FaultOf<'forged-transfer'>): Effect {
  const to = readAddress('to', fault.to)
  const amount = readAmount(fault.amount)
  return {
    block: block => {
      const forged: SandboxTransaction = {
        id: hash('sha256', `forged ${to} ${amount} ${block.height}`, 'hex'),
        contract: sandboxAddresses.usdt,
        result: 'SUCCESS',
        logs: [transferLog(sandboxAddresses.usdt, sandboxAddresses.payer, to, amount)],
      }
      return { ...block, transactions: [...block.transactions, forged] }
    },
  }
}

/** Changes the amount of all USDT transfers, or of one transaction's. */
export function forgedAmount({ amount, txid }: FaultOf<'forged-amount'>): Effect {
  const data = amountWord(readAmount(amount))
  return changedTransfers(txid, log => ({ ...log, data }))
}

/** Changes the recipient of all USDT transfers, or of one transaction's. */
export function forgedRecipient({ to, txid }: FaultOf<'forged-recipient'>): Effect {
  const word = addressWord(readAddress('to', to))
  return changedTransfers(txid, log => ({ ...log, topics: [log.topics![0]!, log.topics![1]!, word] }))
}

/** Leaves a transaction out of its block and of the infos. */
export function hiddenTransaction({ txid }: FaultOf<'hidden-transaction'>): Effect {
  return {
    block: block => ({ ...block, transactions: block.transactions.filter(({ id }) => id !== txid) }),
  }
}

function changedTransfers(txid: string | undefined, change: (log: NodeLog) => NodeLog): Effect {
  const isTransfer = (log: NodeLog) =>
    log.address === usdt && log.topics?.[0] === transferTopic && log.topics.length === 3
  return {
    block: block => ({
      ...block,
      transactions: block.transactions.map(transaction =>
        txid === undefined || transaction.id === txid
          ? { ...transaction, logs: transaction.logs.map(log => (isTransfer(log) ? change(log) : log)) }
          : transaction,
      ),
    }),
  }
}
