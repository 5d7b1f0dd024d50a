import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import {
  type BlockParts,
  blockMessage,
  producerKey,
  rawData,
  resultMessage,
  token,
  transaction,
  transferData,
  triggerMessage,
  trxRawData,
  txidOf,
} from '../verify/block-messages.ts'
import { type InfoJson, payee, payer, transferLog } from './info-messages.ts'

// The block that the client's tests are shown, the same over both transports. It is verified. Of its five transactions the
// first is a transfer, the second not a call, the third a contract's call with two transfers among others, the fourth a
// failure, the fifth a transfer of zero.

export const height = 84_940_364
export const timeMs = 1_785_491_841_000
export const parentHash = `000000000510164b${'cd'.repeat(24)}`
/** A contract that is not the token. */
export const lookalike = 'eca9bc828a3005b9a3b909f2cc5c2a54794de05f'
export const approvalTopic = '8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925'

const rawTransfer = (usdtAmount: number) =>
  rawData(triggerMessage(transferData(payee, BigInt(usdtAmount * 1_000_000)), token, payer))
const rawContractCall = rawData(triggerMessage('aa0dae60', lookalike, payer))

export const transactions: readonly Buffer[] = [
  transaction(rawTransfer(1)),
  transaction(trxRawData(payer, payee, 8)),
  transaction(rawContractCall),
  transaction(rawTransfer(4), undefined, [resultMessage('OUT_OF_ENERGY')]),
  transaction(rawTransfer(0)),
]

/** The same, but the first and the third ran out of time. */
export const outOfTimeTransactions: readonly Buffer[] = transactions
  .with(0, transaction(rawTransfer(1), undefined, [resultMessage('OUT_OF_TIME')]))
  .with(2, transaction(rawContractCall, undefined, [resultMessage('OUT_OF_TIME')]))

export const { secret: key, address: producer } = producerKey('five')

/** The block as gRPC sends it. */
export function fiveBlock(change: Partial<BlockParts> = {}): Buffer {
  return blockMessage({ height, parentHash, timeMs, transactions, producer, key, ...change })
}

export const hash = sentBlockOfMessage(fiveBlock(), token)!.id

/** @param index from 5 on: the id of a transaction that is not in the block. */
export function txid(index: number): string {
  return index < transactions.length ? txidOf(transactions[index]!) : String(index).repeat(64)
}

/** Its infos, with members changed. */
export function fiveInfos(changes: Record<number, object> = {}): InfoJson[] {
  const success = { receipt: { result: 'SUCCESS' } }
  const others = [
    { ...usdtLog(9), topics: [approvalTopic] },
    { ...usdtLog(9), address: lookalike },
  ] as const
  const each = [
    { ...success, log: [usdtLog(1)] },
    { receipt: { net_usage: 271 } },
    { ...success, log: [others[0], usdtLog(2), others[1], usdtLog(3)] },
    { receipt: { result: 'OUT_OF_ENERGY' }, result: 'FAILED' },
    { ...success, log: [usdtLog(0)] },
  ]
  return each.map((info, i) => ({
    id: txid(i),
    blockNumber: height,
    blockTimeStamp: timeMs,
    ...info,
    ...changes[i],
  }))
}

export function usdtLog(usdtAmount: number) {
  return transferLog(usdtAmount * 1_000_000)
}
