import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { networks } from '../../../src/tron/network.ts'
import { createTronNode, type TronNode } from '../../../src/tron/node/node-client.ts'
import { NodeError } from '../../../src/tron/node/node-error.ts'
import { encodeProtobuf } from '../../../src/tron/protobuf.ts'
import {
  blockMessage,
  headerOfBlock,
  producerKey,
  rawData,
  success,
  transaction,
  transferData,
  triggerMessage,
  txidOf,
} from '../verify/block-messages.ts'
import { blockHash, blockTimeMs, type FakeChain, type Shown, shownAt, shownJson, txid } from './fake-chain.ts'
import { type FakeGrpcChain, startFakeGrpcChain } from './fake-grpc-chain.ts'
import { type FakeNode, startFakeNode } from './fake-node.ts'
import { falseBlocks, unfitInfos } from './false-blocks.ts'
import { payee, payer, transferLog } from './info-messages.ts'

// Why the client takes a block for unverified: the same over both transports.
const height = 991
let http: FakeNode
let grpc: FakeGrpcChain
const clients: Partial<Record<'HTTP' | 'gRPC', TronNode>> = {}
const transports = ['HTTP', 'gRPC'] as const

before(async () => {
  http = await startFakeNode()
  grpc = await startFakeGrpcChain()
  const open = (url: string) =>
    createTronNode({ headUrl: url, solidUrl: url, usdtContract: networks.mainnet.usdtContract! })
  Object.assign(clients, { HTTP: open(http.url), gRPC: open(grpc.url) })
})
after(async () => {
  for (const client of Object.values(clients)) await client.close()
  await http.close()
  grpc.close()
})
beforeEach(() => show(null))

function show(lie: FakeChain['lie']): void {
  http.lie = grpc.lie = lie
  http.behave = null
}

for (const transport of transports) {
  test(`over ${transport}, a block that fits together is verified in either view, and its call is signed`, async () => {
    const client = clients[transport]!
    for (const block of [await client.solidBlock(height), await client.newBlock(height)]) {
      assert.equal(block!.unverified, null)
      assert.deepEqual(block!.header, headerOfBlock(shownAt(http, height).block))
      assert.deepEqual(block!.undone, [txid(height, 1)])
      assert.deepEqual(
        block!.transfers.map(({ amount, signed }) => [amount, signed]),
        [[BigInt(height), true]],
      )
    }
    assert.equal((await client.solidBlock(990))!.unverified, null, 'one without transactions too')
    assert.deepEqual(await client.newHeader(height), headerOfBlock(shownAt(http, height).block))
  })

  for (const [name, { why, show: lie }] of Object.entries(falseBlocks)) {
    test(`over ${transport}, ${name}: unverified for '${why}'`, async () => {
      show(lie)
      for (const view of ['solidBlock', 'newBlock'] as const) {
        const block = (await clients[transport]![view](height))!
        assert.equal(block.unverified, why)
        assert.equal(block.height, height)
      }
    })
  }

  for (const [name, lie] of Object.entries(unfitInfos)) {
    test(`over ${transport}, infos of which ${name}: the block is refused, with what fits`, async () => {
      show(lie)
      await assert.rejects(clients[transport]!.solidBlock(height), error => {
        assert(error instanceof NodeError)
        assert.equal(error.kind, 'failed')
        const { hash, unverified, transactionCount, transfers, header } = error.unfit!
        assert.deepEqual([hash, unverified, transactionCount], [blockHash(http, height), 'infos', 2])
        assert.equal(header!.id, hash)
        // Nothing of it is signed.
        assert.deepEqual(
          transfers.map(({ txid, txIndex, amount, signed }) => ({ txid, txIndex, amount, signed })),
          [{ txid: txid(height, 0), txIndex: 0, amount: BigInt(height), signed: false }],
        )
        return true
      })
    })
  }

  test(`over ${transport}, a call signs one log alone: at position 0, and of the token's own call`, async () => {
    const other = 'eca9bc828a3005b9a3b909f2cc5c2a54794de05f'
    const lookalike = { ...transferLog(1), address: other }
    const call = (contract: string | undefined) =>
      transaction(rawData(triggerMessage(transferData(payee, 991n), contract, payer)))
    for (const [contract, log, unverified, signed] of [
      [undefined, [transferLog(991)], null, true],
      [undefined, [lookalike, transferLog(991)], 'contradicted', false],
      [other, [transferLog(991)], null, false],
    ] as const) {
      show(truth => shownWith(truth, call(contract), log))
      const block = (await clients[transport]!.solidBlock(height))!
      assert.deepEqual([block.unverified, block.transfers.map(one => one.signed)], [unverified, [signed]])
    }
  })
}

const unsaid: [name: string, change: (transaction: Record<string, unknown>) => object][] = [
  ['a field in a result that is not known', one => ({ ...one, ret: [{ contractRet: 'SUCCESS', newer: 1 }] })],
  ['a number in a result beyond 2^53', one => ({ ...one, ret: [{ contractRet: 'SUCCESS', fee: 2 ** 60 }] })],
  ['a transaction without its bytes', ({ raw_data_hex: _, ...one }) => one],
  ['a signature that is not hex', one => ({ ...one, signature: ['0x12'] })],
]
for (const [name, change] of unsaid) {
  test(`over HTTP, ${name}: unverified for 'leaf', and read by what the node says`, async () => {
    http.behave = ({ path }) => {
      if (!path.endsWith('/getblockbynum')) return undefined
      const { transactions, ...block } = shownJson(http, height)
      const [first, ...rest] = transactions as Record<string, unknown>[]
      return { ...block, transactions: [change(first!), ...rest] }
    }
    const block = (await clients.HTTP!.solidBlock(height))!
    assert.equal(block.unverified, 'leaf')
    assert.deepEqual(
      block.transfers.map(({ txid, amount }) => [txid, amount]),
      [[txid(height, 0), 991n]],
    )
    assert.equal(block.header!.id, block.hash)
  })
}

test('an unknown field in a result, which JSON leaves out: verified over gRPC, not over HTTP', async () => {
  const raw = rawData(triggerMessage(transferData(payee, 991n), undefined, payer))
  const odd = transaction(raw, undefined, [
    Buffer.concat([success, encodeProtobuf([[1002, 'twelve bytes']])]),
  ])
  show(truth => shownWith(truth, odd, [transferLog(991)]))
  const [overGrpc, overHttp] = [
    await clients.gRPC!.solidBlock(height),
    await clients.HTTP!.solidBlock(height),
  ]
  assert.deepEqual([overGrpc!.unverified, overHttp!.unverified], [null, 'root'])
  assert.equal(overGrpc!.hash, overHttp!.hash)
})

test('a header that a node does not say whole: the block is read, unverified, and the header alone is a failure', async () => {
  http.behave = ({ path }) => {
    const block = shownJson(http, height)
    if (path.endsWith('/getblockbynum')) return { ...block, block_header: unsigned(block) }
    if (path.endsWith('/getblock'))
      return { ...block, transactions: undefined, block_header: unsigned(block) }
    return undefined
  }
  const block = (await clients.HTTP!.solidBlock(height))!
  assert.deepEqual([block.unverified, block.header], ['leaf', null])
  await assert.rejects(clients.HTTP!.newHeader(height), {
    name: 'NodeError',
    message: /does not say all of header/,
  })
})

/** A header whose producer is written in base58, as a node shows it that was asked for visible addresses. */
function unsigned(block: Record<string, unknown>): object {
  const { raw_data, ...rest } = block.block_header as { raw_data: object }
  return { raw_data: { ...raw_data, witness_address: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' }, ...rest }
}

/** A block of one transaction that is all right in itself. */
function shownWith(
  { block, infos }: Shown,
  one: Buffer,
  log: readonly ReturnType<typeof transferLog>[],
): Shown {
  const { parentHash } = headerOfBlock(block)
  const { secret: key, address: producer } = producerKey('main')
  const parts = { height, parentHash, key, producer, timeMs: blockTimeMs(height), transactions: [one] }
  return { block: blockMessage(parts), infos: [{ ...infos[0]!, id: txidOf(one), log: [...log] }] }
}
