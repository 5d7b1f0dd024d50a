import { hash } from 'node:crypto'
import { addressFromBytes } from '../../tron/address.ts'
import type { NodeLog } from '../../tron/transfer-log.ts'
import { type CallData, encodeCall } from '../chain/contract-call.ts'
import { readAddress, readAmount } from '../chain/control-texts.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import { makePayment, sandboxAddresses, transferSelector } from '../chain/sandbox-transactions.ts'
import { contractRet } from '../chain/transaction-bytes.ts'
import { addressWord, amountWord, type SandboxTransaction, transferLog } from '../chain/transaction-facts.ts'
import { changedBlock, isTransfer, paysTo } from './block-effects.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'
import type { Signed } from './resign-block.ts'

// Lies about transfers: one that did not happen, another amount or recipient, one that is hidden, a result that is false.

/** Another sender than any true payment's, so that a forged transaction never has the id of a true one. */
const forger = addressFromBytes(hash('sha256', 'sandbox forger', 'buffer').subarray(0, 20))

/** Adds a transfer that did not happen, with a transaction of its own, to each block in the fault's scope. */
export function forgedTransfer(fault: FaultOf<'forged-transfer'>): Effect {
  const payment = { to: readAddress('to', fault.to), amount: readAmount(fault.amount) }
  return changedBlock(fault.signed, block => ({
    ...block,
    transactions: [...block.transactions, forgedPayment(block, payment)],
  }))
}

/** Makes a transaction that is as real as any, for a payment that did not happen. */
export function forgedPayment(
  { timeMs, header }: Pick<SandboxBlock, 'timeMs' | 'header'>,
  payment: Parameters<typeof makePayment>[1][number],
): SandboxTransaction {
  const stamp = { refBlock: { id: header.parentHash! }, timeMs, seed: 'forger', unknownFields: 0 }
  return makePayment(stamp, [payment], { from: forger })
}

/** Adds the log of a transfer that did not happen to a stranger's transaction: the last that succeeded, or the one named. */
export function forgedLog(fault: FaultOf<'forged-log'>): Effect {
  const log = transferLog(
    sandboxAddresses.usdt,
    forger,
    readAddress('to', fault.to),
    readAmount(fault.amount),
  )
  return changedBlock('kept', block => {
    const chosen = block.transactions.findLast(({ id, result }) =>
      fault.txid === undefined ? result === 'SUCCESS' : id === fault.txid,
    )
    return changedTransactions(block, transaction =>
      transaction === chosen ? { ...transaction, logs: [...transaction.logs, log] } : transaction,
    )
  })
}

/** Changes the amount of all USDT transfers, or of one transaction's. */
export function forgedAmount({ amount, ...fault }: FaultOf<'forged-amount'>): Effect {
  const word = amountWord(readAmount(amount))
  return changedTransfers(fault, { log: log => ({ ...log, data: word }), amount: word })
}

/** Changes the recipient of all USDT transfers, or of one transaction's. */
export function forgedRecipient({ to, ...fault }: FaultOf<'forged-recipient'>): Effect {
  const word = addressWord(readAddress('to', to))
  return changedTransfers(fault, {
    log: log => ({ ...log, topics: [log.topics![0]!, log.topics![1]!, word] }),
    recipient: word,
  })
}

/** Leaves the logs of USDT transfers out: all, those of one transaction, or those that pay an address. */
export function hiddenLog({ txid, to }: FaultOf<'hidden-log'>): Effect {
  const isHidden = paysTo(to === undefined ? undefined : readAddress('to', to))
  return changedBlock('kept', block =>
    changedTransactions(block, transaction =>
      txid === undefined || transaction.id === txid
        ? { ...transaction, logs: transaction.logs.filter(log => !isHidden(log)) }
        : transaction,
    ),
  )
}

/** Changes what became of all calls, or of one transaction: in the block and the info alike, or in one of them. */
export function falseResult({ result, txid, where, signed }: FaultOf<'false-result'>): Effect {
  const keepsLogs = result === 'SUCCESS' || result === 'OUT_OF_TIME'
  return changedBlock(signed, block =>
    changedTransactions(block, transaction => {
      const { id, result: before, logs } = transaction
      if (before === undefined || (txid !== undefined && id !== txid)) return transaction
      if (where === 'block') return { ...transaction, contractRet: result }
      const inBlock = where === 'info' ? contractRet(transaction) : result
      return { ...transaction, result, contractRet: inBlock, logs: keepsLogs ? logs : [] }
    }),
  )
}

function changedTransactions(
  block: SandboxBlock,
  change: (transaction: SandboxTransaction) => SandboxTransaction,
): SandboxBlock {
  return { ...block, transactions: block.transactions.map(change) }
}

function changedTransfers(
  { txid, call, signed }: { txid?: string | undefined; call?: boolean | undefined; signed?: Signed },
  to: { log: (log: NodeLog) => NodeLog; recipient?: string; amount?: string },
): Effect {
  return changedBlock(signed, block =>
    changedTransactions(block, transaction => {
      if (txid !== undefined && transaction.id !== txid) return transaction
      const logs = transaction.logs.map(log => (isTransfer(log) ? to.log(log) : log))
      return { ...transaction, logs, ...(call && changedCall(transaction, to)) }
    }),
  )
}

/** Changes a call of `transfer`, and so its transaction's id. Signatures stay: nobody can check them without the account. */
function changedCall(
  { raw, contract }: SandboxTransaction,
  to: { recipient?: string; amount?: string },
): Partial<SandboxTransaction> {
  if (!raw || contract !== sandboxAddresses.usdt) return {}
  const data = structuredClone(raw.data) as CallData
  const { value } = data.contract[0]!.parameter
  if (!value.data.startsWith(transferSelector)) return {}
  const [recipient, amount] = [value.data.slice(8, 72), value.data.slice(72)]
  value.data = transferSelector + (to.recipient ?? recipient) + (to.amount ?? amount)
  return encodeCall(data)
}
