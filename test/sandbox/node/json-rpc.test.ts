import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, addressToHex, type TronAddress } from '../../../src/tron/address.ts'
import { transferTopic } from '../../../src/tron/transfer-log.ts'
import { recorded, skipWithoutRecorded } from '../../tron/recorded.ts'

// JSON-RPC, balances and the calls by id, over one block: a payment, a batch of two through the router, a failed one
// that kept its log.
let sandbox: SandboxNode
const alice = addressFromBytes(Buffer.alloc(20, 1))
const bob = addressFromBytes(Buffer.alloc(20, 2))
const usdtHex = addressToHex(sandboxAddresses.usdt)
let block: { height: number; id: string }
let txids: string[]

before(async () => {
  sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
  const to = (address: TronAddress, units: bigint) => ({ to: address, amount: usdt(units) })
  const transactions = [
    makePayment(sandbox.chain.stamp(), [to(alice, 5n)]),
    makePayment(sandbox.chain.stamp(), [to(alice, 6n), to(bob, 7n)]),
    makePayment(sandbox.chain.stamp(), [to(alice, 8n)], { fail: 'OUT_OF_TIME' }),
    makePayment(sandbox.chain.stamp(), [to(bob, 1n)], { from: alice }),
  ]
  txids = transactions.map(({ id }) => id)
  sandbox.chain.add(transactions)
  block = sandbox.chain.mine()[0]!
})
after(() => sandbox.close())
afterEach(() => sandbox.faults.clear())

test('the chain is known by the end of its genesis id, and its head by its number', async () => {
  const chainId = await result('eth_chainId')
  assert.equal(Number(chainId), Number.parseInt(sandbox.chain.genesisId.slice(-8), 16))
  assert.equal(Number(await result('eth_blockNumber')), sandbox.chain.head.height)
})

test('logs of a block by its hash: those asked for, counted over the whole block, failed ones too', async () => {
  const filter = { blockHash: `0x${block.id}`, address: [`0x${usdtHex}`], topics: [`0x${transferTopic}`] }
  const logs = await result('eth_getLogs', [filter])
  assert.deepEqual(
    logs.map((log: Record<string, string>) => [
      log.transactionHash,
      log.transactionIndex,
      log.logIndex,
      BigInt(log.data!),
    ]),
    [
      [`0x${txids[0]}`, '0x0', '0x0', 5n],
      [`0x${txids[1]}`, '0x1', '0x2', 6n],
      [`0x${txids[1]}`, '0x1', '0x3', 7n],
      [`0x${txids[2]}`, '0x2', '0x4', 8n],
      [`0x${txids[3]}`, '0x3', '0x5', 1n],
    ],
  )
  const all = await result('eth_getLogs', [{ blockHash: `0x${block.id}` }])
  assert.equal(all.length, 6)
  const toBob = [null, null, [`0x${'0'.repeat(24)}${addressToHex(bob)}`]]
  assert.equal((await result('eth_getLogs', [{ ...filter, topics: toBob }])).length, 2)
})

test('the shapes of a log and of a block are the recorded ones', { skip: skipWithoutRecorded }, async () => {
  const [log] = await result('eth_getLogs', [{ blockHash: `0x${block.id}` }])
  const keys = (value: object) => Object.keys(value).sort()
  assert.deepEqual(keys(log), keys(recorded('eth_getLogs.nile-66985120.json').result[0]))
  const shown = await result('eth_getBlockByNumber', [`0x${block.height.toString(16)}`, false])
  assert.deepEqual(keys(shown), keys(recorded('eth_getBlockByHash.nile-66985120.json').result))
})

test('blocks by number and by tag; none is null', async () => {
  const shown = await result('eth_getBlockByNumber', [`0x${block.height.toString(16)}`, false])
  assert.deepEqual([shown.hash, shown.transactions], [`0x${block.id}`, txids.map(txid => `0x${txid}`)])
  assert.equal((await result('eth_getBlockByNumber', ['latest', true])).transactions[0].hash, `0x${txids[0]}`)
  const solid = await result('eth_getBlockByNumber', ['finalized', false])
  assert.equal(solid.hash, `0x${sandbox.chain.solid.id}`)
  const genesis = await result('eth_getBlockByNumber', ['earliest', false])
  assert.equal(genesis.hash, `0x${sandbox.chain.genesisId}`)
  assert.equal(await result('eth_getBlockByNumber', ['0xfffff', false]), null)
})

const errors: [method: string, params: unknown[], code: number, message: RegExp][] = [
  ['eth_gasPrice', [], -32601, /method not found/],
  ['constructor', [], -32601, /method not found/],
  ['eth_getLogs', [{ fromBlock: '0x1', toBlock: '0x2' }], -32601, /by blockHash only/],
  ['eth_getLogs', [{ blockHash: `0x${'ab'.repeat(32)}` }], -32602, /invalid blockHash/],
  ['eth_getLogs', [{ blockHash: `0x${'ab'.repeat(32)}`, toBlock: '0x1' }], -32602, /cannot specify both/],
  ['eth_getLogs', [{ blockHash: 'x' }], -32602, /invalid hash/],
  ['eth_getLogs', [], -32602, /invalid filter/],
  ['eth_getBlockByNumber', ['pending', false], -32602, /TAG pending not supported/],
  ['eth_getBlockByNumber', ['12', false], -32602, /invalid block number/],
]
for (const [method, params, code, message] of errors) {
  test(`JSON-RPC refuses ${method} ${JSON.stringify(params).slice(0, 60)} with ${code}`, async () => {
    const { error } = await rpc(method, params)
    assert.equal(error.code, code)
    assert.match(error.message, message)
  })
}

test('a hash of an orphaned block is no block', async () => {
  sandbox.chain.mine()
  const { id } = sandbox.chain.head
  sandbox.chain.fork(1)
  assert.equal((await rpc('eth_getLogs', [{ blockHash: `0x${id}` }])).error.code, -32602)
})

test('faults: no logs, said as if it were true; and the refusals outside the envelope', async () => {
  const filter = [{ blockHash: `0x${block.id}` }]
  sandbox.faults.set({ kind: 'logs-empty', times: 1 })
  assert.deepEqual(await result('eth_getLogs', filter), [])
  assert.equal((await result('eth_getLogs', filter)).length, 6)
  sandbox.faults.set({ kind: 'no-resources', heights: { from: block.height, to: block.height } })
  assert.match((await rpc('eth_getLogs', filter)).Error, /lack of computing resources/)
  await result('eth_blockNumber')
})

test('balanceOf is what came in less what went out, as far as the view goes', async () => {
  sandbox.chain.mine(2)
  assert.equal(await balanceOf(alice), 10n)
  assert.equal(await balanceOf(bob), 8n)
  assert.equal(await balanceOf(sandboxAddresses.payer), 0n)
  assert.equal(await balanceOf(alice, { contract_address: sandboxAddresses.lookalike }), 0n)
  sandbox.faults.set({ kind: 'lag', blocks: sandbox.chain.solid.height - block.height + 1 })
  assert.equal(await balanceOf(alice), 0n)
  sandbox.faults.clear()
  sandbox.faults.set({ kind: 'balance-off', amount: '0.000003', address: alice })
  assert.deepEqual([await balanceOf(alice), await balanceOf(bob)], [7n, 8n])
})

test('a constant call of no token or of another function is an error in its result', async () => {
  for (const changed of [{ contract_address: alice }, { function_selector: 'name()' }, { parameter: 'x' }]) {
    const { result } = await trigger(alice, changed)
    assert.equal(result.code, 'OTHER_ERROR')
    assert.match(Buffer.from(result.message, 'hex').toString(), /No contract/)
  }
})

test('the shape of a constant call is the recorded one', { skip: skipWithoutRecorded }, async () => {
  const real = recorded('triggerconstantcontract.nile.balanceOf-usdt.json')
  const ours = await trigger(alice, {})
  for (const pick of [(it: typeof ours) => it, (it: typeof ours) => it.transaction]) {
    assert.deepEqual(Object.keys(pick(ours)).sort(), Object.keys(pick(real)).sort())
  }
  const { data } = ours.transaction.raw_data.contract[0].parameter.value
  assert.equal(data.slice(0, 8), real.transaction.raw_data.contract[0].parameter.value.data.slice(0, 8))
})

test('getblock: the header alone, the whole with detail, by number, by id, or the newest', async () => {
  const header = await ask('/walletsolidity/getblock', { id_or_num: `${block.height}`, detail: false })
  assert.deepEqual(Object.keys(header), ['blockID', 'block_header'])
  assert.equal(header.blockID, block.id)
  const whole = await ask('/wallet/getblock', { id_or_num: block.id, detail: true })
  assert.equal(whole.transactions.length, 4)
  assert.equal((await ask('/wallet/getblock', {})).blockID, sandbox.chain.head.id)
  assert.equal((await ask('/walletsolidity/getblock', {})).blockID, sandbox.chain.solid.id)
  assert.deepEqual(await ask('/wallet/getblock', { id_or_num: '100000' }), {})
  assert.deepEqual(await ask('/wallet/getblock', { id_or_num: block.id.replace(/.$/, 'x') }), {
    Error: `class java.lang.NumberFormatException : For input string: "${block.id.replace(/.$/, 'x')}"`,
  })
})

test('with visible, addresses are base58: a log says so too, where the default says 20 bytes', async () => {
  const path = '/wallet/gettransactioninfobyblocknum'
  const [plain] = await ask(path, { num: block.height })
  assert.deepEqual([plain.log[0].address, plain.contract_address], [usdtHex, `41${usdtHex}`])
  const [info] = await ask(path, { num: block.height, visible: true })
  const { usdt: base58 } = sandboxAddresses
  assert.deepEqual([info.log[0].address, info.contract_address], [base58, base58])
  const shown = await ask('/wallet/getblockbynum', { num: block.height, visible: true })
  assert.equal(shown.transactions[3].raw_data.contract[0].parameter.value.owner_address, alice)
})

async function balanceOf(address: TronAddress, changed: object = {}): Promise<bigint> {
  const { constant_result } = await trigger(address, changed)
  return BigInt(`0x${constant_result[0]}`)
}

function trigger(address: TronAddress, changed: object) {
  return ask('/walletsolidity/triggerconstantcontract', {
    owner_address: address,
    contract_address: sandboxAddresses.usdt,
    function_selector: 'balanceOf(address)',
    parameter: addressToHex(address).padStart(64, '0'),
    visible: true,
    ...changed,
  })
}

async function result(method: string, params: unknown[] = []) {
  const answer = await rpc(method, params)
  assert(!answer.error, JSON.stringify(answer.error))
  assert.deepEqual([answer.jsonrpc, answer.id], ['2.0', 7])
  return answer.result
}

function rpc(method: string, params: unknown[]) {
  return ask('/jsonrpc', { jsonrpc: '2.0', id: 7, method, params })
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked into by the tests.
async function ask(path: string, body: object): Promise<any> {
  const response = await fetch(sandbox.url + path, { method: 'POST', body: JSON.stringify(body) })
  assert.equal(response.status, 200)
  return response.json()
}
