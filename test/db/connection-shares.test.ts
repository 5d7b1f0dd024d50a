import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { UsageError } from '../../src/base/errors.ts'
import { type ConnectionNeeds, shareConnections, usualConnections } from '../../src/db/connection-shares.ts'

const roles = ['api', 'watcher', 'courier'] as const
const bits = [false, true]
const everyNeed: ConnectionNeeds[] = bits.flatMap(api =>
  bits.flatMap(console =>
    bits.flatMap(watcher =>
      bits.flatMap(courier =>
        bits.map(queueOnPostgres => ({ api, console, watcher, courier, queueOnPostgres })),
      ),
    ),
  ),
)
const needs = everyNeed.filter(({ api, watcher, courier }) => api || watcher || courier)
/** Connections apart from the shared ones: the lease's, the merchants', and those that are told of callbacks and of blocks. */
const apartOf = ({ api, watcher, courier }: ConnectionNeeds) =>
  Number(watcher) + Number(api || courier) + Number(courier) + Number(api)
const sumOf = (total: number | undefined, need: ConnectionNeeds) => {
  const { main, reads, console, queue } = shareConnections(total, need)
  return main + reads + console + queue + apartOf(need)
}

/** The least that it takes. */
function leastOf(need: ConnectionNeeds): number {
  for (let total = 1; ; total++) {
    try {
      shareConnections(total, need)
      return total
    } catch (error) {
      assert(error instanceof UsageError)
    }
  }
}

test('whatever the total, a process opens exactly so many, and every pool that it has gets what it cannot do without', () => {
  for (const need of needs) {
    for (let total = leastOf(need); total <= 60; total++) {
      assert.equal(sumOf(total, need), total, JSON.stringify({ total, need }))
      const { main, reads, console, queue } = shareConnections(total, need)
      assert(main >= 1)
      assert(need.api ? reads >= 1 && reads <= usualConnections.reads : reads === 0)
      const hasConsole = need.api && need.console
      assert(hasConsole ? console >= 1 && console <= usualConnections.console : console === 0)
      const hasQueue = need.courier && need.queueOnPostgres
      assert(hasQueue ? queue >= 2 && queue <= usualConnections.queue : queue === 0)
    }
  }
})

test('fewer than needed are refused with the number that is', () => {
  for (const need of needs) {
    const least = leastOf(need)
    for (let total = 1; total < least; total++) {
      assert.throws(
        () => shareConnections(total, need),
        (error: UsageError) =>
          new RegExp(`^DATABASE_POOL must be at least ${least} .* got ${total}\\.`).test(
            error.problems.join(),
          ),
      )
    }
  }
})

test('the table in the documentation has the usual and the least numbers', () => {
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
  const row = (process: string) => {
    const found = new RegExp(`^\\| ${process} \\| (.*) \\| (.*) \\|$`, 'm').exec(page)
    assert(found, process)
    return [found[1]!, found[2]!]
  }
  const cell = (
    of: (need: ConnectionNeeds) => number,
    need: Omit<ConnectionNeeds, 'queueOnPostgres' | 'console'>,
  ) => {
    const [redis, postgres] = [
      of({ ...need, console: true, queueOnPostgres: false }),
      of({ ...need, console: true, queueOnPostgres: true }),
    ]
    return redis === postgres ? `${redis}` : `${redis}, without Redis ${postgres}`
  }
  const none = { api: false, watcher: false, courier: false }
  for (const [process, need] of [
    ...roles.map(role => [`\`${role}\``, { ...none, [role]: true }] as const),
    ['all three', { api: true, watcher: true, courier: true }] as const,
  ])
    assert.deepEqual(row(process), [cell(one => sumOf(undefined, one), need), cell(leastOf, need)], process)
})
