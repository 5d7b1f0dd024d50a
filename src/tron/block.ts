import type { UsdtUnits } from '../base/money.ts'

/** A block, named: by its height alone it could be one of several. */
export interface BlockRef {
  height: number
  /** The block id: 64 hex digits, of which the first 16 are the height. */
  hash: string
  time: Date
}

/** One USDT transfer that happened. Zero amounts, which anyone can emit in anyone's name, are left out. */
export interface UsdtTransfer {
  txid: string
  /** Position of its transaction in the block. */
  txIndex: number
  /** Position in its transaction's logs; (txid, logIndex) names the transfer. */
  logIndex: number
  /** The sender's 20 bytes. Written as an address only for the few transfers that are ours: base58 costs more than all the rest. */
  fromBytes: Buffer
  /** The recipient's 20 bytes: what blocks are joined on. */
  toBytes: Buffer
  amount: UsdtUnits
}

/** A Transfer event of the USDT contract that cannot be read: to be looked at by a person, with nothing guessed. */
export interface UndecodableLog {
  txid: string
  txIndex: number
  logIndex: number
  reason: string
  /** The log as the node sent it. */
  log: unknown
}

/** An event of the USDT contract that changes what its transfers mean: somebody has to look. */
export interface ContractAlarm {
  txid: string
  logIndex: number
  event: ContractAlarmEvent
}

/** Fees set; contract given up for another; transfers stopped; an address barred; its funds gone without a Transfer. */
export type ContractAlarmEvent = 'Params' | 'Deprecate' | 'Pause' | 'AddedBlackList' | 'DestroyedBlackFunds'

/** A solidified block, complete: every one of its transactions was looked at. */
export interface SolidBlock extends BlockRef {
  parentHash: string
  transactionCount: number
  transfers: UsdtTransfer[]
  undecodable: UndecodableLog[]
  alarms: ContractAlarm[]
  /** Transactions that failed and kept logs of the USDT contract: nothing happened, though other sources list them. */
  undone: string[]
  /** The node that served it. */
  node: string
}

/** A block at the head, which may still be replaced; some of its transfers may be missing. For display only. */
export interface HeadBlock extends BlockRef {
  parentHash: string
  transfers: UsdtTransfer[]
}
