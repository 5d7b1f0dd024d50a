import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { formatUsdt, usdt } from '../../../src/base/money.ts'
import type { Producer } from '../../../src/sandbox/chain/producers.ts'
import { realTransactions } from '../../../src/sandbox/chain/real-transactions.ts'
import type { SandboxBlock } from '../../../src/sandbox/chain/sandbox-block.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import type { Fault } from '../../../src/sandbox/faults/fault-schemas.ts'
import { type NodeView, startNodeView } from '../../../src/sandbox/node-view.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, addressToHex } from '../../../src/tron/address.ts'
import type { SolidBlock, Unverified } from '../../../src/tron/block.ts'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { type GrpcChannel, openGrpcChannel } from '../../../src/tron/node/grpc-channel.ts'
import { createTronNode, type TronNode } from '../../../src/tron/node/node-client.ts'
import { encodeProtobuf } from '../../../src/tron/protobuf.ts'
import { sentBlockOfJson } from '../../../src/tron/verify/block-json.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import { knownProducers } from '../../../src/tron/verify/block-producer.ts'
import type { SentBlock } from '../../../src/tron/verify/sent-block.ts'
import { verifyBlock } from '../../../src/tron/verify/verify-block.ts'

// Two nodes over one chain: the second lies. Each lie is read over HTTP and gRPC, as transfers and by verification. What a
// lie shows must be consistent: only root, signature, or another node give it away, as the lie says.

let sound: SandboxNode
let liar: NodeView
let clients: TronNode[]
let channel: GrpcChannel
const [alice, bob, mallory] = [1, 2, 3].map(n => addressFromBytes(Buffer.alloc(20, n)))
const usdtHex = addressToHex(sandboxAddresses.usdt)

/** A block that pays alice 5 and bob 6, and holds a payment to bob that failed. */
let paid: SandboxBlock
let txids = ['', '', '']

before(async () => {
  sound = await startSandboxNode({ autoMine: false, solidificationDepth: 4 })
  liar = await startNodeView(sound.chain)
  clients = [liar.url, liar.grpcUrl].map(url =>
    createTronNode({ headUrl: url, solidUrl: url, usdtContract: sandboxAddresses.usdt }),
  )
  channel = openGrpcChannel(liar.grpcUrl, 4 * 1024 * 1024)
  sound.chain.mine(30)
  txids = [pay(alice!, 5n), pay(bob!, 6n), pay(bob!, 7n, 'REVERT')]
  paid = sound.chain.mine()[0]!
  sound.chain.mine(8)
})
after(async () => {
  for (const client of clients) await client.close()
  channel.hangUp()
  await liar.close()
  await sound.close()
})
afterEach(() => liar.faults.clear())

type Verdict = Unverified | 'verified'
const truth = ['alice 5', 'bob 6']

test('without a lie every block is verified, over HTTP and gRPC alike', async () => {
  for (let height = 1; height <= sound.chain.solid.height; height++) {
    assert.equal(await verdict(height), 'verified')
  }
  assert.deepEqual(await transfers(), truth)
})

/** `id`: whether the block's id stays. */
const lies: { fault: () => Fault; shows: string[]; verdict: Verdict; id: boolean }[] = [
  ...(['kept', 'unsigned', 'stranger', 'impostor', 'producer'] as const).map(signed => ({
    fault: (): Fault => ({ kind: 'forged-transfer', to: mallory!, amount: '1', signed }),
    shows: [...truth, 'mallory 1'],
    verdict: verdictOf(signed),
    id: signed === 'kept',
  })),
  {
    fault: () => ({ kind: 'forged-log', to: mallory!, amount: '1' }),
    shows: [...truth, 'mallory 1'],
    verdict: 'verified',
    id: true,
  },
  {
    fault: () => ({ kind: 'forged-log', to: mallory!, amount: '1', txid: txids[0]! }),
    shows: ['alice 5', 'mallory 1', 'bob 6'],
    verdict: 'verified',
    id: true,
  },
  {
    fault: () => ({ kind: 'hidden-log', to: alice! }),
    shows: ['bob 6'],
    verdict: 'verified',
    id: true,
  },
  {
    fault: () => ({ kind: 'hidden-log', txid: txids[1]! }),
    shows: ['alice 5'],
    verdict: 'verified',
    id: true,
  },
  {
    fault: () => ({ kind: 'hidden-transaction', to: alice! }),
    shows: ['bob 6'],
    verdict: 'root',
    id: true,
  },
  {
    fault: () => ({ kind: 'hidden-transaction', txid: txids[1]!, signed: 'producer' }),
    shows: ['alice 5'],
    verdict: 'verified',
    id: false,
  },
  {
    fault: () => ({ kind: 'forged-amount', amount: '9', txid: txids[0]! }),
    shows: ['alice 9', 'bob 6'],
    verdict: 'verified',
    id: true,
  },
  {
    fault: () => ({ kind: 'forged-amount', amount: '9', txid: txids[0]!, call: true }),
    shows: ['alice 9', 'bob 6'],
    verdict: 'root',
    id: true,
  },
  {
    fault: () => ({ kind: 'forged-recipient', to: mallory!, call: true, signed: 'producer' }),
    shows: ['mallory 5', 'mallory 6'],
    verdict: 'verified',
    id: false,
  },
  {
    fault: () => ({ kind: 'false-result', result: 'REVERT', txid: txids[0]! }),
    shows: ['bob 6'],
    verdict: 'root',
    id: true,
  },
  {
    fault: () => ({ kind: 'false-result', result: 'REVERT', txid: txids[0]!, where: 'info' }),
    shows: ['bob 6'],
    verdict: 'verified',
    id: true,
  },
  {
    fault: () => ({ kind: 'false-result', result: 'SUCCESS', txid: txids[2]!, where: 'block' }),
    shows: truth,
    verdict: 'root',
    id: true,
  },
  { fault: () => ({ kind: 'header-only' }), shows: [], verdict: 'empty-under-root', id: true },
  {
    fault: () => ({ kind: 'made-up-block', signed: 'stranger', to: mallory!, amount: '1' }),
    shows: ['mallory 1'],
    verdict: 'stranger',
    id: false,
  },
  {
    fault: () => ({ kind: 'made-up-block', signed: 'producer' }),
    shows: [],
    verdict: 'verified',
    id: false,
  },
]

for (const { fault, shows, verdict: expected, id } of lies) {
  const { kind, ...rest } = { ...fault() }
  const how = Object.entries(rest).map(
    ([key, value]) => ` ${key} ${key === 'txid' || key === 'to' ? '' : value}`,
  )
  test(`${kind}${how.join('')}: ${expected}`, async () => {
    const { height } = paid
    liar.faults.set({ ...fault(), heights: { from: height, to: height } })
    assert.deepEqual(await transfers(), shows)
    assert.equal(await verdict(height), expected)
    assert.equal((await solidBlock(height))!.hash === paid.id, id)
    assert.equal((await solidBlock(height))!.parentHash, paid.header.parentHash)
    assert.equal(await verdict(height - 1), 'verified')
    assert.equal(await verdict(height + 1), 'verified')
    assert.deepEqual(await transfers(sound), truth, 'a sound node beside it shows the truth')
  })
}

test('a false result of a failed transaction, with the log it did not have, is told in block and info alike', async () => {
  const { height } = paid
  liar.faults.set({ kind: 'false-result', result: 'SUCCESS', txid: txids[2]!, where: 'info' })
  liar.faults.set({ kind: 'forged-log', to: bob!, amount: '7', txid: txids[2]! })
  assert.deepEqual(await transfers(), [...truth, 'bob 7'])
  assert.equal(await verdict(height), 'verified')
  liar.faults.set({ kind: 'false-result', result: 'SUCCESS', txid: txids[2]! })
  assert.deepEqual(await transfers(), [...truth, 'bob 7'])
  assert.equal(await verdict(height), 'root')
})

test('an unknown field in a result: verified over gRPC, while the root cannot be computed from JSON', async () => {
  const stamp = sound.chain.stamp()
  sound.chain.add([makePayment(stamp, [{ to: alice!, amount: usdt(1n) }], { unknownField: true })])
  const { height } = sound.chain.mine()[0]!
  sound.chain.mine(4)
  assert.equal(await verdictOverHttp(height), 'root')
  assert.equal(await verdictOverGrpc(height), 'verified')
  const [http, grpc] = await Promise.all(clients.map(client => client.solidBlock(height)))
  assert.deepEqual([http!.unverified, grpc!.unverified], ['root', null])
  assert.equal(http!.transfers.length, 1)
  assert.deepEqual(grpc!.transfers, http!.transfers)
})

test('a transaction given by its facts: followed over HTTP, not verified; over gRPC its stand-in has another id than its info', async () => {
  sound.chain.add(realTransactions)
  const { height } = sound.chain.mine()[0]!
  sound.chain.mine(4)
  assert.equal(await verdictOverGrpc(height), 'verified')
  await assert.rejects(verdictOverHttp(height), /raw_data_hex/)
  const [http, grpc] = clients
  const block = await http!.solidBlock(height)
  assert.deepEqual([block!.unverified, block!.transactionCount], ['leaf', realTransactions.length])
  await assert.rejects(grpc!.solidBlock(height), /the info of .* stands where/)
})

test('a withheld block is nowhere, while later ones are shown; so is each that pays somebody', async () => {
  const { height } = paid
  liar.faults.set({ kind: 'withheld-block', to: alice! })
  for (const client of clients) {
    assert.equal(await client.solidBlock(height), null)
    assert.equal((await client.solidBlock(height + 1))!.parentHash, paid.id)
  }
  liar.faults.clear()
  const { head } = sound.chain
  liar.faults.set({ kind: 'withheld-block', heights: { from: head.height, to: head.height } })
  assert.equal((await ask('/wallet/getnowblock')).blockID, head.header.parentHash)
})

test('an old block is shown again: its transfers, under a header of the new height', async () => {
  const { height } = paid
  liar.faults.set({ kind: 'replayed-block', blocks: 3, heights: { from: height + 3, to: height + 3 } })
  assert.deepEqual(await transfers(liar, height + 3), truth)
  assert.equal((await solidBlock(height + 3))!.parentHash, sound.chain.block(height + 2)!.id)
  assert.equal(await verdict(height + 3), 'signature')
  assert.equal(await verdict(height), 'verified')
  liar.faults.clear()
  liar.faults.set({ kind: 'replayed-block', blocks: 3, signed: 'producer' })
  assert.equal(await verdict(height + 3), 'verified')
  assert.deepEqual(await transfers(liar, height + 3), truth)
})

test('a made-up block stands on top of the newest of each view, in all its answers, and goes with the chain', async () => {
  liar.faults.set({ kind: 'made-up-block', signed: 'impostor', to: mallory!, amount: '1' })
  for (const [view, of] of [
    ['wallet', () => sound.chain.head],
    ['walletsolidity', () => sound.chain.solid],
  ] as const) {
    for (let n = 0; n < 2; n++) {
      const { height, id } = of()
      const shown = await ask(`/${view}/getnowblock`)
      assert.equal(shown.block_header.raw_data.number, height + 1)
      assert.equal(shown.block_header.raw_data.parentHash, id)
      assert.deepEqual(await ask(`/${view}/getblockbynum`, { num: height + 1 }), shown)
      const infos = await ask(`/${view}/gettransactioninfobyblocknum`, { num: height + 1 })
      assert.deepEqual([infos[0].id, infos[0].blockNumber], [shown.transactions[0].txID, height + 1])
      assert.deepEqual(await ask(`/${view}/getblockbynum`, { num: height + 2 }), {})
      assert.deepEqual(verifyBlock(sentBlockOfJson(shown, usdtHex)!, producers()), {
        kind: 'unverified',
        why: 'signature',
      })
      sound.chain.mine()
    }
  }
  for (const client of clients) {
    const { height } = sound.chain.solid
    const made = await client.solidBlock(height + 1)
    assert.deepEqual(made!.transfers.map(shownTransfer), ['mallory 1'])
    assert.equal(made!.parentHash, sound.chain.solid.id)
  }
})

test('made-up blocks in place of several link to each other, and to the true one below', async () => {
  const { height } = paid
  liar.faults.set({ kind: 'made-up-block', signed: 'unsigned', heights: { from: height - 2, to: height } })
  const top = await solidBlock(height)
  const middle = await solidBlock(height - 1)
  const lowest = await solidBlock(height - 2)
  assert.equal(top!.parentHash, middle!.hash)
  assert.equal(middle!.parentHash, lowest!.hash)
  assert.equal(lowest!.parentHash, sound.chain.block(height - 3)!.id)
  assert.equal(await verdict(height - 1), 'signature')
})

test('a false head is named, and no block up to it is there', async () => {
  const { height, id } = sound.chain.head
  liar.faults.set({ kind: 'false-head', blocks: 1_000, signed: 'stranger' })
  const shown = await ask('/wallet/getnowblock')
  assert.equal(shown.block_header.raw_data.number, height + 1_000)
  assert.match(
    (await ask('/wallet/getnodeinfo')).block,
    new RegExp(`^Num:${height + 1_000},ID:${shown.blockID}$`),
  )
  assert.deepEqual(await ask('/wallet/getblockbynum', { num: height + 1 }), {})
  assert.equal((await ask('/wallet/getblockbynum', { num: height })).blockID, id)
})

test('a branch of the node can be signed by a stranger, or by nobody', async () => {
  const { height } = sound.chain.solid
  const depth = sound.chain.head.height - height + 1
  for (const [signed, expected] of [
    [undefined, 'verified'],
    ['stranger', 'stranger'],
    ['impostor', 'signature'],
    ['unsigned', 'signature'],
  ] as const) {
    liar.faults.set({ kind: 'other-branch', depth, ...(signed && { signed }) })
    assert.notEqual((await solidBlock(height))!.hash, sound.chain.solid.id)
    assert.equal(await verdict(height), expected)
    liar.faults.clear()
  }
})

test('producers: the elected of the view, their keys, and a liar that names others, who sign its made-up blocks', async () => {
  for (const node of [sound, liar]) {
    const { witnesses } = await ask('/wallet/listwitnesses', {}, node)
    const elected = witnesses.filter((it: { isJobs?: boolean }) => it.isJobs)
    assert.deepEqual(
      elected.map((it: { address: string }) => it.address),
      sound.chain.producers.elected.map(({ address }) => address),
    )
    assert(witnesses.length > elected.length)
  }
  const keys = new Map<string, string>()
  for (const producer of sound.chain.producers.elected) {
    keys.set(producer.address, await signingKeyOf(producer.address))
    assert.equal(keys.get(producer.address), producer.signer.address)
    assert.equal(await signingKeyOverGrpc(producer.address), producer.signer.address)
  }
  assert.deepEqual(await electedOverGrpc(), [...keys.keys()])
  assert.equal(await signingKeyOf(`41${'ee'.repeat(20)}`), undefined)
  liar.faults.set({ kind: 'false-producers' })
  liar.faults.set({ kind: 'made-up-block', signed: 'stranger' })
  const { witnesses } = await ask('/wallet/listwitnesses')
  const shown = await ask('/wallet/getnowblock')
  const { witness_address: named } = shown.block_header.raw_data
  assert(witnesses.some((it: { address: string; isJobs: boolean }) => it.isJobs && it.address === named))
  assert(!keys.has(named))
  const believed = knownProducers(new Map([[named, [await signingKeyOf(named, liar)]]]))
  assert.equal(verifyBlock(sentBlockOfJson(shown, usdtHex)!, believed).kind, 'verified')
})

test('producers change at a maintenance: at the head first, in the solidity view when its blocks are solidified', async () => {
  const before = sound.chain.producers.elected.map(({ address }) => address)
  sound.chain.maintain({ replace: 3, newKeys: 1 })
  const after = sound.chain.producers.elected.map(({ address }) => address)
  const shown = async (view: string) => {
    const { witnesses } = await ask(`/${view}/listwitnesses`, { visible: false })
    return witnesses
      .filter((it: { isJobs?: boolean }) => it.isJobs)
      .map((it: { address: string }) => it.address)
  }
  assert.equal(after.filter(address => !before.includes(address)).length, 3)
  assert.deepEqual([await shown('wallet'), await shown('walletsolidity')], [before, before])
  sound.chain.mine()
  assert.deepEqual([await shown('wallet'), await shown('walletsolidity')], [after, before])
  sound.chain.mine(sound.chain.solidificationDepth)
  assert.deepEqual(await shown('walletsolidity'), after)
})

function verdictOf(signed: 'kept' | 'unsigned' | 'stranger' | 'impostor' | 'producer'): Verdict {
  if (signed === 'kept') return 'root'
  if (signed === 'producer') return 'verified'
  return signed === 'stranger' ? 'stranger' : 'signature'
}

function pay(to: NonNullable<typeof alice>, amount: bigint, fail?: 'REVERT'): string {
  const transaction = makePayment(sound.chain.stamp(), [{ to, amount: usdt(amount * 1_000_000n) }], { fail })
  sound.chain.add([transaction])
  return transaction.id
}

/** The producers of all blocks that the chain has, by the chain itself. */
function producers() {
  const keys = new Map<string, string[]>()
  const add = ({ address, signer }: Producer) =>
    keys.set(address, [...new Set([...(keys.get(address) ?? []), signer.address])])
  for (let height = 1; height <= sound.chain.head.height; height++) {
    for (const producer of sound.chain.block(height)!.elected) add(producer)
  }
  return knownProducers(keys)
}

/** What verification says of a block of the liar: the same over HTTP and gRPC. */
async function verdict(height: number): Promise<Verdict> {
  const [http, grpc] = [await verdictOverHttp(height), await verdictOverGrpc(height)]
  assert.equal(grpc, http)
  return http
}

async function verdictOverHttp(height: number): Promise<Verdict> {
  const block = await ask('/walletsolidity/getblockbynum', { num: height })
  return verdictOn(sentBlockOfJson(block, usdtHex))
}

async function verdictOverGrpc(height: number): Promise<Verdict> {
  const message = await askGrpc('GetBlockByNum2', encodeProtobuf([[1, height]]))
  return verdictOn(sentBlockOfMessage(message, usdtHex))
}

function verdictOn(sent: SentBlock | null): Verdict {
  const verified = verifyBlock(sent!, producers())
  return verified.kind === 'verified' ? 'verified' : verified.why
}

/** Asks the liar's solidity view over gRPC. */
async function askGrpc(method: string, request: Buffer): Promise<Buffer> {
  const outcome = await channel.call({
    method: `/protocol.WalletSolidity/${method}`,
    request,
    headers: {},
    deadlineMs: 5_000,
    signal: new AbortController().signal,
  })
  assert('message' in outcome, JSON.stringify(outcome))
  return outcome.message
}

/** Reads a block of the liar by the gateway's client: the same over both. */
async function solidBlock(height: number): Promise<SolidBlock | null> {
  const [http, grpc] = await Promise.all(clients.map(client => client.solidBlock(height)))
  assert.deepEqual({ ...grpc!, node: '' }, { ...http!, node: '' })
  return http!
}

async function transfers(node: NodeView = liar, height = paid.height): Promise<string[]> {
  if (node === liar) return (await solidBlock(height))!.transfers.map(shownTransfer)
  const client = createTronNode({
    headUrl: node.url,
    solidUrl: node.url,
    usdtContract: sandboxAddresses.usdt,
  })
  const block = await client.solidBlock(height)
  await client.close()
  return block!.transfers.map(shownTransfer)
}

function shownTransfer({ toHex, amount }: SolidBlock['transfers'][number]): string {
  return `${['', 'alice', 'bob', 'mallory'][Number.parseInt(toHex.slice(0, 2), 16)]} ${formatUsdt(amount)}`
}

async function signingKeyOf(address: string, node: NodeView = sound): Promise<string> {
  const account = await ask('/walletsolidity/getaccount', { address }, node)
  return account.witness_permission?.keys[0].address ?? account.address
}

/** Account: 3 address, 32 witness_permission {7 keys {1 address}}. */
async function signingKeyOverGrpc(address: string): Promise<string> {
  const account = fieldsOf(await askGrpc('GetAccount', encodeProtobuf([[3, Buffer.from(address, 'hex')]])))
  const permission = account.find(([number]) => number === 32)
  if (!permission) return account.find(([number]) => number === 3)![1].toString('hex')
  const key = fieldsOf(permission[1]).find(([number]) => number === 7)!
  return fieldsOf(key[1])
    .find(([number]) => number === 1)![1]
    .toString('hex')
}

/** WitnessList: 1 Witness {1 address, 9 isJobs}. */
async function electedOverGrpc(): Promise<string[]> {
  const witnesses = fieldsOf(await askGrpc('ListWitnesses', Buffer.alloc(0)))
  return witnesses
    .map(([, witness]) => fieldsOf(witness))
    .filter(fields => fields.some(([number]) => number === 9))
    .map(fields => fields.find(([number]) => number === 1)![1].toString('hex'))
}

function fieldsOf(message: Buffer): [number: number, content: Buffer][] {
  const found: [number, Buffer][] = []
  const fields = new MessageFields(message)
  while (fields.next()) found.push([fields.number, message.subarray(fields.start, fields.end)])
  return found
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked into by the tests.
async function ask(path: string, body: object = {}, { url }: { url: string } = liar): Promise<any> {
  const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) })
  assert.equal(response.status, 200)
  return response.json()
}
