import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLagJudge, type LagSeen } from '../../src/blocks/judge-lag.ts'
import { networks } from '../../src/tron/network.ts'

// Time is a number: seconds since the start of the watcher. The cursor is at `height`, whose block is of second `at`, since `moved`.
const startMs = Date.UTC(2026, 0, 1)

function judged(network: 'mainnet' | 'private') {
  const judge = createLagJudge(networks[network].limits)
  return (
    second: number,
    cursor: { height: number; at: number; moved: number },
    node: { height: number; at: number; isResting?: boolean } | null = null,
  ) => {
    const time = new Date(startMs + cursor.at * 1_000)
    const nodes: LagSeen['nodes'] = node
      ? [
          {
            solidHeight: node.height,
            headAgeMs: (second - node.at) * 1_000,
            isResting: node.isResting ?? false,
          },
        ]
      : []
    return judge({
      nowMs: startMs + second * 1_000,
      cursor: {
        height: cursor.height,
        time: cursor.height === 0 ? new Date(0) : time,
        movedAt: new Date(startMs + cursor.moved * 1_000),
      },
      nodes,
    })
  }
}
const yearS = 365 * 86_400

for (const network of ['mainnet', 'private'] as const) {
  test(`${network}: from block 1 on there is no lag of 57 years, nor of what the first blocks are old`, () => {
    const at = judged(network)
    const node = { height: 30, at: -yearS }
    const first = at(0, { height: 0, at: 0, moved: 0 }, node)
    assert.deepEqual(first, { behind: 30, ageMs: null, isLate: false })
    for (let s = 10; s <= 200; s += 10) {
      const height = Math.min(30, s / 10)
      assert.equal(at(s, { height, at: -yearS - 1_000 + s, moved: s - 1 }, node).isLate, false)
    }
  })

  test(`${network}: forty blocks behind is a lag, whatever their age`, () => {
    const at = judged(network)
    assert.equal(at(0, { height: 60, at: 0, moved: 0 }, { height: 100, at: 0 }).isLate, false)
    assert.deepEqual(at(0, { height: 59, at: 0, moved: 0 }, { height: 100, at: 0 }), {
      ...{ behind: 41, ageMs: 0, isLate: true },
    })
  })

  test(`${network}: a cursor that does not move though a node is ahead is a lag after three minutes`, () => {
    const at = judged(network)
    const cursor = { height: 0, at: 0, moved: 0 }
    for (let s = 0; s <= 180; s += 10) assert.equal(at(s, cursor, { height: 5, at: s }).isLate, false)
    assert.equal(at(190, cursor, { height: 5, at: 190 }).isLate, true)
    assert.equal(at(200, { height: 5, at: 190, moved: 199 }, { height: 5, at: 190 }).isLate, false)
  })

  test(`${network}: when no node can be asked for three minutes, that is a lag`, () => {
    const at = judged(network)
    const cursor = { height: 9, at: -60, moved: 0 }
    const node = { height: 9, at: -60, isResting: true }
    assert.equal(at(0, cursor, node).isLate, false)
    for (let s = 10; s <= 190; s += 10) at(s, cursor, node)
    assert.equal(at(200, cursor, node).isLate, true)
    assert.equal(at(210, { height: 10, at: 205, moved: 208 }, { height: 10, at: 205 }).isLate, false)
  })
}

test('a public chain: a cursor three minutes old is a lag, also right after a restart and while no node is known', () => {
  const at = judged('mainnet')
  assert.equal(at(0, { height: 9, at: -179, moved: -119 }).isLate, false)
  assert.equal(at(0, { height: 9, at: -181, moved: -121 }).isLate, true)
})

test('a private chain may be silent for hours; then its next block makes no lag, unless it is not followed', () => {
  const at = judged('private')
  const hourS = 3_600
  const cursor = { height: 9, at: 0, moved: 1 }
  assert.equal(at(5, cursor, { height: 9, at: 0 }).isLate, false)
  assert.equal(at(hourS, cursor, { height: 9, at: 0 }).isLate, false)
  // The block is there, and at this very moment not followed yet.
  for (const later of [1, 2, 3, 4, 5]) {
    assert.equal(
      at(later * hourS, { ...cursor, at: later * hourS - hourS }, { height: 10, at: later * hourS }).isLate,
      false,
    )
    assert.equal(
      at(
        later * hourS + 10,
        { height: 10, at: later * hourS, moved: later * hourS },
        { height: 10, at: later * hourS },
      ).isLate,
      false,
    )
  }
})

test('a private chain: a cursor that was near the head and stays minutes older than it is a lag, though it moves', () => {
  const at = judged('private')
  assert.equal(at(0, { height: 100, at: 0, moved: 0 }, { height: 100, at: 0 }).isLate, false)
  const behind = (s: number) =>
    at(s, { height: 100 + s / 60, at: s - 400, moved: s }, { height: 110 + s / 60, at: s })
  for (let s = 600; s < 660; s += 10) assert.equal(behind(s).isLate, false)
  assert.equal(behind(660).isLate, true)
})
