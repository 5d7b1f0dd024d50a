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
  /** The sender's 20 bytes. Only the few transfers that are ours are written in base58, which costs more than all the rest. */
  fromBytes: Buffer
  /** The recipient's 20 bytes: what blocks are joined on. */
  toBytes: Buffer
  amount: UsdtUnits
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

/** Fees set; contract replaced by another; transfers paused; an address blacklisted; its funds destroyed without a Transfer. */
export type ContractAlarmEvent = 'Params' | 'Deprecate' | 'Pause' | 'AddedBlackList' | 'DestroyedBlackFunds'

/** A complete solidified block: all of its transactions were read. */
export interface SolidBlock extends BlockRef {
  parentHash: string
  transactionCount: number
  transfers: UsdtTransfer[]
  undecodable: UndecodableLog[]
  alarms: ContractAlarm[]
  /** Transactions that failed and kept logs of the USDT contract. They moved nothing, though other sources list them. */
  undone: string[]
  /** The node that served it. */
  node: string
}

/** A block at the head. It may still be replaced, and some of its transfers may be missing. For display only. */
export interface HeadBlock extends BlockRef {
  parentHash: string
  transfers: UsdtTransfer[]
}
