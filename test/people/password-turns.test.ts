import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inPasswordTurn, TooManySignIns } from '../../src/people/password-turns.ts'

/** Until everything that may begin has begun. */
const begin = () => new Promise(setImmediate)

/** Work that takes until it is told to end. */
function openWork() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (name: string, by: string, known: boolean) => {
    const done = inPasswordTurn({ by, known }, () => {
      begun.push(name)
      return new Promise<void>(end => ends.set(name, end))
    })
    // A refusal is looked at by those who expect one.
    done.catch(() => undefined)
    return done
  }
  /** Ends what runs until nothing does. */
  const endAll = async (all: readonly Promise<unknown>[]) => {
    const settled = Promise.allSettled(all)
    let open = true
    settled.then(() => {
      open = false
    })
    while (open) {
      for (const end of ends.values()) end()
      await begin()
    }
    return settled
  }
  return { begun, ends, ask, endAll }
}

test('strangers take one place and wait behind those who are known', async () => {
  const { begun, ends, ask, endAll } = openWork()
  const all = [ask('s1', 'a', false), ask('s2', 'b', false), ask('k1', 'c', true), ask('k2', 'd', true)]
  await begin()
  assert.deepEqual(begun, ['s1', 'k1'], 'one place stays free for who is known')
  ends.get('s1')!()
  await all[0]
  await begin()
  assert.deepEqual(begun, ['s1', 'k1', 'k2'])
  ends.get('k1')!()
  await all[2]
  await begin()
  assert.deepEqual(begun, ['s1', 'k1', 'k2', 's2'])
  await endAll(all)
})

test('one client fills no queue, and strangers keep nobody out who is known', async () => {
  const { begun, ask, endAll } = openWork()
  const own = Array.from({ length: 6 }, (_, i) => ask(`own ${i}`, 'one', false))
  await assert.rejects(own[5]!, TooManySignIns)
  const many = Array.from({ length: 40 }, (_, i) => ask(`many ${i}`, `client ${i}`, false))
  await assert.rejects(many.at(-1)!, TooManySignIns)
  const known = ask('known', 'browser', true)
  await begin()
  assert.deepEqual(begun, ['own 0', 'known'])
  const settled = await endAll([...own, ...many, known])
  // One runs, and twenty wait.
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1 + 20 + 1)
})

test('work that fails gives its turn to the next', async () => {
  const failing = inPasswordTurn({ by: 'a', known: false }, () => Promise.reject(new Error('no memory')))
  const next = inPasswordTurn({ by: 'b', known: false }, async () => 'done')
  await assert.rejects(failing, /no memory/)
  assert.equal(await next, 'done')
})
