import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import 'tronweb'
import { usdt } from '../../../src/base/money.ts'
import { solidifyingCount, standbyCount } from '../../../src/sandbox/chain/producers.ts'
import { realTransactions } from '../../../src/sandbox/chain/real-transactions.ts'
import type { SandboxBlock } from '../../../src/sandbox/chain/sandbox-block.ts'
import { SandboxChain } from '../../../src/sandbox/chain/sandbox-chain.ts'
import { failures, makePayment } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { seededRandom } from '../../../src/sandbox/chain/seeded-random.ts'
import { transactionBytes } from '../../../src/sandbox/chain/transaction-bytes.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'
import { blockId, headerBytes } from '../../../src/tron/block-id.ts'

// The blocks of a sandbox chain, checked as a light client checks those of the main network. What is computed here is
// computed with other code than the sandbox's: noble's for signatures, and java-tron's own messages, which tronweb brings.

const to = addressFromBytes(Buffer.alloc(20, 7))

test('a long chain, with forks, missed slots and maintenances: ids, roots, links, signatures and turns are real', () => {
  const random = seededRandom(12)
  const chain = new SandboxChain({
    genesisSeed: 'long',
    unknownFields: 0.2,
    clock: clockAt(1_800_000_000_000),
  })
  const signers = new Map<string, Set<string>>()
  for (let n = 0; n < 200; n++) {
    pay(chain, random.whole(0, 3))
    if (random.chance(0.1)) chain.fork(random.whole(1, 4))
    if (random.chance(0.05)) chain.maintain({ replace: random.whole(0, 4), newKeys: random.whole(0, 2) })
    chain.mine(random.whole(1, 3), { missedSlots: random.chance(0.2) ? random.whole(1, 3) : 0 })
  }
  let parent = chain.block(0)!
  for (let height = 1; height <= chain.head.height; height++) {
    const block = chain.block(height)!
    assert.equal(block.header.parentHash, parent.id)
    assert.equal(block.id, blockId(block.header))
    assert.equal(block.header.txTrieRoot, rootOf(block))
    const { witness_address: producer } = block.header
    const signer = signerOf(block)
    assert.equal(block.elected.find(({ address }) => address === producer)!.signer.address, signer)
    signers.set(producer!, (signers.get(producer!) ?? new Set()).add(signer))
    parent = block
  }
  assert(signers.size > 27, 'more producers than one election has')
  const delegated = [...signers].filter(([producer, keys]) => !keys.has(producer))
  assert(delegated.length > 0, 'some sign with another key')
  assert(
    [...signers.values()].some(keys => keys.size > 1),
    'some change their key',
  )
})

test('a chain can have a maintenance after every so many blocks: some producers are others then, and two slots are missed', () => {
  const chain = new SandboxChain({
    maintenance: { everyBlocks: 30, replace: 2, newKeys: 1 },
    clock: clockAt(1_800_000_000_000),
  })
  chain.mine(90)
  const elections = new Map<string, number>()
  for (let height = 1; height <= chain.head.height; height++) {
    const { elected } = chain.block(height)!
    const named = elected.map(({ address, signer }) => `${address} ${signer.address}`).join()
    if (!elections.has(named)) elections.set(named, height)
  }
  assert.deepEqual([...elections.values()], [1, 30, 60, 90])
  const [before, after] = [29, 30].map(height => chain.block(height)!)
  const stay = after!.elected.filter(({ address }) => before!.elected.some(it => it.address === address))
  assert.equal(stay.length, 25)
  assert(after!.timeMs - before!.timeMs > 2 * chain.blockIntervalMs)
})

test('27 producers take turns, a quarter of them sign with a delegated key, and a missed slot passes to the next', () => {
  const chain = new SandboxChain()
  const blocks = chain.mine(54)
  const addresses = blocks.map(({ header }) => header.witness_address)
  assert.equal(new Set(addresses.slice(0, 27)).size, 27)
  assert.deepEqual(addresses.slice(27), addresses.slice(0, 27))
  const delegated = chain.producers.elected.filter(({ address, signer }) => address !== signer.address)
  assert.equal(delegated.length, 7)
  const [next] = chain.mine(1, { missedSlots: 3 })
  assert.equal(next!.header.witness_address, addresses[3])
})

test('the same seed has the same producers, another seed others; the blocks of a fork are by others', () => {
  const clock = clockAt(1_800_000_000_000)
  const [a, b, c] = ['one', 'one', 'two'].map(genesisSeed => new SandboxChain({ genesisSeed, clock }))
  assert.deepEqual(a!.head, b!.head)
  assert.equal(a!.head.signature, b!.head.signature)
  const of = (chain: SandboxChain) => chain.producers.elected.map(({ address }) => address)
  assert(!of(c!).some(address => of(a!).includes(address)))
  // With two producers every second slot is the same one's.
  for (const producers of [2, 27]) {
    const chain = new SandboxChain({ producers, clock })
    for (let n = 1; n < 10; n++) {
      for (const orphan of chain.fork(n)) assert.notEqual(chain.block(orphan.height)!.id, orphan.id)
    }
  }
})

test('the id is the hash of raw_data, the leaf that of all bytes: signatures of 65 and 68 bytes, two of them, unknown fields', () => {
  const chain = new SandboxChain({ unknownFields: 0.25 })
  const seen = { two: 0, long: 0, unknown: 0, plain: 0 }
  for (let n = 0; n < 200; n++) {
    const fail = n % 10 === 0 ? failures[n % failures.length] : undefined
    const transaction = makePayment(chain.stamp(), [{ to, amount: usdt(BigInt(n + 1)) }], { fail })
    const message = readTransaction(transactionBytes(transaction))
    const raw = message.getRawData().serializeBinary()
    assert.equal(hash('sha256', raw, 'hex'), transaction.id)
    const lengths = message.getSignatureList_asU8().map((signature: Uint8Array) => signature.length)
    const [result] = message.getRetList()
    assert.equal(message.getRetList().length, 1)
    assert.equal(result.getContractret(), messages().Transaction.Result.contractResult[transaction.result!])
    if (lengths.length === 2) seen.two++
    else if (lengths[0] === 68) seen.long++
    else assert.deepEqual(lengths, [65])
    if (transaction.unknownField) seen.unknown++
    else seen.plain++
    assert.equal(transactionBytes(transaction).toString('hex').includes('d23e0c'), !!transaction.unknownField)
  }
  assert(
    Object.values(seen).every(count => count > 0),
    JSON.stringify(seen),
  )
  const asked = makePayment(new SandboxChain().stamp(), [{ to, amount: usdt(1n) }], { unknownField: true })
  assert.equal(asked.unknownField?.length, 24)
})

test('a transaction given by its facts keeps its id, and the root holds for the bytes that stand for it', () => {
  const chain = new SandboxChain()
  chain.add(realTransactions)
  const [block] = chain.mine()
  assert.equal(block!.header.txTrieRoot, rootOf(block!))
  const leaves = block!.transactions.map(leafOf)
  assert.equal(new Set(leaves).size, realTransactions.length, 'each has its own leaf')
  for (const transaction of block!.transactions) {
    const raw = readTransaction(transactionBytes(transaction)).getRawData()
    assert.equal(Buffer.from(raw.getData_asU8()).toString('hex'), transaction.id)
    assert.notEqual(hash('sha256', raw.serializeBinary(), 'hex'), transaction.id)
  }
})

test('by producers: a block is solidified when 19 different ones have made it or a later one', () => {
  assert.equal(solidifyingCount(27), 19)
  const random = seededRandom(5)
  const chain = new SandboxChain({ solidifiedBy: 'producers' })
  assert.equal(chain.head.height - chain.solid.height, 18)
  for (let n = 0; n < 300; n++) {
    if (n % 70 === 69) chain.maintain({ replace: random.whole(1, standbyCount) })
    if (random.chance(0.1)) chain.fork(random.whole(1, chain.head.height - chain.solid.height))
    const before = chain.solid.height
    chain.mine(1, { missedSlots: random.chance(0.3) ? random.whole(1, 9) : 0 })
    assert.equal(chain.solid.height, Math.max(before, javaTronSolid(chain)))
  }
  assert(chain.solid.height > 250)
})

/** java-tron's own way: the newest block of each producer, sorted, at position 8 of 27. */
function javaTronSolid(chain: SandboxChain): number {
  const newest = chain.producers.elected.map(({ address }) => {
    for (let height = chain.head.height; height > 0; height--) {
      if (chain.block(height)!.header.witness_address === address) return height
    }
    return 0
  })
  return newest.sort((a, b) => a - b)[8]!
}

function pay(chain: SandboxChain, count: number): void {
  for (let n = 0; n < count; n++) chain.add([makePayment(chain.stamp(), [{ to, amount: usdt(1n) }])])
}

function leafOf(transaction: SandboxBlock['transactions'][number]): string {
  return hash('sha256', transactionBytes(transaction), 'hex')
}

function rootOf({ transactions }: SandboxBlock): string {
  const above = (nodes: string[]): string[] =>
    nodes.flatMap((left, i) => {
      if (i % 2 === 1) return []
      const right = nodes[i + 1]
      return right === undefined ? [left] : [hash('sha256', Buffer.from(left + right, 'hex'), 'hex')]
    })
  let nodes = transactions.map(leafOf)
  while (nodes.length > 1) nodes = above(nodes)
  return nodes[0] ?? '0'.repeat(64)
}

function signerOf({ header, signature }: SandboxBlock): string {
  const bytes = Buffer.from(signature, 'hex')
  assert.equal(bytes.length, 65)
  const digest = hash('sha256', headerBytes(header), 'buffer')
  const publicKey = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), 'compact')
    .addRecoveryBit(bytes[64]!)
    .recoverPublicKey(digest)
  return `41${Buffer.from(keccak_256(publicKey.toBytes(false).subarray(1)).subarray(-20)).toString('hex')}`
}

function readTransaction(bytes: Buffer) {
  return messages().Transaction.deserializeBinary(new Uint8Array(bytes))
}

/** java-tron's messages, which tronweb puts there, without types. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
function messages(): any {
  return (globalThis as unknown as { TronWebProto: unknown }).TronWebProto
}

function clockAt(ms: number) {
  return { now: () => new Date(ms) }
}
