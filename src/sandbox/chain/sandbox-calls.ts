import { usdt } from '../../base/money.ts'
import { addressToHex, type TronAddress } from '../../tron/address.ts'
import { type NodeLog, transferTopic } from '../../tron/transfer-log.ts'
import { contractCall, eventTopic, functionSelector, type TransactionStamp } from './contract-call.ts'
import { logsAfter, type PaymentOptions, sandboxAddresses, withUnknownField } from './sandbox-transactions.ts'
import { approvalTopic } from './token-event.ts'
import { addressWord, amountWord, type SandboxTransaction, transferLog } from './transaction-facts.ts'

/** The kinds of logs that a contract call can leave. */
export const callLogKinds = [
  'transfer', // of a token, by default USDT
  'approval', // a transfer with another first topic
  'nft', // a Transfer with four topics and no data
  'event', // any other event, without data
  'dirty-topic', // a Transfer with a byte in front of the recipient's address
  'short-data', // a Transfer whose amount is a byte short
] as const

/** One log of a call. Defaults: USDT, from the caller, to the contract called, amount 0. */
export interface CallLog {
  kind: (typeof callLogKinds)[number]
  to?: TronAddress | undefined
  from?: TronAddress | undefined
  token?: TronAddress | undefined
  /** Base units. */
  amount?: bigint | undefined
}

const runSelector = functionSelector('run()')
const ranTopic = eventTopic('Ran()')
/** The most a bigint column holds. The gateway cannot decode a larger amount. */
const amountMax = 2n ** 63n - 1n

/** Makes a transaction that calls a contract, by default the router, and leaves exactly these logs. */
export function makeCall(
  stamp: TransactionStamp,
  callLogs: readonly CallLog[],
  options: Omit<PaymentOptions, 'token'> = {},
): SandboxTransaction {
  const { from = sandboxAddresses.payer, through = sandboxAddresses.router, fail } = options
  const whole = callLogs.map(log => ({
    kind: log.kind,
    from: log.from ?? from,
    to: log.to ?? through,
    token: log.token ?? sandboxAddresses.usdt,
    amount: log.amount ?? 0n,
  }))
  const ofUsdt = whole
    .map((log, logIndex) => ({ ...log, logIndex }))
    .filter(({ token }) => !fail && token === sandboxAddresses.usdt)
  const transfers = ofUsdt.filter(({ kind, amount }) => kind === 'transfer' && amount > 0n)
  return {
    ...contractCall(withUnknownField(stamp, options), { from, contract: through, calldata: runSelector }),
    contract: through,
    result: fail ?? 'SUCCESS',
    logs: logsAfter(fail, whole.map(makeLog)),
    meant: {
      transfers: transfers
        .filter(({ amount }) => amount <= amountMax)
        .map(({ logIndex, from, to, amount }) => ({ logIndex, from, to, amount: usdt(amount) })),
      undecodable: ofUsdt
        .filter(log => isUnreadable(log.kind) || (log.kind === 'transfer' && log.amount > amountMax))
        .map(({ logIndex }) => logIndex),
    },
  }
}

function isUnreadable(kind: CallLog['kind']): boolean {
  return kind === 'dirty-topic' || kind === 'short-data'
}

interface WholeLog {
  kind: CallLog['kind']
  from: TronAddress
  to: TronAddress
  token: TronAddress
  amount: bigint
}

function makeLog({ kind, from, to, token, amount }: WholeLog): NodeLog {
  const address = addressToHex(token)
  const transfer = transferLog(token, from, to, amount)
  switch (kind) {
    case 'transfer':
      return transfer
    case 'approval':
      return { ...transfer, topics: [approvalTopic, ...transfer.topics!.slice(1)] }
    case 'nft':
      return { address, topics: [transferTopic, addressWord(from), addressWord(to), amountWord(amount)] }
    case 'event':
      return { address, topics: [ranTopic] }
    case 'dirty-topic': {
      // 41, the prefix that addresses have everywhere except in logs.
      const recipient = `${'0'.repeat(22)}41${addressWord(to).slice(24)}`
      return { ...transfer, topics: [transferTopic, addressWord(from), recipient] }
    }
    case 'short-data':
      return { ...transfer, data: transfer.data!.slice(2) }
  }
}
