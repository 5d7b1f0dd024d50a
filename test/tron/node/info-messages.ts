import type { NodeLog } from '../../../src/tron/transfer-log.ts'
import { transferTopic } from '../../../src/tron/transfer-log.ts'
import { contractRets } from '../../../src/tron/verify/sent-block.ts'
import { token } from '../verify/block-messages.ts'
import { hex, message } from './fake-grpc-node.ts'

/** An info as java-tron writes it in JSON. */
export interface InfoJson {
  id: string
  fee?: number
  blockNumber: number
  blockTimeStamp: number
  contractResult?: string[]
  contract_address?: string
  receipt?: { result?: string; net_usage?: number }
  log?: NodeLog[]
  result?: string
  resMessage?: string
}

/** Who pays and who is paid in the transfers of the played blocks: 20 bytes each. */
export const payer = Buffer.alloc(20, 0x11)
export const payee = Buffer.alloc(20, 0x22)

/** The token's log of a transfer from `payer` to `payee`. */
export function transferLog(units: number): NodeLog & { topics: string[]; data: string } {
  const word = (address: Buffer) => address.toString('hex').padStart(64, '0')
  return {
    address: token,
    topics: [transferTopic, word(payer), word(payee)],
    data: units.toString(16).padStart(64, '0'),
  }
}

/** Writes infos, given as JSON, as java-tron's TransactionInfoList. */
export function infosMessage(infos: readonly InfoJson[]): Buffer {
  return message([1, infos.map(infoMessage)])
}

/** Writes one info as java-tron's TransactionInfo. */
export function infoMessage(info: InfoJson): Buffer {
  const { receipt = {}, log = [], contractResult = [] } = info
  return message(
    [1, hex(info.id)],
    [2, info.fee ?? 0],
    [3, info.blockNumber],
    [4, info.blockTimeStamp],
    [5, contractResult.map(hex)],
    info.contract_address !== undefined && [6, hex(info.contract_address)],
    [
      7,
      message(
        [5, receipt.net_usage ?? 0],
        [7, Math.max(0, contractRets.indexOf(receipt.result as 'SUCCESS'))],
      ),
    ],
    [
      8,
      log.map(({ address, topics = [], data }) =>
        message([1, hex(address)], [2, topics.map(hex)], data !== undefined && [3, hex(data)]),
      ),
    ],
    [9, info.result === 'FAILED' ? 1 : 0],
    info.resMessage !== undefined && [10, hex(info.resMessage)],
  )
}
