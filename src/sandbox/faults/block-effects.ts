import { hash } from 'node:crypto'
import { addressToBytes } from '../../tron/address.ts'
import { heightHex } from '../../tron/block-id.ts'
import { type NodeLog, transferTopic } from '../../tron/transfer-log.ts'
import { readAddress, readAmount } from '../chain/control-texts.ts'
import { producerAddress, withHeader } from '../chain/sandbox-block.ts'
import { sandboxAddresses } from '../chain/sandbox-transactions.ts'
import { addressWord, amountWord, type SandboxTransaction, transferLog } from '../chain/transaction-facts.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

// Nodes whose blocks are others than the chain's. What they say is whole and fits together, infos and logs included.

const usdt = addressToBytes(sandboxAddresses.usdt).toString('hex')

/** A block that follows on the right parent and has another id; the block after it follows on the right one. */
export function otherHash(): Effect {
  return { block: block => withHeader(block, { witness_address: producerAddress('of another block') }) }
}

/** A block whose parent is none of the chain's. */
export function wrongParent(): Effect {
  return {
    block: block => {
      const stray = hash('sha256', `stray ${block.id}`, 'hex').slice(16)
      return withHeader(block, { parentHash: heightHex(Math.max(0, block.height - 1)) + stray })
    },
  }
}

/** A transfer that never was, one in each block the fault covers. The block's id stays: only another node can tell. */
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

/** USDT transfers of another amount than they were: all of them, or one transaction's. */
export function forgedAmount({ amount, txid }: FaultOf<'forged-amount'>): Effect {
  const data = amountWord(readAmount(amount))
  return changedTransfers(txid, log => ({ ...log, data }))
}

/** USDT transfers to somebody else than they went to. */
export function forgedRecipient({ to, txid }: FaultOf<'forged-recipient'>): Effect {
  const word = addressWord(readAddress('to', to))
  return changedTransfers(txid, log => ({ ...log, topics: [log.topics![0]!, log.topics![1]!, word] }))
}

/** A block without one of its transactions, in the list and in the infos. */
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
