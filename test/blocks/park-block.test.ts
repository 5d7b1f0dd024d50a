import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createParking, type ParkingNodes } from '../../src/blocks/park-block.ts'
import type { ReadBlock } from '../../src/tron/node/solid-block.ts'
import type { SentHeader } from '../../src/tron/verify/sent-block.ts'
import { at } from '../credits/credited-chain.ts'
import { makeBlock } from '../support/chain-blocks.ts'

const tip = makeBlock('parking', null, at(0), [])
const next: ReadBlock = { ...makeBlock('parking', tip, at(3), []), header: null }
const after: ReadBlock = { ...makeBlock('parking', next, at(6), []), header: null }
const headerOf = ({ height, hash, parentHash, time }: ReadBlock): SentHeader => ({
  ...{ id: hash, height, parentHash, timeMs: time.getTime(), root: '', producer: '' },
  ...{ bytes: Buffer.alloc(0), signature: Buffer.alloc(0) },
})
const patience = { answeredMs: 300_000, awayMs: 1_800_000 }

/** What each host gives of the blocks after the tip. */
type Gives = Record<string, { block?: ReadBlock; header?: boolean; later?: boolean }>

function parking(gives: Gives) {
  let nowMs = 0
  const names = Object.keys(gives)
  const hostAsked = (not: unknown) => gives[names.find(name => !(not as string[]).includes(name))!]!
  const read = async (_height: number, { not }: { not?: unknown } = {}) => {
    const { block } = hostAsked(not)
    if (!block) throw new Error('it cannot print that')
    return block
  }
  const nodes: ParkingNodes = {
    ...{ names, hosts: names, hostOf: name => name, newBlock: read, recordedBlock: read },
    newHeader: async (height, { not } = {}) => {
      const { header, later = true } = hostAsked(not)
      if (height === next.height && header) return headerOf(next)
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
  return { until, gives, parking }
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
