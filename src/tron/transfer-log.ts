import { type UsdtUnits, usdt } from '../base/money.ts'

/** An event log as a node sends it: hex without 0x, `data` absent when empty. */
export interface NodeLog {
  /** 20 bytes: the contract that emitted it, without 41 in front. */
  address: string
  topics?: readonly string[]
  data?: string
}

/** What a log of the USDT contract says. */
export type DecodedLog =
  | { kind: 'transfer'; fromBytes: Buffer; toBytes: Buffer; amount: UsdtUnits }
  | { kind: 'undecodable'; reason: string }

/** keccak-256 of Transfer(address,address,uint256). */
export const transferTopic = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

const word = /^[0-9a-f]{64}$/
const zeros12 = '0'.repeat(24)
/** What a bigint column holds; all the USDT there is stays far below. */
const amountMax = 2n ** 63n - 1n

/**
 * Reads a TRC-20 Transfer out of one log of a transaction that succeeded.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @returns null for any other contract's log and any other event, a Transfer with four topics (an NFT's) included;
 * `undecodable`, with a sentence, for a Transfer of this contract that is not exactly what TIP-20 says. Amount 0 included.
 * @see TIP-20, event Transfer(address indexed, address indexed, uint256)
 */
export function decodeTransferLog(log: NodeLog, usdtContract: string): DecodedLog | null {
  if (log.address !== usdtContract) return null
  const topics = log.topics ?? []
  if (topics.length === 0) return null
  if (topics[0] !== transferTopic) {
    // In another spelling (capitals, 0x) a Transfer would pass for some other event.
    return word.test(topics[0]!) ? null : undecodable('the first topic is not 32 bytes')
  }
  if (topics.length === 4) return null
  if (topics.length !== 3) return undecodable(`a Transfer has 3 topics, this one ${topics.length}`)
  const fromBytes = addressWord(topics[1]!)
  if (!fromBytes) return undecodable(`the sender's topic is not an address: 12 zero bytes and 20 more`)
  const toBytes = addressWord(topics[2]!)
  if (!toBytes) return undecodable(`the recipient's topic is not an address: 12 zero bytes and 20 more`)
  const data = log.data ?? ''
  if (!word.test(data)) return undecodable('the data is not the 32 bytes of an amount')
  const amount = BigInt(`0x${data}`)
  if (amount > amountMax) return undecodable(`the amount ${amount} is more than there can be`)
  return { kind: 'transfer', fromBytes, toBytes, amount: usdt(amount) }
}

function undecodable(reason: string): DecodedLog {
  return { kind: 'undecodable', reason }
}

function addressWord(topic: string): Buffer | null {
  if (topic.length !== 64 || !topic.startsWith(zeros12)) return null
  // Decoding stops at the first character that is not hex.
  const bytes = Buffer.from(topic.slice(24), 'hex')
  return bytes.length === 20 ? bytes : null
}
