import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failpointNames } from '../../src/base/failpoint.ts'
import { cloneDatabase } from '../support/database.ts'
import { gatewayProgram } from '../support/gateway-program.ts'
import { noRedis } from '../support/redis.ts'
import type { DatabaseSource } from './breakable-postgres.ts'
import { type FaultRow, runRow } from './fault-row.ts'
import { faultRows } from './fault-rows.ts'
import { complaints } from './fault-table.ts'
import { dieAt } from './role-process.ts'

// The worst moments of each process, out of the matrix that `npm run test:faults` runs whole: real processes kill
// themselves there while payments come in; then the chain's truth, the database and the merchants' books are compared.
const worst: FaultRow = {
  id: 'K',
  what: 'each process killed at its worst moments',
  mayRepeat: true,
  inject: async ({ world, whole }, nth) => {
    const [watcher, courier] = [world.watchers[0]!, world.couriers[0]!]
    await Promise.all([
      dieAt(world.api, nth === 1 ? 'order:after-commit' : 'address:after-commit', whole(1, 3)),
      dieAt(watcher, nth === 1 ? 'credit:before-commit' : 'credit:after-commit', whole(1, 3)),
      dieAt(courier, nth === 1 ? 'courier:after-send' : 'courier:after-record', whole(1, 3)),
    ])
    return { count: 3 }
  },
}

describe('with each process killed at its worst moments', { concurrency: true }, () => {
  for (const queue of ['redis', 'postgres'] as const) {
    const skip = queue === 'redis' && noRedis
    test(`nothing is lost and nothing doubled, the queue on ${queue}`, { skip }, async () => {
      const run = { program: gatewayProgram, databases, postgres: null, queue, times: 2, seed: 4 }
      const result = await runRow(worst, run)
      assert.deepEqual(complaints(result), [])
      assert.equal(result.injected, 6)
      assert(result.payments > 20, `${result.payments} payments`)
    })
  }
})

test('every failpoint has a row of the matrix that strikes there', () => {
  const struck = new Set(faultRows.flatMap(row => row.failpoints ?? []))
  assert.deepEqual(
    failpointNames.filter(name => !struck.has(name)),
    [],
  )
})

const databases: DatabaseSource = {
  fresh: async () => {
    const { url } = await cloneDatabase()
    return { url, drop: async () => undefined }
  },
}
