import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type FailpointName, failpointNames } from '../../src/base/failpoint.ts'
import { cloneDatabase } from '../support/database.ts'
import { gatewayProgram } from '../support/gateway-program.ts'
import { noRedis } from '../support/redis.ts'
import type { DatabaseSource } from './breakable-postgres.ts'
import { type FaultRow, runRow } from './fault-row.ts'
import { faultRows } from './fault-rows.ts'
import { complaints } from './fault-table.ts'
import { deathAt, type RoleProcess } from './role-process.ts'

// The worst moments of each process, out of the matrix that `npm run test:faults` runs whole: real processes kill
// themselves there while payments come in; then the chain's truth, the database and the merchants' books are compared.
const worst: FaultRow = {
  id: 'K',
  what: 'each process killed at its worst moments',
  settings: { env: { FAILPOINT: 'order:after-commit@3,credit:before-commit@2,courier:after-send@2' } },
  atOnce: true,
  mayRepeat: true,
  inject: async ({ deployment: { api, watchers, couriers } }) => {
    const [watcher, courier] = [watchers[0]!, couriers[0]!]
    await Promise.all([
      die(api, 'order:after-commit'),
      die(courier, 'courier:after-send'),
      die(watcher, 'credit:before-commit', 'credit:after-commit'),
    ])
    return { count: 4 }
  },
}

/** It has been started armed; after each death it is started again, at last to live. */
async function die(role: RoleProcess, ...failpoints: FailpointName[]): Promise<void> {
  for (const [nth, failpoint] of failpoints.entries()) {
    await deathAt(role, failpoint)
    await role.start({ FAILPOINT: failpoints[nth + 1] ?? '' })
  }
}

describe('with each process killed at its worst moments', { concurrency: true }, () => {
  for (const queue of ['redis', 'postgres'] as const) {
    const skip = queue === 'redis' && noRedis
    test(`nothing is lost and nothing doubled, the queue on ${queue}`, { skip }, async () => {
      const run = { program: gatewayProgram, databases, postgres: null, queue, times: 1, seed: 4 }
      const result = await runRow(worst, run)
      assert.deepEqual(complaints(result), [])
      assert.equal(result.injected, 4)
      assert(result.payments > 10, `${result.payments} payments`)
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
