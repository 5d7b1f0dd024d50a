import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callsADay } from '../../src/blocks/calls-a-day.ts'
import { networks } from '../../src/tron/network.ts'

const of = (network: keyof typeof networks, given: Partial<Parameters<typeof callsADay>[0]> = {}) =>
  callsADay({ network: networks[network], seen: true, crossChecked: false, nodes: 1, ...given })

test('on a public network: two calls a block with sightings, one and a quarter without, one more for the event index', () => {
  assert.deepEqual(of('mainnet'), {
    ...{ following: 57_600, polling: 0, crossCheck: 0, survey: 0, clocks: 1_440, total: 59_040 },
  })
  assert.equal(of('nile', { seen: false }).following, 36_000)
  assert.equal(of('shasta', { crossChecked: true }).crossCheck, 28_800)
  assert.equal(of('mainnet', { nodes: 2 }).survey, 576)
})

test('where blocks come at any time, the calls are those of looking for them, at the pace of that network', () => {
  for (const name of ['private', 'sandbox'] as const) {
    const { seenMs, pollMs } = networks[name].pacing
    assert.equal(of(name).polling, 86_400_000 / seenMs + 86_400_000 / pollMs)
    assert.equal(of(name, { seen: false }).polling, 86_400_000 / pollMs)
    assert.equal(of(name, { crossChecked: true }).crossCheck, 0)
  }
  const slow = { slotMs: null, pacing: { ...networks.private.pacing, pollMs: 60_000, seenMs: 60_000 } }
  assert.equal(of('private', { network: slow }).polling, 2_880)
})
