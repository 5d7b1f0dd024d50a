import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { createKnownProducers } from '../../src/blocks/known-producers.ts'
import { readProducers } from '../../src/blocks/producer-store.ts'
import type { ProducerKeys } from '../../src/tron/verify/block-producer.ts'
import type { SentHeader } from '../../src/tron/verify/sent-block.ts'
import { cloneDatabase } from '../support/database.ts'
import { blockMessage, headerOfBlock, producerKey, someId } from '../tron/verify/block-messages.ts'

const [known, other, liar] = ['known', 'other', 'liar'].map(producerKey) as [Key, Key, Key]
type Key = ReturnType<typeof producerKey>

/** Producers of which one is known, of so many hosts, which name what they are told to. */
async function producersOf({ hosts = 2 } = {}) {
  const { pool } = await cloneDatabase()
  let named: ProducerKeys | null = new Map([[known.address, [known.address]]])
  let asked = 0
  const nodes = {
    hosts: Array.from({ length: hosts }, (_, i) => `host ${i}`),
    producers: async () => {
      asked++
      return named
    },
  }
  const producers = createKnownProducers({
    ...{ pool, nodes: () => nodes, isPublic: true, log: createLog('silent', 'test') },
  })
  await producers.ask()
  return {
    producers,
    asked: () => asked,
    name: (keys: ProducerKeys) => {
      named = keys
    },
    stored: async () => Object.fromEntries(await readProducers(pool)),
  }
}

const before = { [known.address]: [known.address] }

/** A header of a producer, signed by somebody. */
const header = (producer: string, by: Key): SentHeader =>
  headerOfBlock(
    blockMessage({ height: 7, parentHash: someId(6), producer, key: by.secret, transactions: [] }),
  )

test('a true header with the signature of somebody else teaches no key', async () => {
  const { producers, stored } = await producersOf()
  await producers.learn([header(known.address, liar)])
  assert.deepEqual(await stored(), before)
  assert.equal(producers.verifyHeader(header(known.address, liar)), 'signature')
})

test('a header that is not what its id says teaches nothing, and is not verified', async () => {
  const { producers, stored } = await producersOf()
  const id = hash('sha256', 'another')
  await producers.learn([{ ...header(liar.address, liar), id }])
  assert.deepEqual(await stored(), before)
  assert.equal(producers.verifyHeader({ ...header(known.address, known), id }), 'id')
})

test('a new producer that signs with its own key is learned from its block', async () => {
  const { producers, stored } = await producersOf()
  await producers.learn([header(other.address, other)])
  assert.deepEqual(await stored(), { ...before, [other.address]: [other.address] })
  assert.equal(producers.verifyHeader(header(other.address, other)), null)
})

test('the keys of a producer that signs with others are what two hosts say', async () => {
  const { producers, name, stored } = await producersOf()
  await producers.learn([header(other.address, liar)])
  name(new Map([[other.address, [other.address, liar.address]]]))
  await producers.ask()
  assert.deepEqual(await stored(), { ...before, [other.address]: [other.address, liar.address] })
})

test('a single host names nobody later but new producers of solid blocks, and never keys of known ones', async () => {
  const { producers, name, stored } = await producersOf({ hosts: 1 })
  name(
    new Map([
      [known.address, [liar.address]],
      [liar.address, [liar.address]],
      [other.address, [other.address, liar.address]],
    ]),
  )
  assert.equal(await producers.ask(), false)
  assert.deepEqual(await stored(), before)
  await producers.learn([header(other.address, liar), header(known.address, liar)])
  assert.equal(await producers.ask(), true)
  assert.deepEqual(await stored(), { ...before, [other.address]: [other.address, liar.address] })
})

test('the hosts are asked for keys by themselves, and not again and again', async () => {
  const { producers, asked } = await producersOf()
  const stopping = new AbortController()
  const keeping = producers.keep(stopping.signal)
  for (let i = 0; i < 3; i++) {
    await producers.learn([header(other.address, liar)])
    await new Promise(resolve => setTimeout(resolve, 1_200))
  }
  stopping.abort()
  await keeping
  // Once at the start, once for the keys.
  assert.equal(asked(), 2)
})
