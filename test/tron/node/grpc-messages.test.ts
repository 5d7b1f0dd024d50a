import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressToBytes } from '../../../src/tron/address.ts'
import type { SolidBlock } from '../../../src/tron/block.ts'
import { networks } from '../../../src/tron/network.ts'
import { readBlocksMessage, readInfosMessage } from '../../../src/tron/node/grpc-messages.ts'
import { readTransactionInfos } from '../../../src/tron/node/node-answers.ts'
import { createTronNode } from '../../../src/tron/node/node-client.ts'
import { NodeError } from '../../../src/tron/node/node-error.ts'
import type { NodeLog } from '../../../src/tron/transfer-log.ts'
import { transferTopic } from '../../../src/tron/transfer-log.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import { contractRets } from '../../../src/tron/verify/sent-block.ts'
import { recorded, recordedNames, skipWithoutRecorded } from '../recorded.ts'
import { hex, message, startFakeGrpcNode } from './fake-grpc-node.ts'

const skip = skipWithoutRecorded
const usdtContract = networks.mainnet.usdtContract!
const usdt = addressToBytes(usdtContract).toString('hex')

/** An info as java-tron writes it in JSON. */
interface InfoJson {
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

test('a whole block of the main network is read from a server through the client', { skip }, async () => {
  const bytes = hex(recorded('verify.mainnet-79072107-blockextention.json').blockExtention.replace(/^0x/, ''))
  const sent = sentBlockOfMessage(bytes, usdt)!
  const fake = await startFakeGrpcNode()
  fake.behave = ({ method, number }) => {
    if (method.endsWith('ByNum2')) return number === sent.height ? bytes : Buffer.alloc(0)
    if (!method.endsWith('ByBlockNum')) return bytes
    // Its infos were not recorded: each transaction gets a transfer whose amount is its place.
    return infosMessage(
      sent.transactions.map(({ txid }, i) => ({
        ...{ id: txid, blockNumber: sent.height, blockTimeStamp: sent.timeMs },
        ...{ receipt: { result: 'SUCCESS' }, log: [transfer(i)] },
      })),
    )
  }
  const node = createTronNode({ headUrl: fake.url, solidUrl: fake.url, usdtContract })
  const { transfers, ...block } = (await node.solidBlock(79_072_107))!
  assert.deepEqual(block, {
    height: 79_072_107,
    hash: '0000000004b68b6be6d7223b1ecf2850f00f700292beeead2810c18e9e1548e2',
    parentHash: '0000000004b68b6aff9a1af3e52db1197b07bacb52612f29bf5dc8c5a4474b41',
    time: new Date('2026-01-08T13:36:54.000Z'),
    transactionCount: 619,
    undecodable: [],
    alarms: [],
    undone: [],
    node: new URL(fake.url).host,
  })
  // The ids that the node says are the hashes of the transactions.
  assert.deepEqual(
    transfers.map(({ txid, amount }) => [txid, amount]),
    sent.transactions.map(({ txid }, i) => [txid, BigInt(i)]).slice(1),
  )
  assert.equal((await node.solidHead()).hash, block.hash)
  assert.equal(await node.solidHash(79_072_107), block.hash)
  assert.equal(await node.solidBlock(79_072_108), null)
  await node.close()
  fake.close()
})

test('recorded infos read the same from a message as from JSON', { skip }, () => {
  const names = recordedNames().filter(name => /gettransactioninfoby|^private.*info/.test(name))
  assert(names.length >= 12)
  for (const name of names) {
    const infos = [recorded(name)].flat()
    assert.deepEqual(readInfosMessage(infosMessage(infos)), readTransactionInfos(infos), name)
  }
})

test('a list of blocks is read in its order; it may be empty, and none of its blocks may', () => {
  const blocks = [5, 6, 7].map(height => blockMessage(height, []))
  assert.deepEqual(
    readBlocksMessage(message([1, blocks])).map(({ height }) => height),
    [5, 6, 7],
  )
  assert.deepEqual(readBlocksMessage(Buffer.alloc(0)), [])
  assert.throws(
    () => readBlocksMessage(message([1, [blocks[0]!, Buffer.alloc(0)]])),
    /block_header is missing/,
  )
})

test('damaged messages never come to anything but a NodeError or a block that fits together', async () => {
  const height = 300
  const txids = ['0', '1', '2'].map(digit => digit.repeat(64))
  const infos: InfoJson[] = txids.map((id, i) => ({
    ...{ id, fee: 300, blockNumber: height, blockTimeStamp: 900_000, contractResult: ['00'.repeat(32)] },
    ...{ receipt: { result: i === 1 ? 'OUT_OF_TIME' : 'SUCCESS' }, log: [transfer(i + 1)] },
    ...(i === 1 && { result: 'FAILED', resMessage: 'ab' }),
  }))
  const whole = { block: blockMessage(height, txids), infos: infosMessage(infos) }
  let sent = whole
  const fake = await startFakeGrpcNode()
  fake.behave = ({ method }) => (method.includes('Info') ? sent.infos : sent.block)
  const node = createTronNode({ headUrl: fake.url, solidUrl: fake.url, usdtContract, deadlineMs: 20_000 })
  const right = (await node.solidBlock(height))!
  const counts = { failed: 0, read: 0, absent: 0 }
  const check = async (which: 'block' | 'infos', bytes: Buffer) => {
    sent = { ...whole, [which]: bytes }
    try {
      const block = await node.solidBlock(height)
      counts[block ? 'read' : 'absent']++
      if (block) assertFits(block, right)
      else assert.equal(bytes.length, 0, 'only an empty message says that there is no block')
    } catch (error) {
      assert(error instanceof NodeError, `${error}`)
      counts.failed++
    }
  }
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('block', 'infos'), damage(), async (which, damaged) =>
      check(which, damaged(whole[which])),
    ),
    { numRuns: 1_500 },
  )
  // Both ways have been taken.
  assert(counts.failed > 250 && counts.read > 50, JSON.stringify(counts))
  await node.close()
  fake.close()
})

/** What holds of a block whatever a node has damaged of it, short of lying consistently. */
function assertFits(block: SolidBlock, right: SolidBlock): void {
  assert.equal(block.height, right.height)
  assert.match(block.hash, /^000000000000012c[0-9a-f]{48}$/)
  assert.match(block.parentHash, /^[0-9a-f]{64}$/)
  assert.equal(block.transactionCount, 3)
  assert(block.time.getTime() >= 0)
  for (const { txid, fromBytes, toBytes, amount } of block.transfers) {
    assert.match(txid, /^[0-9a-f]{64}$/)
    assert.deepEqual([fromBytes.length, toBytes.length], [20, 20])
    assert(amount > 0n)
  }
}

/** Ways to damage bytes: a bit or a byte changed, a part cut out, doubled or replaced, the end cut off, or something added. */
function damage(): fc.Arbitrary<(bytes: Buffer) => Buffer> {
  const at = fc.double({ min: 0, max: 0.999_999, noNaN: true })
  const bits = fc.tuple(at, fc.nat(7)).map(([where, bit]) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes)
    const i = Math.floor(where * bytes.length)
    changed[i]! ^= 1 << bit
    return changed
  })
  const parts = fc
    .tuple(
      at,
      at,
      fc.constantFrom('cut', 'double', 'end', 'replace', 'insert'),
      fc.uint8Array({ maxLength: 12 }),
    )
    .map(([a, b, how, random]) => (bytes: Buffer) => {
      const [from, to] = [a, b].map(part => Math.floor(part * bytes.length)).sort((x, y) => x - y) as [
        number,
        number,
      ]
      const [before, part, rest] = [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)]
      if (how === 'cut') return Buffer.concat([before, rest])
      if (how === 'double') return Buffer.concat([before, part, part, rest])
      if (how === 'end') return before
      return Buffer.concat(how === 'replace' ? [before, random, rest] : [before, random, part, rest])
    })
  return fc.oneof(
    bits,
    parts,
    fc.uint8Array({ maxLength: 200 }).map(random => () => Buffer.from(random)),
  )
}

function transfer(units: number): NodeLog {
  return {
    address: usdt,
    topics: [transferTopic, '11'.repeat(20).padStart(64, '0'), '22'.repeat(20).padStart(64, '0')],
    data: units.toString(16).padStart(64, '0'),
  }
}

function blockMessage(height: number, txids: readonly string[]): Buffer {
  const raw = message(
    [1, height * 3_000],
    [2, hex('ef'.repeat(32))],
    [3, hex((height - 1).toString(16).padStart(16, '0') + 'cd'.repeat(24))],
    [7, height],
  )
  return message(
    [1, txids.map(txid => message([1, message([1, hex('0a00')])], [2, hex(txid)]))],
    [2, message([1, raw], [2, Buffer.alloc(65)])],
    [3, hex(height.toString(16).padStart(16, '0') + 'ab'.repeat(24))],
  )
}

/** Writes infos, given as JSON, as java-tron's TransactionInfoList. */
function infosMessage(infos: readonly InfoJson[]): Buffer {
  return message([1, infos.map(infoMessage)])
}

function infoMessage(info: InfoJson): Buffer {
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
