import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type CountedHeader,
  SolidCount,
  solidProducers,
  solidProducersOf,
} from '../../../src/tron/verify/solid-count.ts'

const base = { height: 100, id: 'base' }
const producers = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`)

/** A chain on top of a block, one header for each producer. */
function chain(
  on: { height: number; id: string },
  by: readonly (string | null)[],
  name = 'a',
): CountedHeader[] {
  let parent = on
  return by.map(producer => {
    const header = {
      height: parent.height + 1,
      id: `${name}${parent.height + 1}`,
      parentHash: parent.id,
      producer,
    }
    parent = header
    return header
  })
}

function takeAll(count: SolidCount, headers: readonly CountedHeader[]): void {
  for (const header of headers) assert.equal(count.take(header).kind, 'added', `${header.id}`)
}

test('a block is solid when 19 different producers have built on it, its own included', () => {
  assert.equal(solidProducers, 19)
  const count = new SolidCount(base)
  const headers = chain(base, producers(27).concat(producers(27)))
  takeAll(count, headers.slice(0, 18))
  assert.deepEqual([count.solid, count.head.height], [base, 118])
  assert.deepEqual(count.take(headers[18]!), {
    kind: 'added',
    isHead: true,
    solid: { height: 101, id: 'a101' },
  })
  takeAll(count, headers.slice(19))
  assert.deepEqual([count.solid.height, count.head.height], [136, 154])
  assert.ok(count.size < 27)
})

test('the number of producers needed is two thirds and one more', () => {
  assert.deepEqual([1, 2, 3, 5, 27].map(solidProducersOf), [1, 2, 3, 4, 19])
  const alone = new SolidCount(base, 1)
  for (const header of chain(base, ['p', 'p', 'p'])) {
    assert.deepEqual(alone.take(header), {
      kind: 'added',
      isHead: true,
      solid: { height: header.height, id: header.id },
    })
  }
  assert.equal(alone.size, 0)
})

test('a producer counts once, and an unknown one not at all', () => {
  const count = new SolidCount(base, 3)
  takeAll(count, chain(base, ['p1', 'p1', 'p2', null, null, 'p2', 'p1']))
  assert.deepEqual([count.solid.height, count.head.height], [100, 107])
  takeAll(count, chain({ height: 107, id: 'a107' }, ['p3']))
  // Down from 108: p3, p1, p2 at 106.
  assert.equal(count.solid.height, 106)
})

test('a header that is taken again counts for its producer, if that is known by now', () => {
  const count = new SolidCount(base)
  const headers = chain(base, producers(30))
  takeAll(
    count,
    headers.map(header => ({ ...header, producer: null })),
  )
  assert.deepEqual([count.solid, count.head], [base, base])
  for (const header of headers.slice(0, 18)) {
    assert.equal(count.take(header).kind, 'known')
    assert.equal(count.takeAgain(header), null)
  }
  assert.equal(count.takeAgain({ id: 'a119', producer: null }), null)
  assert.equal(count.head.height, 118)
  assert.deepEqual(count.takeAgain(headers[18]!), { height: 101, id: 'a101' })
  assert.equal(count.takeAgain({ id: 'a101', producer: 'p5' }), null, 'solid already')
  assert.equal(count.takeAgain({ id: 'b150', producer: 'p5' }), null, 'not held')
  for (const header of headers.slice(19)) count.takeAgain(header)
  assert.equal(count.solid.height, 112)
  // Whoever is known stays: another node's header of the same id is by the same producer.
  count.takeAgain({ id: 'a130', producer: null })
  assert.deepEqual(count.take({ height: 131, id: 'a131', parentHash: 'a130', producer: 'p30' }), {
    ...{ kind: 'added', isHead: true },
    solid: { height: 113, id: 'a113' },
  })
})

test('missed turns delay: with 18 producers at work nothing becomes solid, and one more makes up for it', () => {
  const count = new SolidCount(base)
  const by = Array.from({ length: 90 }, (_, i) => `p${i % 18}`)
  takeAll(count, chain(base, by))
  assert.equal(count.solid.height, 100)
  takeAll(count, chain(count.head, ['p18']))
  assert.equal(count.solid.height, 190 - 17)
})

test('a fork is held until one branch is solid, and the other is dropped', () => {
  const count = new SolidCount(base, 4)
  const [a, b] = [chain(base, ['p0', 'p1', 'p2'], 'a'), chain(base, ['p3', 'p4', 'p5', 'p6'], 'b')]
  takeAll(count, a)
  takeAll(count, b.slice(0, 3))
  assert.equal(count.head.id, 'a103', 'the first of its height')
  assert.deepEqual(
    count.branchTo('b103').map(({ id }) => id),
    ['b101', 'b102', 'b103'],
  )
  assert.deepEqual(count.take(b[3]!), { kind: 'added', isHead: true, solid: { height: 101, id: 'b101' } })
  assert.equal(count.size, 3)
  assert.deepEqual(count.branchTo('a103'), [])
  assert.deepEqual(count.take(chain({ height: 103, id: 'a103' }, ['p9'], 'a')[0]!), { kind: 'unlinked' })
  assert.deepEqual(count.take(a[0]!), { kind: 'buried' })
})

test('headers that are held, do not link, or are below the solid block change nothing', () => {
  const count = new SolidCount(base, 3)
  const headers = chain(base, producers(5))
  takeAll(count, headers)
  const before = { solid: count.solid, head: count.head, size: count.size }
  assert.deepEqual(before.solid, { height: 103, id: 'a103' })
  const wrong: [CountedHeader, string][] = [
    [headers[4]!, 'known'],
    [headers[2]!, 'known'],
    [headers[1]!, 'buried'],
    [{ ...headers[2]!, id: 'other' }, 'buried'],
    [{ height: 107, id: 'x', parentHash: 'a106', producer: 'p9' }, 'unlinked'],
    [{ height: 107, id: 'x', parentHash: 'a105', producer: 'p9' }, 'unlinked'],
    [{ height: 105, id: 'x', parentHash: 'a105', producer: 'p9' }, 'unlinked'],
    [{ height: 104, id: 'x', parentHash: 'a102', producer: 'p9' }, 'unlinked'],
  ]
  for (const [header, kind] of wrong) assert.equal(count.take(header).kind, kind)
  assert.deepEqual({ solid: count.solid, head: count.head, size: count.size }, before)
})

test('a liar with one producer key leads nobody away, however many blocks it signs', () => {
  const max = 60
  const honest = chain(base, producers(27))
  for (const lies of [40, 500]) {
    const count = new SolidCount(base, 19, max)
    takeAll(count, honest.slice(0, 10))
    for (const header of chain({ height: 110, id: 'a110' }, Array(lies).fill('p26'), 'liar')) {
      count.take(header)
      assert.ok(count.size <= max)
    }
    const next = count.take(honest[10]!)
    // Where its blocks have displaced others, the true ones are taken again, from the solid block on.
    assert.equal(next.kind, lies < max ? 'added' : 'unlinked')
    for (const header of next.kind === 'added' ? honest.slice(11) : honest) count.take(header)
    assert.deepEqual([count.head.id, count.solid.height], [honest.at(-1)!.id, 109])
  }
})

test('a branch is followed that has a liar among its blocks, once more producers build on it', () => {
  const count = new SolidCount(base, 4)
  takeAll(count, chain(base, ['p0', 'p1'], 'a'))
  takeAll(count, chain(base, ['p2', 'p2', 'p2'], 'b'))
  assert.equal(count.head.id, 'a102')
  takeAll(count, chain({ height: 103, id: 'b103' }, ['p3', 'p4'], 'b'))
  assert.equal(count.head.id, 'b105')
})

test('memory is bounded while nothing becomes solid, and counting goes on', () => {
  const count = new SolidCount(base, 19, 50)
  const by = Array.from({ length: 1_000 }, (_, i) => (i % 3 === 0 ? null : `p${i % 18}`))
  for (const header of chain(base, by)) {
    assert.equal(count.take(header).kind, 'added')
    assert.ok(count.size <= 50)
  }
  assert.equal(count.head.height, 1_099, 'the last known producer is at 1099')
  takeAll(count, chain({ height: 1_100, id: 'a1100' }, producers(19), 'b'))
  assert.equal(count.solid.height, 1_101)
})

test('on random trees the solid block is the highest that a branch shows, and it never leaves its branch', () => {
  // Each step builds on one of the last blocks; heights and producers at random.
  const steps = fc.array(fc.record({ back: fc.nat(6), producer: fc.option(fc.nat(6), { freq: 8 }) }), {
    maxLength: 120,
  })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (made, needed) => {
      const count = new SolidCount(base, needed, 10_000)
      const tree = new Map<string, CountedHeader>()
      const all: { height: number; id: string }[] = [base]
      let solid: { height: number; id: string } = base
      for (const [i, { back, producer }] of made.entries()) {
        const parent = all[Math.max(0, all.length - 1 - back)]!
        const header = {
          height: parent.height + 1,
          id: `n${i}`,
          parentHash: parent.id,
          producer: producer === null ? null : `p${producer}`,
        }
        tree.set(header.id, header)
        all.push(header)
        const path = pathDown(tree, header)
        const isOnSolid = path.some(({ id }) => id === solid.id) || solid.id === base.id
        const taken = count.take(header)
        assert.equal(taken.kind === 'added', isOnSolid, `step ${i}`)
        if (isOnSolid) solid = countedOn(path, needed, solid)
        assert.deepEqual(count.solid, { height: solid.height, id: solid.id })
        const head =
          path.length > 0 && count.head.id !== solid.id ? pathDown(tree, tree.get(count.head.id)!) : null
        if (head && solid.id !== base.id)
          assert.ok(
            head.some(({ id }) => id === solid.id),
            'the head is on the solid branch',
          )
      }
    }),
    { numRuns: 300 },
  )
})

function pathDown(tree: ReadonlyMap<string, CountedHeader>, from: CountedHeader): CountedHeader[] {
  const path = []
  for (let block: CountedHeader | undefined = from; block; block = tree.get(block.parentHash))
    path.push(block)
  return path
}

/** By definition: the highest block of a path, above the solid one, on which enough producers have built. */
function countedOn(
  path: readonly CountedHeader[],
  needed: number,
  solid: { height: number; id: string },
): { height: number; id: string } {
  for (const [i, block] of path.entries()) {
    if (block.height <= solid.height) return solid
    const above = new Set(path.slice(0, i + 1).map(({ producer }) => producer))
    above.delete(null)
    if (above.size >= needed) return block
  }
  return solid
}
