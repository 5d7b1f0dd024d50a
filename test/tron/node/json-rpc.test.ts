import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { addressFromHex, addressToHex } from '../../../src/tron/address.ts'
import { networks } from '../../../src/tron/network.ts'
import { compareLogs, type LogFact } from '../../../src/tron/node/compare-logs.ts'
import { readTransferLogs } from '../../../src/tron/node/json-rpc.ts'
import { fakeNodes, poolOf } from '../pool/pool-under-test.ts'
import { recorded, skipWithoutRecorded as skip } from '../recorded.ts'
import { blockHash, txid } from './fake-chain.ts'
import { type FakeCall, refuse } from './fake-node.ts'
import { transferLog } from './info-messages.ts'

const usdtContract = addressToHex(networks.mainnet.usdtContract!)
const hash = blockHash({ chain: 'main', fork: null }, 991)
const block = { height: 991, hash, time: new Date(0) }
const from = '11'.repeat(20)
const to = '22'.repeat(20)

function log(change: object = {}, units = 991): object {
  const { address, topics, data } = transferLog(units)
  return {
    address: `0x${address}`,
    topics: topics.map(topic => `0x${topic}`),
    data: `0x${data}`,
    blockHash: `0x${hash}`,
    transactionHash: `0x${txid(991, 0)}`,
    logIndex: '0x1e',
    removed: false,
    ...change,
  }
}

const read = (result: unknown) =>
  readTransferLogs({ jsonrpc: '2.0', id: 1, result }, { blockHash: hash, usdtContract })
const fact = (amount = 991n, id = txid(991, 0)): LogFact => ({
  txid: id,
  fromHex: from,
  toHex: to,
  amount: usdt(amount),
})

test('logs are read as transfers: without 0x, other events and zero amounts left out', () => {
  const { topics } = log() as { topics: string[] }
  assert.deepEqual(
    read([
      log(),
      log({}, 0),
      log({ topics: [`0x${'8c'.repeat(32)}`] }),
      log({ topics: [...topics, `0x${'00'.repeat(32)}`] }),
      log({ address: `0x${'ec'.repeat(20)}` }),
      log({}, 5),
    ]),
    [fact(), fact(5n)],
  )
  assert.deepEqual(read([]), [])
})

const unreadable: [name: string, result: unknown][] = [
  ['no list', {}],
  ['a log of another block', [log({ blockHash: `0x${'ab'.repeat(32)}` })]],
  ['a log without a transaction', [log({ transactionHash: null })]],
  ['a transaction without 0x', [log({ transactionHash: txid(991, 0) })]],
  ['an address without 0x', [log({ address: usdtContract })]],
  ['a log that is null', [null]],
  ['a topic that is a number', [log({ topics: [1] })]],
]
for (const [name, result] of unreadable) {
  test(`an answer with ${name} is no answer`, () => {
    assert.throws(() => read(result), { name: 'NodeError', kind: 'failed' })
  })
}

test('the recorded log of a USDT transfer is read to its transfer, one of another contract to none', {
  skip,
}, () => {
  const { result } = recorded('eth_getTransactionReceipt.mainnet-39507235.usdt.json')
  const at = result.blockHash.slice(2)
  // As eth_getLogs gives them, with the block and the transaction they belong to.
  const logs = result.logs.map((one: object) => ({ ...one, transactionHash: result.transactionHash }))
  const [transfer] = readTransferLogs({ result: logs }, { blockHash: at, usdtContract })
  assert.equal(transfer!.txid, '9ff75c018157f4504adc34058510516c603569238e5c3d156b1f0b096856b1a1')
  assert.equal(addressFromHex(transfer!.fromHex), 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm')
  assert.equal(addressFromHex(transfer!.toHex), 'TA9MKSZT1gY4ZsY6J7tuesw5e5RHTC6q1R')
  assert.equal(transfer!.amount, 581_320_924n)
  const other = recorded('eth_getLogs.mainnet-35889319.by-blockHash.first1.json')
  const blockOfOther = other.result[0].blockHash.slice(2)
  assert.deepEqual(readTransferLogs(other, { blockHash: blockOfOther, usdtContract }), [])
  assert.deepEqual(
    readTransferLogs(recorded('eth_getLogs.empty.json'), { blockHash: hash, usdtContract }),
    [],
  )
})

test('the recorded errors of JSON-RPC are failures', { skip }, () => {
  const bodies = recorded('error-bodies.json')
    .map((entry: { body: string }) => entry.body)
    .filter((body: string) => /jsonrpc/.test(body))
  assert.equal(bodies.length, 2)
  for (const body of bodies) {
    assert.throws(() => readTransferLogs(JSON.parse(body), { blockHash: hash, usdtContract }), {
      kind: 'failed',
      message: /answered with error -32/,
    })
  }
})

test('the same transfers in another order agree; one too few, too many or other disagrees, and is named', () => {
  const [a, b] = [fact(1n), fact(2n)]
  assert.equal(compareLogs([a, b, a], [a, a, b]).verdict, 'agreed')
  assert.equal(compareLogs([], []).verdict, 'agreed')
  assert.deepEqual(compareLogs([a, b], [a]), { verdict: 'disagreed', missing: [b], extra: [] })
  assert.deepEqual(compareLogs([a], [a, a]), { verdict: 'disagreed', missing: [], extra: [a] })
  assert.deepEqual(compareLogs([a], [b]), { verdict: 'disagreed', missing: [a], extra: [b] })
  for (const change of [{ txid: txid(5, 0) }, { fromHex: to }, { toHex: from }, { amount: usdt(3n) }]) {
    const other = { ...a, ...change }
    assert.deepEqual(compareLogs([a], [other]), { verdict: 'disagreed', missing: [a], extra: [other] })
  }
  assert.equal(compareLogs([a], [a, fact(0n)]).verdict, 'agreed')
})

test('no logs at all say nothing of a block with transfers', () => {
  assert.deepEqual(compareLogs([fact()], []), { verdict: 'unknown', missing: [fact()], extra: [] })
})

test('logs kept by a transaction that failed are no difference', () => {
  const undone = fact(5n, txid(7, 0))
  // Nodes keep them or not, whichever was asked first.
  assert.equal(compareLogs([fact()], [fact(), undone], [undone.txid]).verdict, 'agreed')
  assert.equal(compareLogs([fact(), undone], [fact()], [undone.txid]).verdict, 'agreed')
  assert.equal(compareLogs([undone], [], [undone.txid]).verdict, 'agreed')
  assert.equal(compareLogs([fact()], [fact(), undone]).verdict, 'disagreed')
  assert.equal(compareLogs([fact(), undone], [fact()]).verdict, 'disagreed')
})

const rpc = (answer: object) => (call: FakeCall) => (call.path === '/jsonrpc' ? answer : undefined)

test('a node that offers JSON-RPC is asked by the hash of the block alone, which an index without that block cannot answer', async () => {
  const [a, b] = await fakeNodes({}, { behave: rpc({ jsonrpc: '2.0', id: 1, result: [log()] }) })
  const { pool } = poolOf([a!, b!])
  assert.deepEqual(await pool.logsOf(block), { node: b!.name, logs: [fact()] })
  assert.deepEqual(b!.calls.at(-1)!.body, {
    jsonrpc: '2.0',
    id: 1,
    method: 'eth_getLogs',
    params: [{ blockHash: `0x${hash}` }],
  })
  assert.equal(await pool.logsOf(block, b!.name), null)
})

for (const [name, answer] of [
  ['404', refuse(404, '')],
  ['an Error outside the envelope', { Error: 'this API is unavailable due to config' }],
  [
    'a method that is not known',
    { jsonrpc: '2.0', id: 1, error: { code: -32601, message: 'no such method' } },
  ],
] as [string, object][]) {
  test(`a node that says ${name} offers none, is asked once, and is as good as before otherwise`, async () => {
    const [a] = await fakeNodes({ behave: rpc(answer) })
    const { pool, lines } = poolOf([a!])
    assert.equal(await pool.logsOf(block), null)
    assert.equal(await pool.logsOf(block), null)
    assert.equal(a!.calls.filter(({ path }) => path === '/jsonrpc').length, 1)
    assert.equal((await pool.solidBlock(991))!.node, a!.name)
    assert.deepEqual(lines, [])
  })
}

test('a node that lacks the block says not yet, which is neither a failure nor an answer; another one may have it', async () => {
  const notYet = { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'invalid blockHash' } }
  const [a, b] = await fakeNodes({ behave: rpc(notYet) }, { behave: rpc(notYet) })
  const { pool, lines } = poolOf([a!, b!])
  assert.equal(await pool.logsOf(block), 'not yet')
  b!.behave = rpc({ jsonrpc: '2.0', id: 1, result: [log()] })
  assert.deepEqual(await pool.logsOf(block), { node: b!.name, logs: [fact()] })
  a!.behave = rpc({ jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'invalid block range params' } })
  await assert.rejects(pool.logsOf(block, b!.name), { kind: 'failed', message: /-32602/ })
  assert.deepEqual(lines, [])
})

test('an answer longer than any node gives is refused', async () => {
  const endless = (response: ServerResponse) => response.end(`[${'0,'.repeat(13 * 1024 * 1024)}0]`)
  const [a] = await fakeNodes({ behave: rpc(endless) })
  const { pool } = poolOf([a!])
  await assert.rejects(pool.logsOf(block), { kind: 'failed' })
})

test('a node that fails at it is asked again the next time, and still serves blocks', async () => {
  const tooMany = { code: -32005, message: 'query returned more than 10000 results' }
  for (const answer of [refuse(500, ''), { jsonrpc: '2.0', id: 1, error: tooMany }]) {
    const [a] = await fakeNodes({ behave: rpc(answer) })
    const { pool, lines } = poolOf([a!])
    for (let n = 0; n < 3; n++) {
      await assert.rejects(pool.logsOf(block), { name: 'NodeError', kind: 'failed', message: /eth_getLogs/ })
    }
    assert.equal(a!.calls.length, 3)
    assert.equal((await pool.solidBlock(991))!.node, a!.name)
    assert.deepEqual(lines, [])
  }
})

test('told to wait there, the whole node waits: the limit is on the key', async () => {
  const error = {
    Error: 'The key exceeds the frequency limit(15), and the query server is suspended for 9 s',
  }
  const [a] = await fakeNodes({ behave: rpc(error) })
  const { pool, states } = poolOf([a!])
  await assert.rejects(pool.logsOf(block), { name: 'NodeError', kind: 'later', retryAfterMs: 9_000 })
  await assert.rejects(pool.solidBlock(991), { kind: 'later' })
  assert.equal(a!.calls.length, 1)
  assert.deepEqual(states(a!.name), ['later'])
})

test('JSON-RPC on another port is asked there', async () => {
  const [a, b] = await fakeNodes({}, { behave: rpc({ jsonrpc: '2.0', id: 1, result: [] }) })
  for (const jsonRpcUrl of [b!.url, `${b!.url}/jsonrpc`]) {
    const { pool } = poolOf([a!], { nodes: [{ headUrl: a!.url, solidUrl: a!.url, jsonRpcUrl }] })
    assert.deepEqual(await pool.logsOf(block), { node: a!.name, logs: [] })
  }
  assert.deepEqual(
    b!.calls.map(({ path }) => path),
    ['/jsonrpc', '/jsonrpc'],
  )
})
