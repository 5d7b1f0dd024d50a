import { type UsdtUnits, usdt } from '../base/money.ts'

/** An event log as a node sends it: hex without 0x; `data` is absent when empty. */
export interface NodeLog {
  /** The contract that emitted it: 20 bytes, without the prefix 41. */
  address: string
  topics?: readonly string[]
  data?: string
}

/** A log of the USDT contract, decoded. */
export type DecodedLog =
  | { kind: 'transfer'; fromHex: string; toHex: string; amount: UsdtUnits }
  | { kind: 'undecodable'; reason: string }

/** keccak-256 of Transfer(address,address,uint256). */
export const transferTopic = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

const word = /^[0-9a-f]{64}$/
const addressWord = /^0{24}[0-9a-f]{40}$/
/** The most a bigint column holds. All USDT in existence is far less. */
export const usdtUnitsMax = 2n ** 63n - 1n

/**
 * Decodes a TRC-20 Transfer from one log of a transaction that succeeded.
 * @param usdtContract the token's contract, 20 bytes as 40 hex digits.
 * @returns null for the logs of other contracts and for other events, including a Transfer with four topics (an NFT's).
 * `undecodable`, with the reason, for a Transfer of this contract that is not exactly as TIP-20 says. Amount 0 is a transfer.
 * @see TIP-20, event Transfer(address indexed, address indexed, uint256)
 */
export function decodeTransferLog(log: NodeLog, usdtContract: string): DecodedLog | null {
  if (log.address !== usdtContract) return null
  const topics = log.topics ?? []
  if (topics.length === 0) return null
  if (topics[0] !== transferTopic) {
    // A Transfer topic in another spelling (capitals, 0x) must not be taken for some other event.
    return word.test(topics[0]!) ? null : undecodable('the first topic is not 32 bytes')
  }
  if (topics.length === 4) return null
  if (topics.length !== 3) return undecodable(`a Transfer has 3 topics, this one ${topics.length}`)
  const fromHex = addressOf(topics[1]!)
  if (!fromHex) return undecodable(`the sender's topic is not an address: 12 zero bytes and 20 more`)
  const toHex = addressOf(topics[2]!)
  if (!toHex) return undecodable(`the recipient's topic is not an address: 12 zero bytes and 20 more`)
  const data = log.data ?? ''
  if (!word.test(data)) return undecodable('the data is not the 32 bytes of an amount')
  const amount = BigInt(`0x${data}`)
  if (amount > usdtUnitsMax) return undecodable(`the amount ${amount} is more than there can be`)
  return { kind: 'transfer', fromHex, toHex, amount: usdt(amount) }
}

/** Reads who is paid by a Transfer of any TRC-20 token, as 40 hex digits. @returns null for other logs. */
export function recipientOf({ topics = [] }: NodeLog): string | null {
  return topics.length === 3 && topics[0] === transferTopic ? addressOf(topics[2]!) : null
}

function undecodable(reason: string): DecodedLog {
  return { kind: 'undecodable', reason }
}

/** The last 20 bytes of a topic. @returns null when it is not hex, or is more than an address. */
function addressOf(topic: string): string | null {
  return addressWord.test(topic) ? topic.slice(24) : null
}
