import { type UsdtUnits, usdt } from '../../base/money.ts'
import { addressToHex, type TronAddress } from '../../tron/address.ts'
import { networks } from '../../tron/network.ts'
import { transferTopic } from '../../tron/transfer-log.ts'
import type { SandboxBlock } from './sandbox-block.ts'
import { readTokenEvent } from './token-event.ts'
import type { MeantTransfer, SandboxTransaction } from './transaction-facts.ts'

/** A USDT transfer that happened and cannot be undone. Zero amounts, which anyone can emit in anyone's name, do not count. */
export interface TrueTransfer {
  txid: string
  /** Position in its transaction's logs. */
  logIndex: number
  from: TronAddress
  to: TronAddress
  amount: UsdtUnits
  height: number
  /** Position of its transaction in the block. */
  txIndex: number
}

/** What the solidified chain says. Tests compare the credits with it. */
export interface SolidTruth {
  /** The newest solidified block. */
  height: number
  hash: string
  /** In chain order. */
  transfers: TrueTransfer[]
  /** Transfer events of the USDT contract that cannot be decoded. */
  undecodable: { txid: string; txIndex: number; logIndex: number; height: number }[]
}

const usdtContract = networks.sandbox.usdtContract!
const usdtHex = addressToHex(usdtContract)

/** States what blocks hold, from what was put in rather than by decoding logs. @param blocks solidified, oldest first. */
export function stateTruth(solid: SandboxBlock, blocks: Iterable<SandboxBlock>): SolidTruth {
  const truth: SolidTruth = { height: solid.height, hash: solid.id, transfers: [], undecodable: [] }
  for (const { height, transactions } of blocks) {
    for (const [txIndex, transaction] of transactions.entries()) {
      const txid = transaction.id
      const { transfers, undecodable } = transaction.meant ?? meaningOf(transaction)
      for (const transfer of transfers) truth.transfers.push({ txid, ...transfer, height, txIndex })
      for (const logIndex of undecodable) truth.undecodable.push({ txid, txIndex, logIndex, height })
    }
  }
  return truth
}

/** Reads the logs of a transaction that was given by its facts, for which `meant` is not known. */
function meaningOf({ result, logs }: SandboxTransaction): NonNullable<SandboxTransaction['meant']> {
  const transfers: MeantTransfer[] = []
  const undecodable: number[] = []
  if (result !== 'SUCCESS') return { transfers, undecodable }
  for (const [logIndex, log] of logs.entries()) {
    const event = readTokenEvent(log)
    if (event?.type === 'Transfer' && event.token === usdtContract) {
      const { from, to, value: amount } = event
      if (amount > 0n && amount < 2n ** 63n) transfers.push({ logIndex, from, to, amount: usdt(amount) })
      else if (amount > 0n) undecodable.push(logIndex)
    } else if (!event && log.address === usdtHex && log.topics?.[0] === transferTopic) {
      // A Transfer with four topics is an NFT's.
      if (log.topics.length !== 4) undecodable.push(logIndex)
    }
  }
  return { transfers, undecodable }
}
