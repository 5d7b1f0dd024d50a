import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { idOfHeaderBytes } from '../../../src/tron/block-id.ts'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { networks } from '../../../src/tron/network.ts'
import { createTronNode, type TronNode } from '../../../src/tron/node/node-client.ts'
import { isNotOffered, NodeError } from '../../../src/tron/node/node-error.ts'
import { requestMetadata } from '../../../src/tron/node/node-grpc.ts'
import { transferTopic } from '../../../src/tron/transfer-log.ts'
import { merkleRoot } from '../../../src/tron/verify/merkle-root.ts'
import { extention, headerOfBlock, withTransactions } from '../verify/block-messages.ts'
import { blockHash } from './fake-chain.ts'
import { startFakeGrpcChain } from './fake-grpc-chain.ts'
import { type FakeGrpcNode, type GrpcAnswer, hex, message, startFakeGrpcNode } from './fake-grpc-node.ts'
import {
  approvalTopic,
  fiveBlock,
  transactions as fiveTransactions,
  hash,
  height,
  lookalike,
  outOfTimeTransactions,
  parentHash,
  producer,
  timeMs,
  txid,
} from './five-transactions.ts'

// The client against grpc-js's own server that says, for each call, what the test wants it to. The same block, and the same
// cases, as node-client.test.ts has over HTTP.
const usdt = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
const deadlineMs = 1_000
/** Of receipt.result. */
const [reverted, outOfEnergy, outOfTime] = [2, 10, 11]

let fake: FakeGrpcNode
let node: TronNode
let answers: {
  block: GrpcAnswer
  infos: GrpcAnswer
  head: GrpcAnswer
  header: GrpcAnswer
  genesis: GrpcAnswer
}

before(async () => {
  fake = await startFakeGrpcNode()
  node = newNode({ bodyMaxBytes: 200_000 })
})
after(async () => {
  await node.close()
  fake.close()
})
beforeEach(() => {
  answers = { block: block(), infos: infos(), head: block(), header: notThere, genesis: block() }
  fake.calls.length = 0
  fake.behave = ({ method }) => {
    if (method.endsWith('/GetNowBlock2')) return answers.head
    if (method.endsWith('/GetBlock')) return answers.header
    if (method.endsWith('/GetTransactionInfoByBlockNum')) return answers.infos
    return method === 'Wallet/GetBlockByNum2' ? answers.genesis : answers.block
  }
})

test('a solidified block comes with its transfers, in the order of the chain', async () => {
  const solid = await node.solidBlock(height)
  assert(solid)
  const { transfers, ...rest } = solid
  assert.deepEqual(rest, {
    height,
    hash,
    parentHash,
    time: new Date(timeMs),
    transactionCount: 5,
    undecodable: [],
    alarms: [],
    undone: [txid(3)],
    unverified: null,
    header: headerOfBlock(block()),
    node: new URL(fake.url).host,
  })
  const fromHex = '11'.repeat(20)
  const toHex = '22'.repeat(20)
  assert.deepEqual(transfers, [
    { txid: txid(0), txIndex: 0, logIndex: 0, fromHex, toHex, amount: 1_000_000n, signed: true },
    { txid: txid(2), txIndex: 2, logIndex: 1, fromHex, toHex, amount: 2_000_000n, signed: false },
    { txid: txid(2), txIndex: 2, logIndex: 3, fromHex, toHex, amount: 3_000_000n, signed: false },
  ])
  assert.deepEqual(asked(), [
    `WalletSolidity/GetBlockByNum2 ${height}`,
    `WalletSolidity/GetTransactionInfoByBlockNum ${height}`,
  ])
})

test('infos are not asked for of a block that is not there, nor of one without transactions', async () => {
  for (const said of [Buffer.alloc(0), block({ transactions: [] })]) {
    answers.block = said
    fake.calls.length = 0
    const solid = await node.solidBlock(height)
    assert.equal(solid?.transactionCount, said.length === 0 ? undefined : 0)
    assert.deepEqual(asked(), [`WalletSolidity/GetBlockByNum2 ${height}`])
  }
})

test('the genesis id is read at the head, after both views have answered', async () => {
  answers.genesis = message(
    [2, message([1, message([3, hex('00'.repeat(32))])])],
    [3, hex(networks.mainnet.genesisId!)],
  )
  assert.equal(await node.genesisId(), networks.mainnet.genesisId)
  assert.deepEqual(asked(), [
    'Wallet/GetNowBlock2 0',
    'WalletSolidity/GetNowBlock2 0',
    'Wallet/GetBlockByNum2 0',
  ])
})

test('a second URL that does not say what is solid is refused, with the URL to write; one that is down is not', async () => {
  const head = await startFakeGrpcNode({ services: ['Wallet'] })
  const solid = await startFakeGrpcNode({ services: ['WalletSolidity'] })
  head.behave = solid.behave = ({ method }) => (method.includes('Info') ? infos() : block())
  const other = await startFakeGrpcNode({ services: ['Wallet'] })
  other.behave = head.behave
  const port = (url: string) => new URL(url).port
  const cases: [headUrl: string, solidUrl: string, said: RegExp | null][] = [
    [
      head.url,
      other.url,
      new RegExp(
        `${new URL(other.url).host} does not serve protocol.WalletSolidity.*: name the port that does after the first, as grpc://127.0.0.1:${port(head.url)}\\|grpc://127.0.0.1:50061$`,
      ),
    ],
    [solid.url, solid.url, /does not serve protocol\.Wallet over gRPC/],
    [head.url, 'grpc://127.0.0.1:1', null],
  ]
  for (const [headUrl, solidUrl, said] of cases) {
    const one = newNode({ headUrl, solidUrl })
    await assert.rejects(one.genesisId(), error => {
      assert(error instanceof NodeError)
      assert.equal(error.wrongSetting, said !== null)
      if (said) assert.match(error.message, said)
      return true
    })
    await one.close()
  }
  const both = newNode({ headUrl: head.url, solidUrl: solid.url })
  assert.equal((await both.solidBlock(height))!.transfers.length, 3)
  assert.equal((await both.headBlock(height))!.transfers.length, 3)
  await both.close()
  for (const one of [head, other, solid]) one.close()
})

test('a node with the head alone serves its blocks, and none as irreversible: the failure says the URL to write', async () => {
  const alone = await startFakeGrpcChain({}, ['Wallet'])
  const one = newNode({ headUrl: alone.url, solidUrl: alone.url })
  assert.equal(await one.genesisId(), blockHash(alone, 0))
  assert.equal((await one.head()).height, 1018)
  assert.equal((await one.solidHead()).height, 998, 'well below the head: to compare nodes by')
  for (const view of ['newBlock', 'recordedBlock'] as const) {
    const block = (await one[view](991))!
    assert.deepEqual([block.hash, block.unverified], [blockHash(alone, 991), null])
  }
  await assert.rejects(one.solidBlock(991), error => {
    assert(error instanceof NodeError)
    assert.match(
      error.message,
      /name the port that does after the first, as grpc:.*\|grpc:\/\/127\.0\.0\.1:50061$/,
    )
    assert.equal(isNotOffered(error), true)
    return true
  })
  assert(!alone.calls.slice(2).some(({ method }) => method.startsWith('WalletSolidity')))
  await one.close()
  alone.close()
})

test('a transfer in a log that cannot be decoded is handed on with its log, and the others still count', async () => {
  answers.infos = infos({ 0: { logs: [log(5, { data: 'ff' }), log(6)] } })
  const solid = await node.solidBlock(height)
  const topics = [transferTopic, '11'.repeat(20).padStart(64, '0'), '22'.repeat(20).padStart(64, '0')]
  assert.deepEqual(solid!.undecodable, [
    {
      txid: txid(0),
      txIndex: 0,
      logIndex: 0,
      reason: 'the data is not the 32 bytes of an amount',
      log: { address: usdt, topics, data: 'ff' },
    },
  ])
  assert.deepEqual([solid!.transfers[0]!.logIndex, solid!.transfers[0]!.amount], [1, 6_000_000n])
})

test('transactions that failed are named, as the block has it', async () => {
  answers.infos = infos({
    0: { result: outOfTime, code: 1, logs: [log(1)] },
    2: { result: outOfTime, code: 1, logs: [log(9, { address: lookalike })] },
  })
  answers.block = fiveBlock({ transactions: outOfTimeTransactions })
  const solid = (await node.solidBlock(height))!
  assert.deepEqual([solid.undone, solid.unverified], [[txid(0), txid(2), txid(3)], null])
})

test('the newest block is read by its header, once that was seen not to be ahead of the whole one', async () => {
  answers.header = withTransactions(block(), [])
  const fresh = newNode()
  for (let n = 0; n < 3; n++) assert.equal((await fresh.solidHead()).height, height)
  await fresh.close()
  assert.deepEqual(
    asked().map(call => call.replace(/^WalletSolidity\/(\w+) .*/, '$1')),
    ['GetBlock', 'GetNowBlock2', 'GetBlock', 'GetBlock'],
  )
})

test("a block's id is asked for by its header, or by the whole block where that is not offered", async () => {
  answers.header = withTransactions(block(), [])
  assert.equal(await node.solidHash(height), hash)
  answers.header = notThere
  assert.equal(await node.solidHash(height), hash)
  answers.header = Buffer.alloc(0)
  assert.equal(await node.solidHash(height), null)
  answers.header = block({ number: height + 1 })
  await assert.rejects(node.solidHash(height), { kind: 'failed', message: /came in answer to/ })
})

test('a block at the head shows the transfers there are infos of, and none of another block', async () => {
  const amounts = async () => (await node.headBlock(height))!.transfers.map(({ amount }) => amount)
  assert.deepEqual(await amounts(), [1_000_000n, 2_000_000n, 3_000_000n])
  answers.infos = infos({}, [0])
  assert.deepEqual(await amounts(), [1_000_000n])
  answers.infos = infos({ 2: { number: height - 1 } }, [0, 0, 2])
  assert.deepEqual(await amounts(), [1_000_000n])
  answers.infos = Buffer.alloc(0)
  assert.deepEqual(await amounts(), [])
  answers.genesis = Buffer.alloc(0)
  assert.equal(await node.headBlock(height), null)
  answers.head = block({ number: height + 5 })
  assert.equal((await node.head()).height, height + 5)
})

const notCounted: [name: string, info: Partial<Info>][] = [
  ['reverted', { result: reverted, code: 1 }],
  ['out of energy', { result: outOfEnergy, code: 1 }],
  ['out of time, which keeps its logs', { result: outOfTime }],
  ['marked as failed beside a receipt of success', { code: 1 }],
  ['without a result', { result: 0 }],
  ['of a result that has no name yet', { result: 77 }],
  ['without a receipt', { receipt: null }],
]
for (const [name, info] of notCounted) {
  test(`the logs of a transaction ${name} do not count`, async () => {
    answers.infos = infos({ 0: info })
    assert.deepEqual(
      (await node.solidBlock(height))!.transfers.map(transfer => transfer.txIndex),
      [2, 2],
    )
  })
}

test('fields that have no name here, and bytes in them, are passed over', async () => {
  const unknown = message([15_000, Buffer.alloc(300, 0xff)], [99, 2 ** 50], [1_002, hex('0a0b')])
  answers.block = Buffer.concat([unknown, block(), unknown])
  answers.infos = Buffer.concat([infos({ 0: { more: unknown } }), message([7, 1])])
  assert.equal((await node.solidBlock(height))!.transfers.length, 3)
})

test('a block the node does not have is null, whatever it says of infos', async () => {
  answers.block = Buffer.alloc(0)
  for (const said of [Buffer.alloc(0), infos()]) {
    answers.infos = said
    assert.equal(await node.solidBlock(height), null)
  }
})

const failedBlocks: [name: string, change: () => void, message: RegExp][] = [
  [
    'no infos for a block with transactions',
    () => (answers.infos = Buffer.alloc(0)),
    /has 5 transactions and 0 infos/,
  ],
  ['an info too few', () => (answers.infos = infos({}, [0, 1, 2, 3])), /5 transactions and 4 infos/],
  ['an info too many', () => (answers.infos = infos({}, [0, 1, 2, 3, 4, 0])), /5 transactions and 6 infos/],
  ['infos in another order', () => (answers.infos = infos({}, [4, 3, 2, 1, 0])), /stands where block .* has/],
  ['the info of another transaction', () => (answers.infos = infos({ 3: { id: txid(9) } })), /stands where/],
  ['an info of another height', () => (answers.infos = infos({ 1: { number: height + 1 } })), /is of block/],
  ['an info without a height', () => (answers.infos = infos({ 1: { number: 0 } })), /is of block 0/],
  ['an info of another time', () => (answers.infos = infos({ 4: { timeMs: 3 } })), /bears the time 3/],
  ['an info without an id', () => (answers.infos = infos({ 1: { id: null } })), /id is missing/],
  [
    'an info with a short id',
    () => (answers.infos = infos({ 1: { id: 'abab' } })),
    /id should be 32 bytes, got 2/,
  ],
  ['an empty info', () => (answers.infos = message([1, [Buffer.alloc(0)]])), /id is missing/],
  [
    'an info with two ids',
    () => (answers.infos = infos({ 1: { more: message([1, hex(txid(1))]) } })),
    /id came twice/,
  ],
  [
    'an info with two receipts',
    () => (answers.infos = infos({ 3: { more: message([7, message([7, 1])]) } })),
    /receipt came twice/,
  ],
  [
    'an info with two results',
    () => (answers.infos = infos({ 3: { more: message([9, 1]) } })),
    /result came twice/,
  ],
  ['a result that has no name', () => (answers.infos = infos({ 0: { code: 2 } })), /result should be/],
  [
    'another block',
    () => (answers.block = block({ number: height + 1 })),
    /block 84940365 came in answer to/,
  ],
  ['block 0', () => (answers.block = block({ number: 0 })), /block 0 came in answer/],
  ['an id of another height', () => (answers.block = block({ id: 'ab'.repeat(32) })), /blockID should be/],
  ['no id', () => (answers.block = block({ id: null })), /a block without its id/],
  ['a short id', () => (answers.block = block({ id: hash.slice(2) })), /field 3 is of 31 bytes/],
  ['no header', () => (answers.block = message([3, hex(hash)])), /a block without its header/],
  [
    'an empty header',
    () => (answers.block = block({ header: Buffer.alloc(0) })),
    /a header without raw_data/,
  ],
  [
    'two headers',
    () => (answers.block = Buffer.concat([block(), message([2, header()])])),
    /block_header comes twice/,
  ],
  ['a header without a parent', () => (answers.block = block({ parentHash: null })), /parentHash is missing/],
  ['a height above 2^31', () => (answers.block = block({ number: 2 ** 40 })), /number should be/],
  [
    'a time of the year 10000',
    () => (answers.block = block({ timeMs: Date.UTC(10_000, 0) })),
    /timestamp should be/,
  ],
  [
    'a negative time',
    () => (answers.block = block({ header: message([1, negativeTime()]) })),
    /negative or above/,
  ],
  [
    'the same transaction twice',
    () => {
      answers.block = block({ transactions: [0, 1, 2, 3, 3].map(transaction) })
      answers.infos = infos({}, [0, 1, 2, 3, 3])
    },
    /is in block 84940364 twice/,
  ],
  [
    'a transaction without its bytes',
    () => (answers.block = block({ transactions: [message([2, hex(txid(0))])] })),
    /a transaction without its bytes/,
  ],
  [
    'a transaction without what was signed',
    () => (answers.block = block({ transactions: [message([1, message([2, Buffer.alloc(65)])])] })),
    /a transaction without raw_data/,
  ],
  [
    'a transaction with two bodies',
    () => (answers.block = block({ transactions: [Buffer.concat([transaction(1), transaction(2)])] })),
    /transaction comes twice/,
  ],
  [
    'a number for the transactions',
    () => (answers.block = Buffer.concat([message([1, 5]), block()])),
    /field 1 is not a message/,
  ],
  [
    'bytes for the height',
    () => (answers.infos = infos({ 0: { more: message([3, hex('05')]) } })),
    /field 3 is not a number/,
  ],
  [
    'a log with 41 in front of its address',
    () => withLogAddress(`41${usdt}`),
    /log.address should be 20 bytes, got 21/,
  ],
  ['a log without an address', () => withLogAddress(''), /log.address should be 20 bytes, got 0/],
  [
    'a log that is empty',
    () => (answers.infos = infos({ 0: { logs: [Buffer.alloc(0)] } })),
    /log.address is missing/,
  ],
  [
    'a log with data twice',
    () => (answers.infos = infos({ 0: { logs: [Buffer.concat([log(1), message([3, hex('00')])])] } })),
    /log.data came twice/,
  ],
  [
    'a topic of the token that is no word',
    () => (answers.infos = infos({ 0: { logs: [log(1, { topics: [approvalTopic, 'ab'] })] } })),
    /a topic should be 64 lower-case hex digits/,
  ],
  [
    'a message that is cut off',
    () => (answers.infos = infos().subarray(0, -20)),
    /beyond the end of its message/,
  ],
  ['bytes that are no message', () => (answers.block = Buffer.from('<html>502 Bad Gateway</html>')), /./],
  [
    'a lite node',
    () =>
      (answers.infos = refusal(
        status.UNAVAILABLE,
        'this API is closed because this node is a lite fullnode',
      )),
    /lite full node/,
  ],
  [
    'a switched-off API',
    () => (answers.block = refusal(status.UNAVAILABLE, 'this API is unavailable due to config')),
    /due to config/,
  ],
  ['INTERNAL', () => (answers.block = refusal(status.INTERNAL, 'boom')), /answered with INTERNAL: boom$/],
  [
    'UNKNOWN without details',
    () => (answers.block = refusal(status.UNKNOWN, '')),
    /answered with UNKNOWN: \(nothing\)$/,
  ],
  ['UNIMPLEMENTED', () => (answers.block = notThere), /answered with UNIMPLEMENTED/],
  [
    'a status that has no number',
    () => (answers.block = refusal(99, 'odd')),
    /answered with status 99: odd$/,
  ],
  [
    'control characters',
    () => (answers.block = refusal(status.INTERNAL, 'a\u001b[31mb')),
    /answered with INTERNAL: a \[31mb$/,
  ],
  [
    'a long sentence',
    () => (answers.block = refusal(status.INTERNAL, 'x'.repeat(4_000))),
    /INTERNAL: x{200}$/,
  ],
  [
    'a message over the limit',
    () => (answers.block = Buffer.alloc(300_000)),
    /its answer is longer than 200000 bytes/,
  ],
]
for (const [name, change, said] of failedBlocks) {
  test(`a node that answers ${name}: the block failed, and is not an empty or an absent one`, async () => {
    change()
    await assert.rejects(node.solidBlock(height), error => {
      assert(error instanceof NodeError)
      assert.equal(error.kind, 'failed')
      assert.match(error.message, /^node 127\.0\.0\.1:\d+, block 84940364: /)
      assert.match(error.message, said)
      return true
    })
  })
}

const waits: [
  name: string,
  answer: GrpcAnswer,
  retryAfterMs: number | undefined,
  allowedPerSecond: number | undefined,
][] = [
  [
    'a rate limit',
    refusal(
      status.RESOURCE_EXHAUSTED,
      'request rate exceeded the allowed_rps(3), and the query server is suspended for 1 s',
    ),
    1_000,
    3,
  ],
  [
    'the limit of a key',
    refusal(
      status.PERMISSION_DENIED,
      'The key exceeds the frequency limit(15), and the query server is suspended for 30s',
    ),
    30_000,
    15,
  ],
  ["java-tron's limiter", refusal(status.RESOURCE_EXHAUSTED, 'lack of computing resources'), undefined, 0],
  ['a limit without a word', refusal(status.RESOURCE_EXHAUSTED, ''), undefined, 0],
  ['UNAVAILABLE by the node itself', refusal(status.UNAVAILABLE, 'shutting down'), undefined, undefined],
  ['a suspension of a day', refusal(status.RESOURCE_EXHAUSTED, 'suspended for 86400 s'), 600_000, 0],
]
for (const [name, answer, retryAfterMs, allowedPerSecond] of waits) {
  test(`asked to wait: ${name}`, async () => {
    answers.infos = answer
    // With a status, or the pool would take it for its own pacing.
    await assert.rejects(
      node.solidBlock(height),
      error =>
        error instanceof NodeError &&
        error.kind === 'later' &&
        error.retryAfterMs === retryAfterMs &&
        error.allowedPerSecond === allowedPerSecond &&
        error.status !== undefined,
    )
  })
}

test('a call that hangs ends at the deadline, and the next one is served', async () => {
  answers.block = () => undefined
  await assert.rejects(node.solidBlock(height), {
    name: 'NodeError',
    kind: 'failed',
    timedOut: true,
    message: new RegExp(`timed out after ${deadlineMs} ms$`),
  })
  answers.block = block()
  assert.equal((await node.solidBlock(height))!.hash, hash)
})

test('a node that cannot be reached failed, and is reached as soon as it is there', async () => {
  const gone = await startFakeGrpcNode()
  const one = newNode({ headUrl: gone.url, solidUrl: gone.url })
  gone.close()
  await assert.rejects(one.solidBlock(height), { name: 'NodeError', kind: 'failed', status: undefined })
  await one.close()
  const nameless = newNode({
    headUrl: 'grpc://nowhere.invalid:50051',
    solidUrl: 'grpc://nowhere.invalid:50051',
  })
  await assert.rejects(nameless.solidBlock(height), { name: 'NodeError', kind: 'failed' })
  await nameless.close()
})

test('closing ends the calls in hand', async () => {
  const closing = newNode()
  let arrived: () => void = () => undefined
  const reached = new Promise<void>(resolve => (arrived = resolve))
  answers.head = () => arrived()
  const call = assert.rejects(closing.solidHead(), { kind: 'failed', message: /the node was closed/ })
  await reached
  await closing.close()
  await call
  await assert.rejects(closing.solidHead(), { kind: 'failed', message: /the node was closed/ })
})

test("TronGrid's key goes to TronGrid, and nowhere else", async () => {
  for (const to of [
    'grpc://grpc.trongrid.io:50051',
    'grpcs://GRPC.trongrid.io:50052',
    'grpc://trongrid.io:50051',
  ]) {
    assert.deepEqual(requestMetadata(to, 'a-key'), { 'TRON-PRO-API-KEY': 'a-key' })
    assert.deepEqual(requestMetadata(to, undefined), {})
  }
  for (const to of [
    'grpc://trongrid.io.example.com:50051',
    'grpc://eviltrongrid.io:50051',
    'grpc://api.trongrid.io@example.com:50051',
    'grpc://127.0.0.1:50051',
  ]) {
    assert.deepEqual(requestMetadata(to, 'a-key'), {}, to)
  }
  const keyed = newNode({ apiKey: 'a-key' })
  await keyed.solidHead()
  await keyed.close()
  assert.equal(fake.calls.at(-1)!.metadata['tron-pro-api-key'], undefined)
})

test('a key that a node repeats is in no error', async () => {
  const keyed = newNode({ apiKey: 'a-secret-key' })
  for (const code of [status.INTERNAL, status.RESOURCE_EXHAUSTED]) {
    answers.block = refusal(code, `${'x'.repeat(190)} the key a-secret-key is unknown`)
    await assert.rejects(keyed.solidBlock(height), (error: Error) => {
      for (let one: unknown = error; one instanceof Error; one = one.cause)
        assert.doesNotMatch(`${one.stack}`, /a-secret/)
      return true
    })
  }
  await keyed.close()
})

interface Info {
  id: string | null
  number: number
  timeMs: number
  result: number
  receipt: null
  code: number
  logs: readonly Buffer[]
  more: Buffer
}

interface Block {
  id: string | null
  number: number
  timeMs: number
  parentHash: string | null
  header: Buffer
  transactions: readonly Buffer[]
}

const notThere: GrpcAnswer = { code: status.UNIMPLEMENTED, details: 'Method not found' }

function newNode(change: Partial<Parameters<typeof createTronNode>[0]> = {}): TronNode {
  return createTronNode({
    headUrl: fake.url,
    solidUrl: fake.url,
    usdtContract: networks.mainnet.usdtContract!,
    deadlineMs,
    ...change,
  })
}

function asked(): string[] {
  return fake.calls.map(({ method, number }) => `${method} ${number}`)
}

function refusal(code: number, details: string): GrpcAnswer {
  return (_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done({ code, details })
}

function headerRaw({
  number = height,
  timeMs: time = timeMs,
  parentHash: parent = parentHash,
  transactions = fiveTransactions.map(extention),
}: Partial<Block> = {}): Buffer {
  return message(
    [1, time],
    [2, hex(merkleRoot(transactions.map(leafOf)))],
    parent !== null && [3, hex(parent)],
    [7, number],
    [9, hex(producer)],
    [10, 36],
  )
}

/** Of a transaction as it stands in a block, whole or not. */
function leafOf(extended: Buffer): string {
  const fields = new MessageFields(extended)
  fields.next()
  return createHash('sha256').update(fields.bytes()).digest('hex')
}

function header(change: Partial<Block> = {}): Buffer {
  return message([1, headerRaw(change)], [2, Buffer.alloc(65, 7)])
}

function block(change: Partial<Block> = {}): Buffer {
  const raw = headerRaw(change)
  const { id = idOfHeaderBytes(change.number ?? height, raw) } = change
  const transactions = change.transactions ?? fiveTransactions.map(extention)
  return message([1, transactions], [2, change.header ?? header(change)], id !== null && [3, hex(id)])
}

/** As it stands in a block. */
function transaction(index: number): Buffer {
  return extention(fiveTransactions[index]!)
}

/** -1 as java-tron would write it: ten bytes, as the raw data of a header in which it is the time. */
function negativeTime(): Buffer {
  return hex('08ffffffffffffffffff01')
}

/** Infos as those of five-transactions.ts, with fields that JSON cannot have. */
function infos(changes: Record<number, Partial<Info>> = {}, order = [0, 1, 2, 3, 4]): Buffer {
  const success = 1
  const each: Partial<Info>[] = [
    { result: success, logs: [log(1)] },
    {},
    {
      result: success,
      logs: [log(9, { topics: [approvalTopic] }), log(2), log(9, { address: lookalike }), log(3)],
    },
    { result: outOfEnergy, code: 1 },
    { result: success, logs: [log(0)] },
  ]
  const all = each.map((given, i) => {
    const info: Partial<Info> = { id: txid(i), number: height, timeMs, ...given, ...changes[i] }
    return (
      message(
        info.id != null && [1, hex(info.id)],
        [2, 345_000],
        [3, info.number!],
        [4, info.timeMs!],
        [5, [Buffer.alloc(32)]],
        info.receipt !== null && [7, message([5, 345], [7, info.result ?? 0])],
        [8, info.logs ?? []],
        [9, info.code ?? 0],
        info.code === 1 && [10, 'REVERT opcode executed'],
      ).toString('hex') + (info.more?.toString('hex') ?? '')
    )
  })
  return message([1, order.map(i => hex(all[i]!))])
}

function log(
  usdtAmount: number,
  {
    address = usdt,
    topics = [transferTopic, '11'.repeat(20).padStart(64, '0'), '22'.repeat(20).padStart(64, '0')],
    data = (usdtAmount * 1_000_000).toString(16).padStart(64, '0'),
  }: { address?: string; topics?: readonly string[]; data?: string } = {},
): Buffer {
  return message([1, hex(address)], [2, topics.map(hex)], [3, hex(data)])
}

function withLogAddress(address: string): void {
  answers.infos = infos({ 0: { logs: [log(1, { address })] } })
}
