import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { networks } from '../../../src/tron/network.ts'
import { createTronNode, type TronNode } from '../../../src/tron/node/node-client.ts'
import { NodeError } from '../../../src/tron/node/node-error.ts'
import { requestHeaders } from '../../../src/tron/node/node-http.ts'
import { transferTopic } from '../../../src/tron/transfer-log.ts'
import { headerOfBlock, jsonOfMessage } from '../verify/block-messages.ts'
import {
  fiveBlock,
  hash,
  height,
  fiveInfos as infos,
  usdtLog as log,
  lookalike,
  outOfTimeTransactions,
  parentHash,
  timeMs,
  txid,
} from './five-transactions.ts'

// The client against a real HTTP server that says, for each call, what the test wants it to.
type Answer = unknown | ((response: ServerResponse) => void)
const usdt = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
const deadlineMs = 1_000

let answers: { block: Answer; infos: Answer; head: Answer; header: Answer; genesis: Answer }
let calls: { path: string; body: string; headers: IncomingMessage['headers'] }[]
let url: string
let node: TronNode

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const path = request.url!
  calls.push({ path, body, headers: request.headers })
  const answer = path.endsWith('getnowblock')
    ? answers.head
    : path.endsWith('/getblock')
      ? answers.header
      : path.endsWith('gettransactioninfobyblocknum')
        ? answers.infos
        : path.endsWith('/wallet/getblockbynum')
          ? answers.genesis
          : answers.block
  if (typeof answer === 'function') return answer(response)
  response.end(JSON.stringify(answer))
})

before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  node = createTronNode({
    headUrl: `${url}/secret-path`,
    solidUrl: url,
    usdtContract: networks.mainnet.usdtContract!,
    deadlineMs,
    bodyMaxBytes: 200_000,
  })
})
after(async () => {
  await node.close()
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  calls = []
  answers = { block: block(), infos: infos(), head: block(), header: raw('', 404), genesis: block() }
})

test('a solidified block comes with its transfers, in the order of the chain', async () => {
  const solid = await node.solidBlock(height)
  assert(solid)
  const { transfers, undecodable, ...rest } = solid
  assert.deepEqual(rest, {
    height,
    hash,
    parentHash,
    time: new Date(timeMs),
    transactionCount: 5,
    alarms: [],
    undone: [txid(3)],
    unverified: null,
    header: headerOfBlock(fiveBlock()),
    node: new URL(url).host,
  })
  assert.deepEqual(
    transfers.map(({ fromHex, toHex, ...transfer }) => transfer),
    [
      { txid: txid(0), txIndex: 0, logIndex: 0, amount: 1_000_000n, signed: true },
      { txid: txid(2), txIndex: 2, logIndex: 1, amount: 2_000_000n, signed: false },
      { txid: txid(2), txIndex: 2, logIndex: 3, amount: 3_000_000n, signed: false },
    ],
  )
  assert.equal(transfers[0]!.fromHex, '11'.repeat(20))
  assert.equal(transfers[0]!.toHex, '22'.repeat(20))
  assert.deepEqual(undecodable, [])
})

test('a list with more blocks than were asked for is refused', async () => {
  const { block } = answers
  answers.block = { block: [block, block, block] }
  await assert.rejects(node.newBlocks(height, 2), /more than 2 blocks came/)
})

test('the block is asked for, then its infos, by POST, at the solidified view', async () => {
  await node.solidBlock(height)
  assert.deepEqual(asked(), [
    `/walletsolidity/getblockbynum {"num":${height}}`,
    `/walletsolidity/gettransactioninfobyblocknum {"num":${height}}`,
  ])
})

test('infos are not asked for of a block that is not there, nor of one without transactions', async () => {
  for (const said of [{}, block({ transactions: undefined })]) {
    answers.block = said
    calls = []
    await node.solidBlock(height)
    assert.deepEqual(asked(), [`/walletsolidity/getblockbynum {"num":${height}}`])
  }
})

test('the genesis id is read at the head URL, with its path', async () => {
  answers.genesis = {
    blockID: networks.mainnet.genesisId,
    block_header: { raw_data: { parentHash: '00'.repeat(32) } },
  }
  assert.equal(await node.genesisId(), networks.mainnet.genesisId)
  assert.equal(calls[0]!.path, '/secret-path/wallet/getblockbynum')
})

test('the solidified head is a height, a hash and a time', async () => {
  assert.deepEqual(await node.solidHead(), { height, hash, time: new Date(timeMs) })
})

test('a transfer in a log that cannot be decoded is handed on with its log, and the others still count', async () => {
  const bad = { ...log(5), data: 'ff' }
  answers.infos = infos({ 0: { log: [bad, log(6)] } })
  const solid = await node.solidBlock(height)
  assert.deepEqual(solid!.undecodable, [
    { txid: txid(0), txIndex: 0, logIndex: 0, reason: 'the data is not the 32 bytes of an amount', log: bad },
  ])
  assert.deepEqual(solid!.transfers.map(({ logIndex, amount }) => ({ logIndex, amount }))[0], {
    logIndex: 1,
    amount: 6_000_000n,
  })
})

test('an event of the contract that changes what its transfers mean is named', async () => {
  const raised = (topic: string) => ({ ...log(1), topics: [topic] })
  const names = ['Params(uint256,uint256)', 'Deprecate(address)', 'Pause()', 'AddedBlackList(address)']
  names.push(
    'DestroyedBlackFunds(address,uint256)',
    'Unpause()',
    'RemovedBlackList(address)',
    'Issue(uint256)',
  )
  const logs = names.map(name => raised(Buffer.from(keccak_256(Buffer.from(name))).toString('hex')))
  const other = { ...logs[2], address: lookalike }
  answers.infos = infos({ 2: { log: [...logs, other] }, 3: { log: logs } })
  const { alarms, transfers } = (await node.solidBlock(height))!
  assert.deepEqual(
    alarms,
    names.slice(0, -1).map((name, logIndex) => ({ txid: txid(2), logIndex, event: name.split('(')[0] })),
  )
  assert.equal(transfers.length, 1)
})

test('transactions that failed are named, as the block has it; where it does not say, those that kept logs of the contract', async () => {
  const failed = { receipt: { result: 'OUT_OF_TIME' }, result: 'FAILED' }
  answers.infos = infos({
    0: { ...failed, log: [log(1)] },
    2: { ...failed, log: [{ ...log(9), address: lookalike }] },
  })
  answers.block = jsonOfMessage(fiveBlock({ transactions: outOfTimeTransactions }))
  const solid = (await node.solidBlock(height))!
  assert.deepEqual([solid.undone, solid.unverified], [[txid(0), txid(2), txid(3)], null])
  answers.block = block({ transactions: [0, 1, 2, 3, 4].map(i => ({ txID: txid(i) })) })
  const unsaid = (await node.solidBlock(height))!
  assert.deepEqual([unsaid.undone, unsaid.unverified], [[txid(0)], 'leaf'])
})

test('the newest block is read by its header, once that was seen not to be ahead of the whole one', async () => {
  answers.header = { ...block(), transactions: undefined }
  const fresh = newNode()
  for (let n = 0; n < 3; n++) assert.equal((await fresh.solidHead()).height, height)
  await fresh.close()
  assert.deepEqual(asked(), [
    '/walletsolidity/getblock {"detail":false}',
    '/walletsolidity/getnowblock {}',
    '/walletsolidity/getblock {"detail":false}',
    '/walletsolidity/getblock {"detail":false}',
  ])
})

test('a node whose header is ahead of its solidified block is believed about the block, and no more asked for headers', async () => {
  const fresh = newNode()
  answers.header = block({}, height + 18)
  for (let n = 0; n < 5; n++) assert.equal((await fresh.solidHead()).height, height)
  assert.equal(calls.filter(({ path }) => path.endsWith('/getblock')).length, 3)
  await fresh.close()
})

test('a node without headers alone is asked for the whole block from then on; a passing failure is no such answer', async () => {
  for (const said of [raw('', 404), raw('{"Error": "this API is unavailable due to config"}', 404), {}]) {
    const fresh = newNode()
    calls = []
    answers.header = raw('', 502)
    await assert.rejects(fresh.solidHead(), { kind: 'failed' })
    answers.header = said
    for (let n = 0; n < 3; n++) assert.equal((await fresh.solidHead()).height, height)
    assert.deepEqual(
      calls.map(({ path }) => path.replace('/walletsolidity', '')),
      ['/getblock', '/getblock', '/getnowblock', '/getnowblock', '/getnowblock'],
    )
    await fresh.close()
  }
})

test("a block's id is asked for by its header, or by the whole block where that is not offered", async () => {
  answers.header = block({ transactions: undefined })
  assert.equal(await node.solidHash(height), hash)
  answers.header = raw('', 405)
  assert.equal(await node.solidHash(height), hash)
  answers.header = {}
  assert.equal(await node.solidHash(height), null)
  answers.header = block({}, height + 1)
  await assert.rejects(node.solidHash(height), { kind: 'failed', message: /came in answer to/ })
  assert.deepEqual(asked().slice(0, 3), [
    `/walletsolidity/getblock {"id_or_num":"${height}","detail":false}`,
    `/walletsolidity/getblock {"id_or_num":"${height}","detail":false}`,
    `/walletsolidity/getblockbynum {"num":${height}}`,
  ])
})

test('a block at the head shows the transfers there are infos of, and none of another block', async () => {
  answers.genesis = block()
  assert.deepEqual(
    (await node.headBlock(height))!.transfers.map(({ amount }) => amount),
    [1_000_000n, 2_000_000n, 3_000_000n],
  )
  answers.infos = infos().slice(0, 1)
  assert.equal((await node.headBlock(height))!.transfers.length, 1)
  answers.infos = [infos()[0], infos()[0], infos({ 2: { blockNumber: height - 1 } })[2]]
  assert.equal((await node.headBlock(height))!.transfers.length, 1)
  answers.infos = []
  assert.deepEqual((await node.headBlock(height))!.transfers, [])
  answers.genesis = {}
  assert.equal(await node.headBlock(height), null)
  answers.head = block({}, height + 5)
  assert.equal((await node.head()).height, height + 5)
})

test('packed answers are asked for and unpacked; one that would burst the limit, or is cut off, failed', async () => {
  const packed = (body: Buffer) => raw(body, 200, { 'content-encoding': 'gzip' })
  const whole = gzipSync(JSON.stringify(block()))
  answers.block = packed(whole)
  assert.equal((await node.solidBlock(height))!.hash, hash)
  assert.equal(calls[0]!.headers['accept-encoding'], 'gzip')
  // A hundred megabytes of nothing in a hundred kilobytes.
  const bomb = gzipSync(Buffer.alloc(100_000_000))
  assert(bomb.length < 150_000)
  const before = process.memoryUsage().rss
  for (const body of [bomb, whole.subarray(0, -20), Buffer.from('no gzip')]) {
    answers.block = packed(body)
    await assert.rejects(node.solidBlock(height), { name: 'NodeError', kind: 'failed' })
  }
  assert(process.memoryUsage().rss - before < 50 * 1024 * 1024)
})

const notCounted: [name: string, info: object][] = [
  ['reverted', { receipt: { result: 'REVERT' }, result: 'FAILED' }],
  ['out of time, which keeps its logs', { receipt: { result: 'OUT_OF_TIME' } }],
  ['marked as failed beside a receipt of success', { result: 'FAILED' }],
  ['without a result', { receipt: {} }],
  ['without a receipt', { receipt: undefined }],
  ['successful in small letters', { receipt: { result: 'success' } }],
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

test('an empty block is a block without transactions whose infos are []', async () => {
  answers.block = jsonOfMessage(fiveBlock({ transactions: [] }))
  answers.infos = []
  const solid = await node.solidBlock(height)
  assert.equal(solid!.transactionCount, 0)
  assert.equal(solid!.unverified, null)
  assert.deepEqual(solid!.transfers, [])
})

test('a block the node does not have is null, whatever it says of infos', async () => {
  answers.block = {}
  for (const said of [[], {}, infos()]) {
    answers.infos = said
    assert.equal(await node.solidBlock(height), null)
  }
})

const failedBlocks: [name: string, change: () => void, message: RegExp][] = [
  ['[] for a block with transactions', () => (answers.infos = []), /has 5 transactions and 0 infos/],
  ['{} for a block with transactions', () => (answers.infos = {}), /has 5 transactions and 0 infos/],
  ['an info too few', () => (answers.infos = infos().slice(0, 4)), /5 transactions and 4 infos/],
  ['an info too many', () => (answers.infos = [...infos(), infos()[0]]), /5 transactions and 6 infos/],
  ['infos in another order', () => (answers.infos = infos().reverse()), /stands where block .* has/],
  ['the info of another transaction', () => (answers.infos = infos({ 3: { id: txid(9) } })), /stands where/],
  [
    'an info of another height',
    () => (answers.infos = infos({ 1: { blockNumber: height + 1 } })),
    /is of block/,
  ],
  [
    'an info without a height',
    () => (answers.infos = infos({ 1: { blockNumber: undefined } })),
    /is of block 0/,
  ],
  [
    'an info of another time',
    () => (answers.infos = infos({ 4: { blockTimeStamp: 3 } })),
    /bears the time 3/,
  ],
  [
    'another block',
    () => (answers.block = block({}, height + 1)),
    /block 84940365 came in answer to 84940364/,
  ],
  ['block 0', () => (answers.block = block({}, 0)), /block 0 came in answer/],
  [
    'an id of another height',
    () => (answers.block = block({ blockID: 'ab'.repeat(32) })),
    /blockID should be/,
  ],
  ['no id', () => (answers.block = block({ blockID: undefined })), /blockID should be .* got nothing/],
  ['no header', () => (answers.block = { blockID: hash }), /block_header should be an object/],
  ['a header without a parent', () => (answers.block = blockWith({ parentHash: undefined })), /parentHash/],
  ['a height beyond 2^53', () => (answers.block = blockWith({ number: 2 ** 60 })), /number should be/],
  ['a height as text', () => (answers.block = blockWith({ number: String(height) })), /number should be/],
  ['a time of 1e300', () => (answers.block = blockWith({ timestamp: 1e300 })), /timestamp should be/],
  ['a negative time', () => (answers.block = blockWith({ timestamp: -1 })), /timestamp should be/],
  [
    'the same transaction twice',
    () => {
      answers.block = block({ transactions: [0, 1, 2, 3, 3].map(i => ({ txID: txid(i) })) })
      answers.infos = [0, 1, 2, 3, 3].map(i => infos()[i])
    },
    /is in block 84940364 twice/,
  ],
  ['a transaction without an id', () => (answers.block = block({ transactions: [{}] })), /txID should be/],
  [
    'transactions that are no list',
    () => (answers.block = block({ transactions: {} })),
    /transactions should be a list/,
  ],
  ['an info that is null', () => (answers.infos = [null]), /an info should be an object/],
  [
    'logs that are no list',
    () => (answers.infos = infos({ 0: { log: { 0: log(1) } } })),
    /log should be a list/,
  ],
  ['a log that is text', () => (answers.infos = infos({ 0: { log: ['x'] } })), /a log should be an object/],
  [
    'a log with 41 in front of its address',
    () => withLogAddress(`41${usdt}`),
    /log.address should be 40 lower-case hex/,
  ],
  ['a log with 0x in front of its address', () => withLogAddress(`0x${usdt}`), /log.address should be/],
  ['a log with its address in capitals', () => withLogAddress(usdt.toUpperCase()), /log.address should be/],
  [
    'a log with its address in base58',
    () => withLogAddress('TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'),
    /log.address/,
  ],
  [
    'a topic that is a number',
    () => (answers.infos = infos({ 0: { log: [{ ...log(1), topics: [1] }] } })),
    /a topic/,
  ],
  [
    'data that is a number',
    () => (answers.infos = infos({ 0: { log: [{ ...log(1), data: 1 }] } })),
    /log.data/,
  ],
  [
    "the token's data with a NUL",
    () => (answers.infos = infos({ 0: { log: [{ ...log(1), data: 'ff\0' }] } })),
    /log.data should be lower-case hex/,
  ],
  [
    'a topic of the token that is no word',
    () => (answers.infos = infos({ 0: { log: [{ ...log(1), topics: [`0x${transferTopic}`] }] } })),
    /a topic should be 64 lower-case hex digits/,
  ],
  ['a list for a block', () => (answers.block = []), /the block should be an object/],
  ['null for a block', () => (answers.block = null), /the block should be an object, got null/],
  ['text for a block', () => (answers.block = 'soon'), /the block should be an object, got "soon"/],
  ['cut-off JSON', () => (answers.infos = raw(JSON.stringify(infos()).slice(0, -20))), /no JSON/],
  ['HTML', () => (answers.block = raw('<html>502 Bad Gateway</html>')), /no JSON: <html>/],
  ['nothing', () => (answers.block = raw('')), /no JSON: \(nothing\)/],
  ['gzip nobody asked for', () => (answers.block = raw(gzipSync(JSON.stringify(block())))), /no JSON/],
  [
    'a lite node',
    () => (answers.infos = raw('this API is closed because this node is a lite fullnode')),
    /lite full node/,
  ],
  [
    'an Error with 200',
    () => (answers.block = { Error: 'class java.lang.NumberFormatException : null' }),
    /NumberFormat/,
  ],
  [
    '404',
    () => (answers.block = raw('{"Error": "this API is unavailable due to config"}', 404)),
    /HTTP 404.*due to config/,
  ],
  ['403 that is no limit', () => (answers.block = raw('Forbidden', 403)), /HTTP 403: Forbidden/],
  ['500', () => (answers.block = raw('', 500)), /HTTP 500: \(nothing\)/],
  ['a redirect', () => (answers.block = raw('', 302, { location: 'http://127.0.0.1:1/' })), /HTTP 302/],
  ['control characters', () => (answers.block = raw('a\r\n\u001b[31mb', 500)), /HTTP 500: a \[31mb$/],
  ['a body over the cap', () => (answers.block = raw(`"${'x'.repeat(300_000)}"`)), /./],
  ['a connection reset', () => (answers.block = (r: ServerResponse) => r.socket!.resetAndDestroy()), /./],
  ['a reset in mid-answer', () => (answers.block = brokenOff), /./],
  ['a body shorter than it says', () => (answers.block = raw('{}', 200, { 'content-length': '50' })), /./],
]
for (const [name, change, message] of failedBlocks) {
  test(`a node that answers ${name}: the block failed, and is not an empty or an absent one`, async () => {
    change()
    await assert.rejects(node.solidBlock(height), error => {
      assert(error instanceof NodeError)
      assert.equal(error.kind, 'failed')
      assert.match(error.message, /^node 127\.0\.0\.1:\d+, block 84940364: /)
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /secret-path/)
      return true
    })
  })
}

const waits: [name: string, answer: Answer, retryAfterMs: number | undefined][] = [
  ['TronGrid without a key, 429', raw(rpsError(3, '1 s'), 429), 1_000],
  ['TronGrid without a key, 403', raw(rpsError(10, '1 s'), 403), 1_000],
  [
    'TronGrid with a key, 403',
    raw(
      '{"Error":"The key exceeds the frequency limit(15), and the query server is suspended for 30s"}',
      403,
    ),
    30_000,
  ],
  [
    'a limit said with 200',
    { Error: 'request rate exceeded the allowed_rps(25), and the query server is suspended for 1 s' },
    1_000,
  ],
  [
    "java-tron's limiter",
    { Error: 'class java.lang.IllegalAccessException : lack of computing resources' },
    undefined,
  ],
  ['429 with Retry-After', raw('', 429, { 'retry-after': '7' }), 7_000],
  ['503 with Retry-After', raw('busy', 503, { 'retry-after': '2' }), 2_000],
  ['503 alone', raw('<html>', 503), undefined],
  [
    'a Retry-After that is a date',
    raw('', 429, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
    undefined,
  ],
  ['a suspension of a year', raw('suspended for 31536000 s', 429), undefined],
  ['a suspension of a day', raw('suspended for 86400 s', 429), 600_000],
]
for (const [name, answer, retryAfterMs] of waits) {
  test(`asked to wait: ${name}`, async () => {
    answers.infos = answer
    await assert.rejects(node.solidBlock(height), { name: 'NodeError', kind: 'later', retryAfterMs })
  })
}

test('an answer that hangs, before or in the middle of it, or drips, ends at the deadline', async () => {
  const hanging: Answer[] = [
    () => undefined,
    (response: ServerResponse) => response.write('{"blockID":'),
    (response: ServerResponse) => {
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    },
  ]
  for (const answer of hanging) {
    answers.head = answer
    await assert.rejects(node.solidHead(), {
      name: 'NodeError',
      kind: 'failed',
      message: new RegExp(`timed out after ${deadlineMs} ms`),
    })
  }
})

test('a node that cannot be reached failed', async () => {
  const gone = createTronNode({
    headUrl: 'http://127.0.0.1:1',
    solidUrl: 'http://127.0.0.1:1',
    usdtContract: networks.mainnet.usdtContract!,
  })
  await assert.rejects(gone.solidHead(), {
    name: 'NodeError',
    kind: 'failed',
    message: /^node 127\.0\.0\.1:1, /,
  })
  await gone.close()
})

test('closing ends the calls in hand', async () => {
  const closing = createTronNode({
    headUrl: url,
    solidUrl: url,
    usdtContract: networks.mainnet.usdtContract!,
  })
  let arrived: () => void = () => undefined
  const asked = new Promise<void>(resolve => (arrived = resolve))
  answers.head = () => arrived()
  const call = assert.rejects(closing.solidHead(), { name: 'NodeError', kind: 'failed' })
  await asked
  await closing.close()
  await call
})

test('a genesis or a head that is not there is a failure', async () => {
  answers.genesis = {}
  await assert.rejects(node.genesisId(), { kind: 'failed', message: /it has no block 0/ })
  answers.genesis = block()
  await assert.rejects(node.genesisId(), { kind: 'failed', message: /block 84940364 came in answer to 0/ })
  answers.head = {}
  await assert.rejects(node.solidHead(), { kind: 'failed', message: /it has no solidified block/ })
})

test("TronGrid's key goes to TronGrid over https, and nowhere else", async () => {
  const key = 'TRON-PRO-API-KEY'
  for (const to of ['https://api.trongrid.io', 'https://nile.trongrid.io/wallet/x', 'https://trongrid.io']) {
    assert.equal(requestHeaders(new URL(to), 'a-key')[key], 'a-key')
    assert.equal(requestHeaders(new URL(to), undefined)[key], undefined)
  }
  for (const to of [
    'http://api.trongrid.io',
    'https://trongrid.io.example.com',
    'https://eviltrongrid.io',
    'https://example.com/api.trongrid.io',
    'https://api.trongrid.io@example.com',
    'http://127.0.0.1:8090',
  ]) {
    assert.equal(requestHeaders(new URL(to), 'a-key')[key], undefined, to)
  }
  const keyed = createTronNode({
    headUrl: url,
    solidUrl: url,
    apiKey: 'a-key',
    usdtContract: networks.mainnet.usdtContract!,
  })
  await keyed.solidHead()
  await keyed.close()
  assert.equal(calls.at(-1)!.headers['tron-pro-api-key'], undefined)
})

function newNode(): TronNode {
  return createTronNode({ headUrl: url, solidUrl: url, usdtContract: networks.mainnet.usdtContract! })
}

function asked(): string[] {
  return calls.map(({ path, body }) => `${path} ${body}`)
}

/** With `raw_data` beside the bytes, in which numbers may be beyond 2^53. */
function block(change: object = {}, number = height): object {
  const { transactions, ...rest } = jsonOfMessage(fiveBlock({ height: number }))
  return {
    ...rest,
    transactions: (transactions as object[]).map(one => ({ ...one, raw_data: { fee_limit: 2 ** 62 } })),
    ...change,
  }
}

function blockWith(change: object): object {
  const whole = block() as { block_header: { raw_data: object } }
  return { ...whole, block_header: { raw_data: { ...whole.block_header.raw_data, ...change } } }
}

function withLogAddress(address: string): void {
  answers.infos = infos({ 0: { log: [{ ...log(1), address }] } })
}

function rpsError(limit: number, wait: string): string {
  return `{"Error":"request rate exceeded the allowed_rps(${limit}), and the query server is suspended for ${wait}"}`
}

function raw(body: string | Buffer, status = 200, headers: Record<string, string> = {}): Answer {
  return (response: ServerResponse) => {
    response.writeHead(status, headers)
    response.write(body)
    if (headers['content-length']) response.socket!.end()
    else response.end()
  }
}

function brokenOff(response: ServerResponse): void {
  response.write('{"blockID":"', () => response.socket!.resetAndDestroy())
}
