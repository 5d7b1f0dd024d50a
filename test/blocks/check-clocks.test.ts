import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../src/base/clock.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { type ClockPair, createClockCheck, skewMaxMs } from '../../src/blocks/check-clocks.ts'
import { boundsBetween, boundsOf, leastSkewMs } from '../../src/blocks/clock-skew.ts'
import { createAlarms } from '../../src/blocks/watcher-alarms.ts'
import type { Queryable } from '../../src/db/pool.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { networks } from '../../src/tron/network.ts'
import { startWatcher } from '../../src/watcher.ts'
import { cloneDatabase } from '../support/database.ts'
import { recordLog } from '../support/recorded-log.ts'
import { waitUntil } from '../support/wait-until.ts'

const { pool } = await cloneDatabase()
const second = 1_000
const minute = 60_000

/**
 * Three clocks that can be set apart. The database is real, so it is the process's clock and the chain's that are moved: a
 * database that is fast is one beside which both are slow.
 */
function openClocks({ slotMs = 3_000 as number | null, db = pool as Queryable } = {}) {
  const at = {
    processMs: 0,
    chainMs: 0,
    headAgeMs: 2_000,
    elapsedMs: 0,
    tripMs: 0,
    stoodStillMs: null as number | null,
  }
  const registry = createMetrics()
  const { log, lines } = recordLog()
  const alarms = createAlarms(registry, log)
  const realMs = () => Date.now() + at.elapsedMs
  const head = async () => {
    at.elapsedMs += at.tripMs
    const time = (at.stoodStillMs ?? realMs()) + at.chainMs - at.headAgeMs
    return { height: 1, hash: '0'.repeat(64), time: new Date(time) }
  }
  // The database's clock goes with the others though a test does not wait.
  const moved: Queryable = {
    query: (async (...args: Parameters<Queryable['query']>) => {
      const result = await (db.query as (...all: unknown[]) => Promise<{ rows: { at: Date }[] }>)(...args)
      for (const row of result.rows) row.at = new Date(row.at.getTime() + at.elapsedMs)
      return result
    }) as unknown as Queryable['query'],
  }
  const check = createClockCheck({
    ...{ db: moved, head, slotMs, skewMaxMs: skewMaxMs(30_000), alarms, registry },
    clock: { now: () => new Date(realMs() + at.processMs) },
    steadyNow: () => performance.now() + at.elapsedMs,
  })
  const skew = async (pair: ClockPair) => {
    const { values } = await registry.getSingleMetric('gateway_clock_skew_seconds')!.get()
    return values.find(({ labels }) => labels.pair === pair)?.value
  }
  return {
    at,
    lines,
    check,
    skew,
    raised: () => alarms.raised().includes('clock'),
    /** Checks, a minute later. */
    later: async () => {
      at.elapsedMs += minute
      await check()
    },
  }
}

function isAbout(value: number | undefined, seconds: number): void {
  assert(value !== undefined && Math.abs(value - seconds) < 5, `about ${seconds} s, not ${value}`)
}

test('clocks that agree raise nothing, however old a head may be by nature', async () => {
  const clocks = openClocks()
  await clocks.check()
  for (const headAgeMs of [0, 3, 6, 9, 2, 8].map(s => s * second)) {
    clocks.at.headAgeMs = headAgeMs
    await clocks.later()
    assert.equal(clocks.raised(), false)
  }
  assert.equal(await clocks.skew('database-process'), 0)
  assert.equal((await clocks.skew('chain-database')) === undefined, false)
})

for (const [whose, processS, chainS, skews] of [
  ['process, slow', -20, 0, { 'database-process': 20, 'chain-process': 18, 'chain-database': 0 }],
  ['process, fast', 25, 0, { 'database-process': -25, 'chain-process': -24, 'chain-database': 0 }],
  ['chain, ahead', 0, 20, { 'database-process': 0, 'chain-process': 18, 'chain-database': 18 }],
  ['chain, behind', 0, -25, { 'database-process': 0, 'chain-process': -24, 'chain-database': -24 }],
  ['database, fast', -25, -25, { 'database-process': 25, 'chain-process': 0, 'chain-database': -24 }],
  ['database, slow', 20, 20, { 'database-process': -20, 'chain-process': 0, 'chain-database': 18 }],
] as const) {
  test(`one clock is wrong (${whose}): the alarm is raised, says which differ, and is cleared when it is right again`, async () => {
    const clocks = openClocks()
    clocks.at.processMs = processS * second
    clocks.at.chainMs = chainS * second
    await clocks.check()
    await clocks.later()
    assert.equal(clocks.raised(), true)
    for (const [pair, seconds] of Object.entries(skews))
      isAbout(await clocks.skew(pair as ClockPair), seconds)
    const [line] = clocks.lines('alarm.raised')
    assert.deepEqual([line!.alarm, line!.skewMaxS], ['clock', 15])
    Object.assign(clocks.at, { processMs: 0, chainMs: 0 })
    await clocks.later()
    await clocks.later()
    assert.equal(clocks.raised(), false)
    assert.equal(clocks.lines('alarm.cleared').length, 1)
  })
}

test('less than half of the grace is no alarm, a little more is one', async () => {
  for (const [processS, raised] of [
    [-14, false],
    [-16, true],
    [14, false],
    [16, true],
  ] as const) {
    const clocks = openClocks()
    clocks.at.processMs = processS * second
    await clocks.check()
    assert.equal(clocks.raised(), raised, `${processS}`)
  }
})

test('the limit is half of the grace, and never less than 10 s', () => {
  assert.equal(skewMaxMs(networks.mainnet.graceMs), 15_000)
  assert.equal(skewMaxMs(networks.private.graceMs), 10_000)
  assert.equal(skewMaxMs(60_000), 30_000)
})

test('a node that stands still, or catches up, is no matter of clocks', async () => {
  const stalled = openClocks()
  stalled.at.stoodStillMs = Date.now()
  await stalled.check()
  for (let n = 0; n < 5; n++) await stalled.later()
  assert.equal(stalled.raised(), false)
  const catchingUp = openClocks()
  catchingUp.at.headAgeMs = 3_600 * second
  await catchingUp.check()
  for (let n = 0; n < 5; n++) {
    catchingUp.at.headAgeMs -= 10 * minute
    await catchingUp.later()
  }
  assert.equal(catchingUp.raised(), false)
})

test('on a chain whose blocks come when they like, an old head says nothing, and one from the future all the same', async () => {
  const clocks = openClocks({ slotMs: null })
  clocks.at.headAgeMs = 600 * second
  await clocks.check()
  await clocks.later()
  assert.equal(clocks.raised(), false)
  clocks.at.headAgeMs = -20 * second
  await clocks.later()
  assert.equal(clocks.raised(), true)
})

test('an answer that took long hides a difference and makes none up', async () => {
  const clocks = openClocks()
  clocks.at.tripMs = 40 * second
  await clocks.check()
  await clocks.later()
  assert.equal(clocks.raised(), false)
})

test('without a node the database is still compared; an alarm of the chain stays until a node has said otherwise', async () => {
  const registry = createMetrics()
  const alarms = createAlarms(registry, recordLog().log)
  let head = async () => ({ height: 1, hash: '', time: new Date(Date.now() + 60_000) })
  const options = { db: pool, slotMs: 3_000, skewMaxMs: 15_000, alarms, registry }
  const check = createClockCheck({ ...options, head: () => head() })
  await check()
  assert.deepEqual(alarms.raised(), ['clock'])
  head = () => Promise.reject(new Error('no node answers'))
  await check()
  assert.deepEqual(alarms.raised(), ['clock'])
  head = async () => ({ height: 1, hash: '', time: new Date() })
  await check()
  assert.deepEqual(alarms.raised(), [])
})

test('whatever the round trips were, a skew is never shown larger than it is, nor with the wrong sign', () => {
  const ms = fc.integer({ min: -100_000, max: 100_000 })
  const part = fc.integer({ min: 0, max: 60_000 })
  fc.assert(
    fc.property(ms, ms, part, part, part, part, (one, other, before, after_, before2, after2) => {
      // Read at 0 by a clock that is ahead by so much; the question was sent earlier, and the answer came later.
      const bounds = (aheadMs: number, sent: number, received: number) =>
        boundsOf(aheadMs, { sentMs: -sent, receivedMs: received })
      const first = bounds(one, before, after_)
      const difference = boundsBetween(first, bounds(other, before2, after2))
      for (const [least, truth] of [
        [leastSkewMs(first), one],
        [leastSkewMs(difference), one - other],
      ] as const) {
        assert(Math.abs(least) <= Math.abs(truth))
        assert(least === 0 || Math.sign(least) === Math.sign(truth))
      }
    }),
  )
})

test('a clock that is set back between question and answer is read as no difference', () => {
  assert.equal(leastSkewMs(boundsOf(0, { sentMs: 50_000, receivedMs: 50_010 })), -50_000)
  assert.equal(leastSkewMs(boundsOf(30_000, { sentMs: 60_000, receivedMs: 40_000 })), 0)
})

test('the watcher compares them: on a chain an hour ahead its alarm is raised, and following goes on', async () => {
  const own = await cloneDatabase()
  const clock = { now: () => new Date(systemClock.now().getTime() + 3_600_000) }
  const sandbox = await startSandboxNode({ clock, blockIntervalMs: 100, solidificationDepth: 2 })
  after(() => sandbox.close())
  const registry = createMetrics()
  const watcher = startWatcher({
    ...{
      pool: own.pool,
      leasePool: own.pool,
      network: 'sandbox',
      usdtContract: networks.sandbox.usdtContract!,
    },
    nodes: [{ headUrl: sandbox.url, solidUrl: sandbox.url }],
    ...{ trongridApiKey: undefined, requestsPerSecond: undefined, startBlock: undefined },
    ...{ quorumAmount: null, seen: false, reconcile: null, log: recordLog().log, registry },
  })
  after(() => watcher.stop())
  await waitUntil('the alarm', () => watcher.alarms().includes('clock'))
  const {
    rows: [first],
  } = await own.pool.query('select height from chain_cursor')
  await waitUntil('the next block', async () => {
    const { rows } = await own.pool.query('select height from chain_cursor')
    return rows[0].height > first.height
  })
})
