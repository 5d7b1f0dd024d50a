import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SolidTruth } from '../../../src/sandbox/chain/chain-truth.ts'
import { sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { seededRandom } from '../../../src/sandbox/chain/seeded-random.ts'
import { addressFromBytes, addressFromHex } from '../../../src/tron/address.ts'
import type { SolidBlock } from '../../../src/tron/block.ts'
import { createTronNode, type TronNode } from '../../../src/tron/node/node-client.ts'
import { type RandomChain, type RandomChainOptions, randomChain } from '../../support/random-chain.ts'
import { lieNames } from '../../support/random-lies.ts'

const addresses = [1, 2, 3, 4].map(n => addressFromBytes(Buffer.alloc(20, n)))
const clock = { now: () => new Date(1_800_000_000_000) }

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`on a random chain with sound nodes the client finds the truth, transfer for transfer (seed ${seed})`, async () => {
    await withChain(seed, { addresses, faults: 'none', nodes: 1 }, async history => {
      for (let n = 0; n < 40; n++) history.step()
      const truth = history.settle()
      assert(truth.transfers.length > 10, `${truth.transfers.length} transfers`)
      await checkClient(history, truth)
    })
  })
}

for (const seed of [11, 12, 13, 14]) {
  test(`whoever asks again until the chain links finds the truth through all passing faults (seed ${seed})`, async () => {
    await withChain(seed, { addresses, nodes: 2 }, async history => {
      const clients = history.urls.map(clientOf)
      const found: SolidBlock[] = []
      for (let n = 0; n < 60; n++) {
        history.step()
        await followOnce(clients, found)
      }
      const truth = history.settle()
      while ((found.at(-1)?.height ?? 0) < truth.height) await followOnce(clients, found)
      assert.deepEqual(found.flatMap(transfersOf), expected(truth))
      assert.deepEqual(
        found.slice(0, truth.height).map(({ height }) => height),
        Array.from({ length: truth.height }, (_, i) => i + 1),
      )
      for (const client of clients) await client.close()
    })
  })
}

test('the same seed makes the same chain, another seed another', async () => {
  const run = async (seed: number) => {
    const history = await randomChain(seed, { addresses, clock, liars: 1 })
    for (let n = 0; n < 80; n++) history.step()
    const truth = history.settle()
    await history.close()
    return { steps: history.steps, truth }
  }
  const first = await run(21)
  assert.deepEqual(await run(21), first)
  assert.notEqual((await run(22)).truth.hash, first.truth.hash)
})

test('lies are told by the last nodes alone, and two of them never tell the same', async () => {
  const told = new Set<string>()
  for (let seed = 30; seed < 40; seed++) {
    const history = await randomChain(seed, { addresses, liars: 2, nodes: 4 })
    for (let n = 0; n < 60; n++) history.step()
    for (const step of history.steps) if (step.includes(' lies, ')) assert.match(step, /^node [23] /)
    const [one, other] = history.liars.map(liar => new Set(liar.told.map(({ name }) => name)))
    assert.deepEqual(
      [...one!].filter(name => other!.has(name)),
      [],
    )
    for (const name of [...one!, ...other!]) told.add(name)
    await history.close()
  }
  assert.equal(told.size, lieNames.length, 'every lie is told')
})

test('liars go on to lie while the others settle, and tell the truth when they confess', async () => {
  await withChain(41, { addresses, liars: 1, nodes: 2 }, async history => {
    for (let n = 0; n < 60; n++) history.step()
    history.liars[0]!.lie('history', 'header only')
    history.settle('go on')
    const faults = () => history.nodes.map(node => node.faults.list().length)
    assert.equal(faults()[0], 0)
    assert(faults()[1]! > 0)
    history.confess()
    history.settle()
    assert.deepEqual(faults(), [0, 0])
  })
})

test('a random chain that is solidified by its producers ends in its truth, too', async () => {
  await withChain(9, { addresses, faults: 'none', nodes: 1, solidifiedBy: 'producers' }, async history => {
    for (let n = 0; n < 60; n++) history.step()
    await checkClient(history, history.settle())
  })
})

test('the numbers of a seed are spread evenly, and the same each time', () => {
  const random = seededRandom(5)
  const counts = Array.from({ length: 6 }, () => 0)
  for (let n = 0; n < 6_000; n++) counts[random.whole(0, 5)]!++
  for (const count of counts) assert(count > 850 && count < 1_150, `${counts}`)
  const [a, b] = [seededRandom(5), seededRandom(5)]
  assert.deepEqual(a.shuffled([1, 2, 3, 4]), b.shuffled([1, 2, 3, 4]))
  assert.throws(() => a.pick([]), /nothing to pick/)
})

async function withChain(
  seed: number,
  options: RandomChainOptions,
  run: (history: RandomChain) => Promise<void>,
): Promise<void> {
  const history = await randomChain(seed, options)
  try {
    await run(history)
  } catch (error) {
    console.error(`seed ${seed}:\n${history.steps.join('\n')}`)
    throw error
  } finally {
    await history.close()
  }
}

async function checkClient({ chain, urls }: RandomChain, truth: SolidTruth): Promise<void> {
  const client = clientOf(urls[0]!)
  const blocks: SolidBlock[] = []
  for (let height = 1; height <= truth.height; height++) {
    const block = await client.solidBlock(height)
    assert.equal(block!.hash, chain.block(height)!.id)
    blocks.push(block!)
  }
  await client.close()
  assert.deepEqual(blocks.flatMap(transfersOf), expected(truth))
  assert.deepEqual(
    blocks.flatMap(({ height, undecodable }) =>
      undecodable.map(({ txid, txIndex, logIndex }) => ({ txid, txIndex, logIndex, height })),
    ),
    truth.undecodable,
  )
}

/** Takes the next block from whoever has it and fits. */
async function followOnce(clients: readonly TronNode[], found: SolidBlock[]): Promise<void> {
  for (const client of clients) {
    const last = found.at(-1)
    const block = await client.solidBlock((last?.height ?? 0) + 1).catch(() => null)
    if (block && (!last || block.parentHash === last.hash)) found.push(block)
  }
}

function transfersOf({ height, transfers }: SolidBlock): unknown[] {
  return transfers.map(({ txid, txIndex, logIndex, fromHex, toHex, amount }) => [
    ...[height, txid, txIndex, logIndex],
    ...[addressFromHex(fromHex), addressFromHex(toHex), amount],
  ])
}

function expected({ transfers }: SolidTruth): unknown[] {
  return transfers.map(t => [t.height, t.txid, t.txIndex, t.logIndex, t.from, t.to, t.amount])
}

function clientOf(urls: { headUrl: string; solidUrl: string }): TronNode {
  return createTronNode({ ...urls, usdtContract: sandboxAddresses.usdt })
}
