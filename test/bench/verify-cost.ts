import assert from 'node:assert/strict'
import { cpus } from 'node:os'
import { MessageFields } from '../../src/tron/message-fields.ts'
import { sentBlockOfJson } from '../../src/tron/verify/block-json.ts'
import { sentBlockOfMessage } from '../../src/tron/verify/block-message.ts'
import { isSignedByProducer, knownProducers } from '../../src/tron/verify/block-producer.ts'
import { checkContent, verifyBlock } from '../../src/tron/verify/verify-block.ts'
import {
  alice,
  blockMessage,
  jsonOfMessage,
  producerKey,
  rawData,
  someId,
  token,
  transaction,
  transferData,
  triggerMessage,
} from '../tron/verify/block-messages.ts'

// node --import tsx test/bench/verify-cost.ts [rounds]: what verifying costs of CPU, for a block of 600 transactions of which
// 200 are transfers of the token and 250 calls of other contracts. Nothing is awaited: CPU is elapsed time.
const rounds = Number(process.argv[2] ?? 200)
const { secret: key, address: producer } = producerKey('one')
const transactions = Array.from({ length: 600 }, (_, i) => {
  const data = transferData(Buffer.alloc(20, i), BigInt(i + 1))
  const contract = i % 3 === 0 ? token : `${i % 250}`.padStart(40, 'c')
  const isCall = i % 3 === 0 || i % 8 < 5
  const message = isCall ? triggerMessage(data, contract) : alice
  return transaction(isCall ? rawData(message) : rawData(message, 1, 'TransferContract'))
})
const message = blockMessage({ height: 1_000, parentHash: someId(999), producer, key, transactions })
const json = JSON.stringify(jsonOfMessage(message))
const parsed = JSON.parse(json)
const block = sentBlockOfMessage(message, token)!
const keys = new Map([[producer, [producer]]])
const producers = knownProducers(keys)
assert.equal(verifyBlock(block, producers).kind, 'verified')
assert.equal(verifyBlock(sentBlockOfJson(parsed, token)!, producers).kind, 'verified')
assert.equal(block.transactions.filter(({ call }) => call).length, 200)

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`)
console.log(
  `a block of 600 transactions: message ${message.length} bytes, JSON without raw_data ${json.length} bytes`,
)
measure('passing over the fields of the message', () => {
  const fields = new MessageFields(message)
  while (fields.next());
})
measure('message: reading, txids, leaves, calls', () => sentBlockOfMessage(message, token))
measure('id and root', () => checkContent(block))
measure('signature, key remembered', () => isSignedByProducer(block, producers))
measure('signature, key not known yet', () => isSignedByProducer(block, knownProducers(keys)))
measure('message: all of it', () => verifyBlock(sentBlockOfMessage(message, token)!, producers))
measure('JSON.parse', () => JSON.parse(json))
measure('JSON, parsed: txids, leaves, calls', () => sentBlockOfJson(parsed, token))
measure('JSON: all of it', () => verifyBlock(sentBlockOfJson(JSON.parse(json), token)!, producers))

function measure(what: string, work: () => unknown): void {
  for (let i = 0; i < rounds / 4; i++) work()
  const before = process.cpuUsage()
  for (let i = 0; i < rounds; i++) work()
  const { user, system } = process.cpuUsage(before)
  console.log(`${((user + system) / 1_000 / rounds).toFixed(3).padStart(8)} ms  ${what}`)
}
