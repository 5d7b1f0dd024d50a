import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createParking, type ParkingNodes } from '../../src/blocks/park-block.ts'
import { idOfHeaderBytes } from '../../src/tron/block-id.ts'
import { NodeError } from '../../src/tron/node/node-error.ts'
import type { ReadBlock } from '../../src/tron/node/solid-block.ts'
import type { SentHeader } from '../../src/tron/verify/sent-block.ts'
import { at } from '../credits/credited-chain.ts'
import { makeBlock } from '../support/chain-blocks.ts'

const tip = makeBlock('parking', null, at(0), [])
const headerBytes = Buffer.from('the header of the next block')
const next: ReadBlock = {
  ...makeBlock('parking', tip, at(3), []),
  ...{ header: null, hash: idOfHeaderBytes(2, headerBytes) },
}
const after: ReadBlock = { ...makeBlock('parking', next, at(6), []), header: null }
const headerOf = ({ height, hash, parentHash, time }: ReadBlock, bytes = headerBytes): SentHeader => ({
  ...{ id: hash, height, parentHash, timeMs: time.getTime(), root: '', producer: '' },
  ...{ bytes, signature: Buffer.alloc(0) },
})
const patience = { answeredMs: 300_000, awayMs: 1_800_000 }

/** What each host gives of the blocks after the tip; `fails`: how it fails at what it does not give. */
interface Given {
  block?: ReadBlock
  header?: boolean | SentHeader
  later?: boolean
  others?: boolean
  fails?: NodeError
}
type Gives = Record<string, Given>

const refusal = new NodeError('failed', 'it cannot print that', { status: 200 })
const late = new NodeError('failed', 'no answer in time', { timedOut: true })
const overloaded = new NodeError('later', 'too many requests', { status: 429 })

function parking(gives: Gives) {
  let nowMs = 0
  const names = Object.keys(gives)
  const hostAsked = (not: unknown) => gives[names.find(name => !(not as string[]).includes(name))!]!
  const read = async (height: number, { not }: { not?: unknown } = {}) => {
    const { block, others = true, fails = refusal } = hostAsked(not)
    if (height !== next.height && others) return after
    if (!block || height !== next.height) throw fails
    return block
  }
  const nodes: ParkingNodes = {
    ...{ names, hosts: names, hostOf: name => name, newBlock: read, recordedBlock: read },
    newHeader: async (height, { not } = {}) => {
      const { header, later = true } = hostAsked(not)
      if (height === next.height && header) return header === true ? headerOf(next) : header
      if (height === after.height && later) return headerOf(after)
      throw new Error('no header')
    },
  }
  const parking = createParking({ nodes, patience, nowMs: () => nowMs })
  parking.failed(next.height, new Error('why'))
  /** Asks every five seconds, as following does. @returns what there is instead, and after how many seconds. */
  const until = async (maxS: number, id: string | null = next.hash) => {
    for (; nowMs <= maxS * 1_000; nowMs += 5_000) {
      const block = await parking.instead(tip, async () => id)
      if (block) return { block, afterS: nowMs / 1_000 }
    }
    return null
  }
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { until, gives, parking, pass }
}

test('a block that no host gives is parked after five minutes, under the id that the next one names', async () => {
  const { until } = parking({ a: {}, b: { header: true } })
  const { block, afterS } = (await until(3_600))!
  assert(afterS >= 300 && afterS < 330, `${afterS} s`)
  const { height, hash, parentHash, time, unverified, because, transfers } = block
  assert.deepEqual(
    { height, hash, parentHash, unverified, because, transfers },
    {
      ...{ height: 2, hash: next.hash, parentHash: tip.hash },
      ...{ unverified: 'unread', because: 'why', transfers: [] },
    },
  )
  assert.equal(time.getTime(), next.time.getTime())
})

test('one that any host gives is not parked', async () => {
  const { until } = parking({ a: {}, b: { block: next } })
  assert.equal((await until(3_600))!.block, next)
})

test('while a host is away, one is parked after half an hour, and never when all are', async () => {
  const { afterS } = (await parking({ a: {}, b: { later: false } }).until(7_200))!
  assert(afterS >= 1_800, `${afterS} s`)
  assert.equal(await parking({ a: { later: false } }).until(7_200), null)
})

test('a host that comes back has five minutes to give it', async () => {
  const gives: Gives = { a: { later: false } }
  const { until } = parking(gives)
  assert.equal(await until(3_000), null)
  gives.a!.later = true
  const { afterS } = (await until(7_200))!
  assert(afterS >= 3_300, `${afterS} s`)
})

test('it is not parked under an id that is not known, or whose header names another parent', async () => {
  assert.equal(await parking({ a: {} }).until(7_200, null), null)
  const { until, gives } = parking({ a: { header: true } })
  gives.a!.header = true
  const elsewhere = { ...tip, hash: 'ff'.repeat(32) }
  assert.equal(await parking({ a: { header: true } }).parking.instead(elsewhere, async () => next.hash), null)
  assert(await until(7_200))
})

test('what was read is not failing any more', async () => {
  const { parking: one } = parking({ a: {} })
  one.read(next.height)
  assert.equal(one.failingForMs(next.height), 0)
  assert.equal(await one.instead(tip, async () => next.hash), null)
})

test('a host that comes back has five minutes, too, while another has refused it all the time', async () => {
  const gives: Gives = { a: {}, b: { later: false } }
  const { until } = parking(gives)
  assert.equal(await until(600), null)
  gives.b!.later = true
  const { afterS } = (await until(7_200))!
  assert(afterS >= 900 && afterS < 930, `${afterS} s`)
})

for (const [what, fails] of [
  ['does not answer in time', late],
  ['asks to wait', overloaded],
] as const) {
  test(`a host that ${what} for it has not refused it: half an hour is waited`, async () => {
    for (const gives of [{ a: {}, b: { fails } }, { a: { fails } }] as Gives[]) {
      const { afterS } = (await parking(gives).until(7_200))!
      assert(afterS >= 1_800 && afterS < 1_830, `${afterS} s`)
    }
  })
}

test('while no host gives any block, none is parked: that is an outage', async () => {
  const gives: Gives = { a: { others: false }, b: { others: false } }
  const { until } = parking(gives)
  assert.equal(await until(7_200), null)
  gives.a!.others = true
  const { afterS } = (await until(9_000))!
  assert(afterS >= 7_500, `${afterS} s`)
})

test('another block than the one whose id is known is not taken, and does not keep it from being parked', async () => {
  const madeUp: ReadBlock = { ...next, hash: `${'0'.repeat(15)}2${'ab'.repeat(24)}` }
  const { block, afterS } = (await parking({ a: {}, b: { block: madeUp } }).until(7_200))!
  assert.deepEqual([block.hash, block.unverified], [next.hash, 'unread'])
  assert(afterS < 330, `${afterS} s`)
})

test('a header that is not the one of its id is not believed about its time or its parent', async () => {
  const later: ReadBlock = { ...next, time: at(9_999) }
  const elsewhere: ReadBlock = { ...next, parentHash: 'ff'.repeat(32) }
  for (const shown of [later, elsewhere]) {
    const header = headerOf(shown, Buffer.from('another'))
    const { block } = (await parking({ a: { header }, b: { header: true } }).until(3_600))!
    assert.equal(block.time.getTime(), next.time.getTime())
    const alone = (await parking({ a: { header } }).until(3_600))!.block
    assert.equal(alone.time.getTime(), tip.time.getTime())
  }
})

test('hosts are asked several times, also when it is long ago that one failed first', async () => {
  const { parking: one, until, pass } = parking({ a: {} })
  pass(15_000)
  assert.equal(await one.instead(tip, async () => next.hash), null)
  // The process stood still, or the machine slept.
  pass(3_600_000)
  assert.equal(await one.instead(tip, async () => next.hash), null)
  const { afterS } = (await until(7_200))!
  assert(afterS >= 3_615 + 30, `${afterS} s`)
})

test('who leads anew waits anew', async () => {
  const { parking: one, until } = parking({ a: {} })
  assert.equal(await until(250), null)
  one.forget()
  assert.equal(one.failingForMs(next.height), 0)
  one.failed(next.height, new Error('why'))
  const { afterS } = (await until(3_600))!
  assert(afterS >= 550, `${afterS} s`)
})
