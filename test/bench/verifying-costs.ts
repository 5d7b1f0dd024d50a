import assert from 'node:assert/strict'
import { addressToHex } from '../../src/tron/address.ts'
import { networks } from '../../src/tron/network.ts'
import { readBlockMessage, readInfosMessage } from '../../src/tron/node/grpc-messages.ts'
import { readBlock, readBlockFields, readTransactionInfos } from '../../src/tron/node/node-answers.ts'
import { joinSolidBlock } from '../../src/tron/node/solid-block.ts'
import { knownProducers } from '../../src/tron/verify/block-producer.ts'
import { compareCalls } from '../../src/tron/verify/compare-calls.ts'
import { verifyBlock } from '../../src/tron/verify/verify-block.ts'
import type { Transport } from './follow-bench.ts'
import { jsonAnswers, messageAnswers } from './memory-answers.ts'
import { firstHeight, makeMemoryChain } from './memory-chain.ts'

const token = addressToHex(networks.sandbox.usdtContract!)
const rounds = 300

/** What verifying a block of the bench costs, in ms of CPU. Nothing is awaited: CPU is elapsed time. */
export interface VerifyingCost {
  transport: Transport
  /** Id, root, signature, and comparing the logs with the calls. */
  cpuMs: number
  /** Making objects of the two answers, with the hashes of the transactions. */
  readMs: number
}

/** Verifies one block again and again, from the bytes that the memory node answers with. */
export function verifyingCosts(): VerifyingCost[] {
  const chain = makeMemoryChain(1)
  const height = firstHeight + 1
  const keys = new Map(chain.producers.map(({ address }) => [address, [address]]))
  const producers = knownProducers(keys)
  const [json, messages] = [jsonAnswers(chain), messageAnswers(chain)]
  const [block, infos] = [Buffer.concat(json.block(height)), Buffer.concat(json.infos(height))]
  const [message, infosMessage] = [messages.block(height), messages.infos(height)].map(parts =>
    Buffer.concat(parts),
  ) as [Buffer, Buffer]
  const reads = {
    HTTP: () => ({
      block: readBlock(readBlockFields(block), token)!,
      infos: readTransactionInfos(JSON.parse(infos.toString())),
    }),
    gRPC: () => ({ block: readBlockMessage(message, token)!, infos: readInfosMessage(infosMessage) }),
  }
  return (['HTTP', 'gRPC'] as const).map(transport => {
    const read = reads[transport]()
    const sent = read.block.sent!
    const { transfers } = joinSolidBlock(height, read.block, read.infos, token)
    const verify = () => {
      const { kind } = verifyBlock(sent, producers)
      return { kind, signed: compareCalls(transfers, sent).signed.size }
    }
    assert.deepEqual(verify(), { kind: 'verified', signed: 200 })
    return { transport, cpuMs: cpuMsOf(verify), readMs: cpuMsOf(reads[transport]) }
  })
}

function cpuMsOf(work: () => unknown): number {
  for (let i = 0; i < rounds / 4; i++) work()
  const before = process.cpuUsage()
  for (let i = 0; i < rounds; i++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / rounds
}
