import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressToHex } from '../../../src/tron/address.ts'
import type { SolidBlock } from '../../../src/tron/block.ts'
import { networks } from '../../../src/tron/network.ts'
import { readBlocksMessage, readInfoMessage, readInfosMessage } from '../../../src/tron/node/grpc-messages.ts'
import { readTransactionInfo, readTransactionInfos } from '../../../src/tron/node/node-answers.ts'
import { createTronNode } from '../../../src/tron/node/node-client.ts'
import { NodeError } from '../../../src/tron/node/node-error.ts'
import type { ReadBlock } from '../../../src/tron/node/solid-block.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import type { SentTransaction } from '../../../src/tron/verify/sent-block.ts'
import { recorded, recordedNames, skipWithoutRecorded } from '../recorded.ts'
import {
  blockMessage,
  headerOfBlock,
  producerKey,
  rawData,
  resultMessage,
  transaction,
  transferData,
  triggerMessage,
  txidOf,
} from '../verify/block-messages.ts'
import { hex, message, startFakeGrpcNode } from './fake-grpc-node.ts'
import { type InfoJson, infoMessage, infosMessage, payee, payer, transferLog } from './info-messages.ts'

const skip = skipWithoutRecorded
const usdtContract = networks.mainnet.usdtContract!
const usdt = addressToHex(usdtContract)

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
        ...{ receipt: { result: 'SUCCESS' }, log: [transferLog(i)] },
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
    undone: sent.transactions.filter(isFailedCall).map(({ txid }) => txid),
    // Its infos say other things than its transactions.
    unverified: 'contradicted',
    header: headerOfBlock(bytes),
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
    for (const info of infos)
      assert.deepEqual(readInfoMessage(infoMessage(info)), readTransactionInfo(info), name)
  }
})

test('a call that failed, one that succeeded, and a transaction that calls nothing are told apart', () => {
  const info = { id: 'ab'.repeat(32), blockNumber: 7, blockTimeStamp: 7 }
  const said = (more: Partial<InfoJson>) => {
    const { succeeded, failed } = readInfoMessage(infoMessage({ ...info, ...more }))!
    assert.deepEqual(
      readTransactionInfo({ ...info, ...more }),
      readInfoMessage(infoMessage({ ...info, ...more })),
    )
    return { succeeded, failed }
  }
  assert.deepEqual(said({ receipt: { result: 'SUCCESS' } }), { succeeded: true, failed: false })
  assert.deepEqual(said({ receipt: { result: 'REVERT' } }), { succeeded: false, failed: true })
  assert.deepEqual(said({ receipt: { result: 'SUCCESS' }, result: 'FAILED' }), {
    succeeded: false,
    failed: true,
  })
  assert.deepEqual(said({ receipt: {} }), { succeeded: false, failed: false })
  assert.equal(readTransactionInfo({}), null)
  assert.equal(readInfoMessage(Buffer.alloc(0)), null)
})

test('a list of blocks is read in its order; it may be empty, and none of its blocks may', () => {
  const blocks = [5, 6, 7].map(height => blockOf(height, []))
  assert.deepEqual(
    readBlocksMessage(message([1, blocks]), usdt, 3).map(({ height }) => height),
    [5, 6, 7],
  )
  assert.deepEqual(readBlocksMessage(Buffer.alloc(0), usdt, 3), [])
  assert.throws(
    () => readBlocksMessage(message([1, [blocks[0]!, Buffer.alloc(0)]]), usdt, 3),
    /block_header is missing/,
  )
  assert.throws(() => readBlocksMessage(message([1, blocks]), usdt, 2), /more than 2 blocks came/)
})

test('damaged messages never come to anything but a NodeError or a block that fits together, and a verified one is the true one', async () => {
  const height = 300
  const transactions = [1, 2, 3].map(units =>
    transaction(rawData(triggerMessage(transferData(payee, BigInt(units)), usdt, payer)), undefined, [
      resultMessage(units === 2 ? 'OUT_OF_TIME' : 'SUCCESS'),
    ]),
  )
  const infos: InfoJson[] = transactions.map((bytes, i) => ({
    ...{ id: txidOf(bytes), fee: 300, blockNumber: height, blockTimeStamp: 900_000 },
    contractResult: ['00'.repeat(32)],
    ...{ receipt: { result: i === 1 ? 'OUT_OF_TIME' : 'SUCCESS' }, log: [transferLog(i + 1)] },
    ...(i === 1 && { result: 'FAILED', resMessage: 'ab' }),
  }))
  const whole = { block: blockOf(height, transactions), infos: infosMessage(infos) }
  let sent = whole
  const fake = await startFakeGrpcNode()
  fake.behave = ({ method }) => (method.includes('Info') ? sent.infos : sent.block)
  const node = createTronNode({ headUrl: fake.url, solidUrl: fake.url, usdtContract, deadlineMs: 20_000 })
  const right = (await node.solidBlock(height))!
  assert.equal(right.unverified, null)
  const counts = { failed: 0, unverified: 0, verified: 0, absent: 0 }
  const check = async (which: 'block' | 'infos', bytes: Buffer) => {
    sent = { ...whole, [which]: bytes }
    try {
      const block = await node.solidBlock(height)
      counts[block === null ? 'absent' : block.unverified === null ? 'verified' : 'unverified']++
      if (block?.unverified === null) assertVerified(block, right)
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
  // Every way has been taken.
  const { failed, unverified, verified } = counts
  assert(failed > 250 && unverified > 25 && verified > 25, JSON.stringify(counts))
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
  for (const { txid, fromHex, toHex, amount } of block.transfers) {
    assert.match(txid, /^[0-9a-f]{64}$/)
    for (const hex of [fromHex, toHex]) assert.match(hex, /^[0-9a-f]{40}$/)
    assert(amount > 0n)
  }
}

/**
 * What holds of a block that is verified whatever a node has damaged. The signature is not part of the id, and logs are committed
 * to nowhere: what is signed is as it was.
 */
function assertVerified(block: ReadBlock, right: ReadBlock): void {
  const committed = ({ hash, parentHash, time, transactionCount, undone, header }: ReadBlock) => ({
    ...{ hash, parentHash, time, transactionCount, undone },
    header: { ...header, signature: null },
  })
  assert.deepEqual(committed(block), committed(right))
  for (const transfer of block.transfers) {
    const same = right.transfers.find(({ txid }) => txid === transfer.txid)
    if (transfer.signed) assert.deepEqual(transfer, same)
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

function isFailedCall({ contractType, contractRet }: SentTransaction): boolean {
  return contractType === 31 && contractRet !== 'SUCCESS'
}

function blockOf(height: number, transactions: readonly Buffer[]): Buffer {
  const { secret: key, address: producer } = producerKey('messages')
  const parentHash = (height - 1).toString(16).padStart(16, '0') + 'cd'.repeat(24)
  return blockMessage({ height, parentHash, producer, key, transactions, timeMs: height * 3_000 })
}
