import type { NodeLog } from '../../tron/transfer-log.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxTransaction } from '../chain/transaction-facts.ts'

// Blocks and logs as java-tron's JSON-RPC writes them: hex with 0x in front, addresses of 20 bytes, block times in seconds.

const noHash = `0x${'0'.repeat(64)}`
const noBloom = `0x${'0'.repeat(512)}`

export function quantity(value: number): string {
  return `0x${value.toString(16)}`
}

/** Writes a block. @param full whether transactions are whole, or hashes only. */
export function rpcBlock(block: SandboxBlock, full: boolean): object {
  const { header, transactions } = block
  return {
    number: quantity(block.height),
    hash: `0x${block.id}`,
    parentHash: `0x${header.parentHash}`,
    miner: `0x${header.witness_address?.slice(2) ?? '0'.repeat(40)}`,
    timestamp: quantity(Math.floor(block.timeMs / 1000)),
    size: quantity(500 + 400 * transactions.length),
    transactionsRoot: `0x${header.txTrieRoot ?? '0'.repeat(64)}`,
    stateRoot: '0x',
    transactions: transactions.map((transaction, index) =>
      full ? rpcTransaction(block, transaction, index) : `0x${transaction.id}`,
    ),
    uncles: [],
    gasLimit: '0x2540be400',
    gasUsed: quantity(64_285 * transactions.filter(({ contract }) => contract).length),
    difficulty: '0x0',
    totalDifficulty: '0x0',
    extraData: '0x',
    logsBloom: noBloom,
    nonce: '0x0000000000000000',
    sha3Uncles: noHash,
    receiptsRoot: noHash,
    mixHash: noHash,
    baseFeePerGas: '0x0',
  }
}

function rpcTransaction(block: SandboxBlock, { id }: SandboxTransaction, index: number): object {
  return {
    blockHash: `0x${block.id}`,
    blockNumber: quantity(block.height),
    hash: `0x${id}`,
    transactionIndex: quantity(index),
    value: '0x0',
    type: '0x0',
    nonce: '0x0000000000000000',
  }
}

/** The filter of `eth_getLogs`. A null in `topics` matches any topic at that position. */
export interface LogFilter {
  /** Lower-case, without 0x. Empty: any. */
  addresses: readonly string[]
  topics: readonly (readonly string[] | null)[]
}

/**
 * Writes the logs of a block that match. `logIndex` counts all logs of the block. Logs kept by failed transactions are
 * included: java-tron does not check the result here.
 */
export function rpcLogs(block: SandboxBlock, filter: LogFilter): object[] {
  let logIndex = 0
  const found: object[] = []
  for (const [txIndex, { id, logs }] of block.transactions.entries()) {
    for (const log of logs) {
      if (matches(log, filter)) {
        found.push({
          address: `0x${log.address}`,
          blockHash: `0x${block.id}`,
          blockNumber: quantity(block.height),
          blockTimestamp: quantity(Math.floor(block.timeMs / 1000)),
          transactionHash: `0x${id}`,
          transactionIndex: quantity(txIndex),
          logIndex: quantity(logIndex),
          removed: false,
          topics: (log.topics ?? []).map(topic => `0x${topic}`),
          data: `0x${log.data ?? ''}`,
        })
      }
      logIndex++
    }
  }
  return found
}

function matches({ address, topics = [] }: NodeLog, filter: LogFilter): boolean {
  if (filter.addresses.length > 0 && !filter.addresses.includes(address)) return false
  return filter.topics.every((slot, i) => slot === null || slot.includes(topics[i] ?? ''))
}
