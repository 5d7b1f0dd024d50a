import { addressToBytes } from '../../tron/address.ts'
import { headerBytes } from '../../tron/block-id.ts'
import { encodeElement, encodeProtobuf, type ProtobufField } from '../../tron/protobuf.ts'
import type { NodeLog } from '../../tron/transfer-log.ts'
import type { ListedProducer, Producer } from '../chain/producers.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import { resultNumbers, transactionBytes } from '../chain/transaction-bytes.ts'
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
function headerMessage({ header, signature }: SandboxBlock): Buffer {
  return encodeProtobuf([
    [1, headerBytes(header)],
    [2, hex(signature)],
  ])
}

/** TransactionExtention: 1 Transaction, 2 txid, 4 Return {1 result}. */
function transactionExtention(transaction: SandboxTransaction): Buffer {
  return encodeProtobuf([
    [1, transactionBytes(transaction)],
    [2, hex(transaction.id)],
    [4, encodeProtobuf([[1, 1]])],
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
    [7, result ? resultNumbers[result] : 0],
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

/** Writes a WitnessList {1 Witness {1 address, 2 voteCount, 4 url, 9 isJobs}}, those with the most votes first. */
export function witnessesMessage(witnesses: readonly ListedProducer[]): Buffer[] {
  return witnesses.map(({ address, voteCount, url, isJobs }) =>
    encodeProtobuf([
      [1, hex(address)],
      [2, voteCount],
      [4, url],
      [9, isJobs ? 1 : 0],
    ]),
  )
}

/** Account: 3 address, 14 is_witness, 31 owner_permission, 32 witness_permission, 33 active_permission. */
export function producerAccountMessage({ address, signer, hasPermission }: Producer): Buffer {
  const permission = (name: string, numbers: { type: number; id: number }, key: string) =>
    encodeProtobuf([
      [1, numbers.type],
      [2, numbers.id],
      [3, name],
      [4, 1],
      [
        7,
        encodeProtobuf([
          [1, hex(key)],
          [2, 1],
        ]),
      ],
    ])
  return encodeProtobuf([
    [3, hex(address)],
    [14, 1],
    ...(hasPermission
      ? ([
          [31, permission('owner', { type: 0, id: 0 }, address)],
          [32, permission('witness', { type: 1, id: 1 }, signer.address)],
          [33, permission('active', { type: 2, id: 2 }, address)],
        ] satisfies ProtobufField[])
      : []),
  ])
}

function hex(digits: string | undefined): Buffer {
  return Buffer.from(digits ?? '', 'hex')
}
