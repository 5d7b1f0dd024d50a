import { encodeElement, encodeProtobuf } from '../../src/tron/protobuf.ts'
import { transferTopic } from '../../src/tron/transfer-log.ts'
import { type InfoJson, infosMessage } from '../tron/node/info-messages.ts'
import { alice, extention, token, transferData } from '../tron/verify/block-messages.ts'
import {
  firstHeight,
  firstTimeMs,
  type MemoryBlock,
  type MemoryChain,
  type MemoryTransfer,
  transferUnits,
} from './memory-chain.ts'

/** What a node answers of its blocks, each in parts: those that are the same in many blocks are not copied. */
export interface MemoryAnswers {
  block(height: number): Buffer[]
  header(height: number): Buffer[]
  infos(height: number): Buffer[]
}

/** Answers as JSON, as java-tron writes it over HTTP. */
export function jsonAnswers(chain: MemoryChain): MemoryAnswers {
  const transactions = chain.strangers.map(all => Buffer.from(all.map(transactionJson).join(',')))
  const infos = chain.strangers.map(all => {
    const texts = all.map(transfer => infoJson(transfer, firstHeight, firstTimeMs))
    return dated(
      texts.map(text => Buffer.from(`${text},`)),
      { height: `${firstHeight}`, time: `${firstTimeMs}` },
    )
  })
  return {
    block(height) {
      const block = chain.block(height)
      const ours = block.ours.map(transactionJson).join(',')
      return [
        Buffer.from(`${headerJson(block)},"transactions":[${ours},`),
        transactions[block.cycle]!,
        Buffer.from(']}'),
      ]
    },
    header: height => [Buffer.from(`${headerJson(chain.block(height))}}`)],
    infos(height) {
      const { ours, cycle, timeMs } = chain.block(height)
      const first = ours.map(transfer => infoJson(transfer, height, timeMs)).join(',')
      const rest = infos[cycle]!({ height: Buffer.from(`${height}`), time: Buffer.from(`${timeMs}`) })
      rest[rest.length - 1] = ']'.charCodeAt(0)
      return [Buffer.from(`[${first},`), rest]
    },
  }
}

/** Answers as messages, as java-tron writes them over gRPC. */
export function messageAnswers(chain: MemoryChain): MemoryAnswers {
  const element = ({ bytes }: MemoryTransfer) => encodeElement(1, extention(bytes))
  const transactions = chain.strangers.map(all => Buffer.concat(all.map(element)))
  const heightField = (height: number) => encodeProtobuf([[3, height]])
  const timeField = (timeMs: number) => encodeProtobuf([[4, timeMs]])
  const infos = chain.strangers.map(all =>
    dated(
      all.map(transfer => infosMessage([infoOf(transfer, firstHeight, firstTimeMs)])),
      { height: heightField(firstHeight), time: timeField(firstTimeMs) },
    ),
  )
  const headerFields = ({ raw, signature, id }: MemoryBlock) => [
    encodeElement(2, Buffer.concat([encodeElement(1, raw), encodeElement(2, signature)])),
    encodeElement(3, Buffer.from(id, 'hex')),
  ]
  return {
    block(height) {
      const block = chain.block(height)
      return [...block.ours.map(element), transactions[block.cycle]!, ...headerFields(block)]
    },
    header: height => headerFields(chain.block(height)),
    infos(height) {
      const { ours, cycle, timeMs } = chain.block(height)
      return [
        infosMessage(ours.map(transfer => infoOf(transfer, height, timeMs))),
        infos[cycle]!({ height: heightField(height), time: timeField(timeMs) }),
      ]
    },
  }
}

/** Joins elements of one length, which name a height and a time, each of a width that never changes, at the same places. */
function dated(
  elements: readonly Buffer[],
  made: { height: string | Buffer; time: string | Buffer },
): (at: { height: Buffer; time: Buffer }) => Buffer {
  const all = Buffer.concat(elements)
  const { length } = elements[0]!
  const heightAt = elements[0]!.indexOf(made.height)
  const timeAt = elements[0]!.indexOf(made.time)
  return ({ height, time }) => {
    const copy = Buffer.from(all)
    for (let at = 0; at < copy.length; at += length) {
      // Byte by byte: for so few `Buffer.copy` takes ten times as long.
      for (let i = 0; i < height.length; i++) copy[at + heightAt + i] = height[i]!
      for (let i = 0; i < time.length; i++) copy[at + timeAt + i] = time[i]!
    }
    return copy
  }
}

/** Open at the end: transactions may follow. */
function headerJson({ id, height, root, producer, parentHash, timeMs, signature }: MemoryBlock): string {
  return (
    `{"blockID":"${id}","block_header":{"raw_data":{"number":${height},"txTrieRoot":"${root}",` +
    `"witness_address":"${producer}","parentHash":"${parentHash}","version":36,"timestamp":${timeMs}},` +
    `"witness_signature":"${signature.toString('hex')}"}`
  )
}

const someSignature = '07'.repeat(65)

function transactionJson({ txid, to, rawData }: MemoryTransfer): string {
  return (
    `{"ret":[{"contractRet":"SUCCESS"}],"signature":["${someSignature}"],"txID":"${txid}",` +
    `"raw_data":{"contract":[{"parameter":{"value":{"data":"${transferData(to, transferUnits)}",` +
    `"owner_address":"41${alice.toString('hex')}","contract_address":"41${token}"},` +
    `"type_url":"type.googleapis.com/protocol.TriggerSmartContract"},"type":"TriggerSmartContract"}],` +
    `"ref_block_bytes":"5721","ref_block_hash":"d8f6f955c2b56b40","expiration":1768000000000,` +
    `"fee_limit":100000000,"timestamp":1767999940000},"raw_data_hex":"${rawData.toString('hex')}"}`
  )
}

const word = (digits: string) => digits.padStart(64, '0')

function infoOf({ txid, to }: MemoryTransfer, height: number, timeMs: number): InfoJson {
  return {
    id: txid,
    fee: 345_000,
    blockNumber: height,
    blockTimeStamp: timeMs,
    contractResult: [word('')],
    contract_address: `41${token}`,
    receipt: { result: 'SUCCESS', net_usage: 345 },
    log: [
      {
        address: token,
        topics: [transferTopic, word(alice.toString('hex')), word(to.toString('hex'))],
        data: word(transferUnits.toString(16)),
      },
    ],
  }
}

function infoJson(transfer: MemoryTransfer, height: number, timeMs: number): string {
  const info = infoOf(transfer, height, timeMs)
  const receipt = { ...info.receipt, energy_usage: 64_285, energy_usage_total: 64_285 }
  return JSON.stringify({ ...info, receipt })
}
