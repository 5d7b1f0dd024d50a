import { addressToBytes } from '../../tron/address.ts'
import { encodeElement, encodeProtobuf, type ProtobufField } from '../../tron/protobuf.ts'
import type { NodeLog } from '../../tron/transfer-log.ts'
import { contractRets } from '../../tron/verify/sent-block.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxTransaction } from '../chain/transaction-facts.ts'

// Messages as java-tron sends them over gRPC, by the numbers of their fields. The same facts as in java-tron-json.ts.

/** Writes a BlockExtention. @param detail with its transactions. */
export function blockMessage(block: SandboxBlock, detail: boolean): Buffer {
  return Buffer.concat([
    ...(detail ? block.transactions.map(one => encodeElement(1, transactionExtention(one))) : []),
    encodeElement(2, headerMessage(block)),
    encodeElement(3, hex(block.id)),
  ])
}

/** BlockHeader: 1 raw, 2 witness_signature. */
function headerMessage({ header }: SandboxBlock): Buffer {
  const raw = encodeProtobuf([
    [1, header.timestamp ?? 0],
    [2, hex(header.txTrieRoot)],
    [3, hex(header.parentHash)],
    [7, header.number ?? 0],
    [8, header.witness_id ?? 0],
    [9, hex(header.witness_address)],
    [10, header.version ?? 0],
    [11, hex(header.accountStateRoot)],
  ])
  return encodeElement(1, raw)
}

/** TransactionExtention: 1 Transaction, 2 txid, 4 Return {1 result}. */
function transactionExtention(transaction: SandboxTransaction): Buffer {
  return encodeProtobuf([
    [1, transactionMessage(transaction)],
    [2, hex(transaction.id)],
    [4, encodeProtobuf([[1, 1]])],
  ])
}

/** Transaction: 1 raw, 5 Result {3 contractRet}. A transaction given by its facts has no raw data. */
function transactionMessage({ raw, result }: SandboxTransaction): Buffer {
  return encodeProtobuf([
    [1, hex(raw?.hex)],
    [5, encodeProtobuf([[3, resultNumber(result ?? 'SUCCESS')]])],
  ])
}

/** Writes the TransactionInfo of one transaction of a block. */
export function infoMessage(block: SandboxBlock, { id, contract, result, logs }: SandboxTransaction): Buffer {
  const failed = result !== undefined && result !== 'SUCCESS'
  return Buffer.concat([
    encodeProtobuf([
      [1, hex(id)],
      [3, block.height],
      [4, block.timeMs],
    ]),
    encodeElement(5, contract && !failed ? Buffer.alloc(32) : Buffer.alloc(0)),
    encodeProtobuf([
      [6, contract ? Buffer.concat([Buffer.from([0x41]), addressToBytes(contract)]) : Buffer.alloc(0)],
    ]),
    encodeElement(7, receiptMessage(contract !== undefined, result)),
    ...logs.map(log => encodeElement(8, logMessage(log))),
    encodeProtobuf(failed ? failedFields(result) : []),
  ])
}

/** ResourceReceipt: 1 energy_usage, 4 energy_usage_total, 5 net_usage, 7 result. */
function receiptMessage(isCall: boolean, result: SandboxTransaction['result']): Buffer {
  if (!isCall) return encodeProtobuf([[5, 271]])
  return encodeProtobuf([
    [1, 64_285],
    [4, 64_285],
    [5, 345],
    [7, result ? resultNumber(result) : 0],
  ])
}

function failedFields(result: string): ProtobufField[] {
  return [
    [9, 1],
    [10, `the call ended with ${result}`],
  ]
}

/** TransactionInfo.Log: 1 address, 2 repeated topics, 3 data. */
function logMessage({ address, topics = [], data = '' }: NodeLog): Buffer {
  return Buffer.concat([
    encodeElement(1, hex(address)),
    ...topics.map(topic => encodeElement(2, hex(topic))),
    encodeProtobuf([[3, hex(data)]]),
  ])
}

/** Writes a list, the only field of its message. */
export function listMessage(elements: readonly Buffer[]): Buffer {
  return Buffer.concat(elements.map(element => encodeElement(1, element)))
}

function resultNumber(result: string): number {
  return contractRets.indexOf(result as (typeof contractRets)[number])
}

function hex(digits: string | undefined): Buffer {
  return Buffer.from(digits ?? '', 'hex')
}
