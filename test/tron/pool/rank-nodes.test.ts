import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NodeError } from '../../../src/tron/node/node-error.ts'
import {
  type NodeHealth,
  newHealth,
  noteDistrust,
  noteFailure,
  noteSolidHead,
  noteSuccess,
  noteWrongChain,
} from '../../../src/tron/pool/node-health.ts'
import { rankNodes } from '../../../src/tron/pool/rank-nodes.ts'

// The choice among nodes, as a table, and how a node's health moves.
const nowMs = 1_900_000_000_000

function node(
  name: string,
  height: number | null,
  change: (health: NodeHealth) => void = () => undefined,
  ageMs = 60_000,
) {
  const health = newHealth(nowMs)
  if (height !== null) {
    noteSolidHead(health, { height, hash: 'ab'.repeat(32), time: new Date(nowMs - ageMs) }, nowMs)
  }
  change(health)
  return { name, health }
}

const later = (ms: number) => (health: NodeHealth) =>
  noteFailure(health, new NodeError('later', 'wait', { retryAfterMs: ms, status: 429 }), {
    startedAtMs: nowMs,
    nowMs,
  })
const distrusted = (health: NodeHealth) => noteDistrust(health, 'a block did not fit', nowMs)
const wrongChain = (health: NodeHealth) => noteWrongChain(health, 'another chain', nowMs)

const cases: [name: string, nodes: ReturnType<typeof node>[], current: string | null, order: string[]][] = [
  ['at the start they stand as configured', [node('a', null), node('b', null)], null, ['a', 'b']],
  ['whoever serves stays first', [node('a', 100), node('b', 100)], 'b', ['b', 'a']],
  ['a few blocks are no reason to change', [node('a', 100), node('b', 103)], 'a', ['a', 'b']],
  ['a node further behind is not used', [node('a', 100), node('b', 104)], 'a', ['b']],
  ['one that nobody has heard of comes last', [node('a', null), node('b', 100)], null, ['b', 'a']],
  [
    'behind a node that may not be called, one behind is used',
    [node('a', 100), node('b', 104, later(1_000))],
    'b',
    ['a'],
  ],
  [
    'a head that stands still loses to a fresh one, though higher',
    [node('a', 500, undefined, 200_000), node('b', 100)],
    'a',
    ['b'],
  ],
  ['a head from the future loses too', [node('a', 500, undefined, -120_000), node('b', 100)], 'a', ['b']],
  [
    'when all heads are old, the chain stands still and they are as good as ever',
    [node('a', 100, undefined, 900_000), node('b', 99, undefined, 900_000)],
    'b',
    ['b', 'a'],
  ],
  [
    'a distrusted one comes last, whatever its height',
    [node('a', 900, distrusted), node('b', 100)],
    'a',
    ['b', 'a'],
  ],
  ['one of another chain does not come', [node('a', 100, wrongChain), node('b', null)], 'a', ['b']],
  ['with all of them away there is none', [node('a', 100, later(1)), node('b', 100, wrongChain)], 'a', []],
]
for (const [name, nodes, current, order] of cases) {
  test(name, () => {
    const ranked = rankNodes(nodes, { nowMs, current: nodes.find(one => one.name === current) ?? null })
    assert.deepEqual(
      ranked.map(one => one.name),
      order,
    )
  })
}

test('of two distrusted nodes the one whose fault is longer ago comes first', () => {
  const [a, b] = [
    node('a', 100, distrusted),
    node('b', 100, health => noteDistrust(health, 'x', nowMs - 60_000)),
  ]
  assert.deepEqual(
    rankNodes([a, b], { nowMs, current: a }).map(one => one.name),
    ['b', 'a'],
  )
})

const failed = new NodeError('failed', 'no answer')

test('a node rests after its second failure running, longer each time, up to half a minute', () => {
  const health = newHealth(nowMs)
  let at = nowMs
  const rests: number[] = []
  for (let n = 0; n < 12; n++) {
    noteFailure(health, failed, { startedAtMs: at, nowMs: at })
    rests.push(Math.max(0, health.untilMs - at))
    at = Math.max(at, health.untilMs)
  }
  assert.equal(rests[0], 0)
  for (const [i, rest] of rests.slice(1).entries()) {
    const least = Math.min(500 * 2 ** i, 30_000)
    assert(rest >= least && rest <= least * 1.2 + 1, `rest ${i} of ${rest} ms`)
  }
  noteSuccess(health, at)
  assert.equal(health.state, 'ok')
  assert.equal(health.failures, 0)
})

test('calls that were out together when a node failed are one failure', () => {
  const health = newHealth(nowMs)
  for (let n = 0; n < 16; n++) noteFailure(health, failed, { startedAtMs: nowMs - 10, nowMs })
  assert.equal(health.failures, 2)
  assert(health.untilMs <= nowMs + 600)
})

test('a call that hung counts at once', () => {
  const health = newHealth(nowMs)
  noteFailure(health, new NodeError('failed', 'timed out', { timedOut: true }), {
    startedAtMs: nowMs - 8_000,
    nowMs,
  })
  assert.equal(health.state, 'failing')
})

test('an answer to what was asked before does not end a suspension, and a shorter one does not cut it', () => {
  const health = newHealth(nowMs)
  later(30_000)(health)
  const { untilMs } = health
  assert(untilMs >= nowMs + 30_000 && untilMs <= nowMs + 36_001)
  noteSuccess(health, nowMs + 5)
  later(1_000)(health)
  noteFailure(health, failed, { startedAtMs: nowMs, nowMs: nowMs + 5 })
  assert.deepEqual([health.state, health.untilMs], ['later', untilMs])
  noteSuccess(health, untilMs)
  assert.deepEqual([health.state, health.untilMs], ['ok', 0])
})

test('where a node says only "wait", each time is longer', () => {
  const health = newHealth(nowMs)
  let at = nowMs
  const waits: number[] = []
  for (let n = 0; n < 8; n++) {
    noteFailure(health, new NodeError('later', 'busy', { status: 503 }), { startedAtMs: at, nowMs: at })
    waits.push(health.untilMs - at)
    at = health.untilMs
  }
  for (const [i, wait] of waits.entries()) assert(wait >= Math.min(1_000 * 2 ** i, 30_000), `${wait}`)
  assert(waits.at(-1)! <= 36_001)
})

test('distrust outlives a good answer, and ends by itself', () => {
  const health = newHealth(nowMs)
  distrusted(health)
  noteSuccess(health, nowMs + 1_000)
  assert.equal(health.state, 'distrusted')
  noteSuccess(health, nowMs + 600_000)
  assert.equal(health.state, 'ok')
})
