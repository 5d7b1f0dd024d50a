import type { UsdtUnits } from '../base/money.ts'
import type { NodeLog } from './transfer-log.ts'

/** A block by height and hash: after a fork several blocks have the same height. */
export interface BlockRef {
  height: number
  /** The block id: 64 hex digits, of which the first 16 are the height. */
  hash: string
  time: Date
}

/** One USDT transfer that happened. Zero amounts are left out: anyone can emit them in anyone's name. */
export interface UsdtTransfer {
  txid: string
  /** Position of its transaction in the block. */
  txIndex: number
  /** Position in its transaction's logs; (txid, logIndex) names the transfer. */
  logIndex: number
  /** The sender's 20 bytes as 40 hex digits. Only those of the few transfers that are ours become base58, which costs more. */
  fromHex: string
  /** The recipient's, likewise: what blocks are joined on. */
  toHex: string
  amount: UsdtUnits
  /**
   * Whether its sender signed this recipient and amount, in a call of the token itself. It says something only in a block that is
   * verified.
   */
  signed: boolean
}

/** A Transfer event of the USDT contract that cannot be decoded. Nothing is guessed; an operator has to look at it. */
export interface UndecodableLog {
  txid: string
  txIndex: number
  logIndex: number
  reason: string
  /** The log as the node sent it, hex checked to be hex. */
  log: NodeLog
}

/** An event of the USDT contract that changes what its transfers mean. An operator has to look at it. */
export interface ContractAlarm {
  txid: string
  logIndex: number
  event: ContractAlarmEvent
}

/**
 * Fees set; contract replaced by another; transfers paused, or no longer; an address blacklisted, or no longer; its funds
 * destroyed without a Transfer. Names that are stored: they do not change.
 */
export type ContractAlarmEvent =
  | 'Params'
  | 'Deprecate'
  | 'Pause'
  | 'Unpause'
  | 'AddedBlackList'
  | 'RemovedBlackList'
  | 'DestroyedBlackFunds'

/**
 * Why a block is not verified. None of these says who is wrong: an honest node's JSON lacks fields that it does not know.
 * Names that are stored, logged and counted: they do not change.
 */
export type Unverified =
  /** The id is not that of the header. */
  | 'id'
  /** No transactions, under a root that is not that of an empty block. */
  | 'empty-under-root'
  /** The transactions came in a form that does not say all of their bytes. */
  | 'leaf'
  /** The root is not that of the transactions. */
  | 'root'
  /** The producer is not a known one. */
  | 'stranger'
  /** The signature is not by a key of the producer. */
  | 'signature'
  /** The transactions' infos are not those of the block: one is missing, or is of another transaction. */
  | 'infos'
  /** Only the header and the infos could be read: the node cannot print the block. */
  | 'header-only'
  /** Nothing of it could be read. It is parked. */
  | 'unread'
  /** A transaction calls the token and succeeded, and its log is not there. */
  | 'unlogged'
  /** A log is in a transaction that by the block did not succeed or runs no contract. */
  | 'contradicted'

/** A solidified block, as a node showed it. */
export interface SolidBlock extends BlockRef {
  parentHash: string
  transactionCount: number
  transfers: UsdtTransfer[]
  undecodable: UndecodableLog[]
  alarms: ContractAlarm[]
  /**
   * Transactions that by the block did not succeed; where the node does not say that, those that by their infos failed and kept
   * logs of the USDT contract. They moved nothing, though other sources may list their logs.
   */
  undone: string[]
  /** Why it is not known that all of this is so; null when it is. What an unverified block pays us is not signed. */
  unverified: Unverified | null
  /** Of an unread block: why it could not be read. */
  because?: string
  /** The node that served it. */
  node: string
}

/** A block at the head. It may still be replaced, and some of its transfers may be missing. For display only. */
export interface HeadBlock extends BlockRef {
  parentHash: string
  transfers: UsdtTransfer[]
}
