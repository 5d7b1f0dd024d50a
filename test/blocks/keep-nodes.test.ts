import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepCalls, keepNodes, type NodesToKeep } from '../../src/blocks/keep-nodes.ts'
import { readNodes } from '../../src/blocks/node-store.ts'
import type { Pool } from '../../src/db/pool.ts'
import { createDayQuota, type DayQuota } from '../../src/tron/node/day-quota.ts'
import { cloneDatabase } from '../support/database.ts'

const clock = { now: () => new Date() }

/** One process's view of nodes of these names, with a quota each. */
function nodesNamed(...names: string[]): NodesToKeep & { quota: (name: string) => DayQuota } {
  const quotas = new Map(
    names.map(name => [name, createDayQuota({ perDay: 1_000, reservePerDay: 0, clock })]),
  )
  return {
    names,
    quotas,
    hostOf: name => name.split(':')[0]!,
    status: () =>
      names.map(name => ({
        ...{ name, state: 'ok' as const, why: '', solidHeight: 7, headAgeMs: 0 },
        ...{ calls: 0, refused: 0, disagreements: 0, untilMs: null },
      })),
    quota: name => quotas.get(name)!,
  }
}
const settings = [{ headUrl: 'grpc://a:1' }, { headUrl: 'https://b:1' }]

test('the calls of a day outlive the process, and those of several processes are one sum', async () => {
  const { pool } = await cloneDatabase()
  const [one, other] = [nodesNamed('a:1'), nodesNamed('a:1')]
  for (let n = 0; n < 5; n++) one.quota('a:1').count()
  for (let n = 0; n < 3; n++) other.quota('a:1').count()
  await keepCalls(pool, one)
  await keepCalls(pool, other)
  assert.equal(other.quota('a:1').calls, 8)
  await keepCalls(pool, one)
  assert.equal(one.quota('a:1').calls, 8)
  const restarted = nodesNamed('a:1')
  await keepCalls(pool, restarted)
  assert.equal(restarted.quota('a:1').left, 992)
})

test('calls that could not be saved are saved later, once', async () => {
  const { pool } = await cloneDatabase()
  const nodes = nodesNamed('a:1')
  nodes.quota('a:1').count()
  const broken = { query: () => Promise.reject(new Error('no database')) } as unknown as Pool
  await assert.rejects(keepCalls(broken, nodes), /no database/)
  nodes.quota('a:1').count()
  await keepCalls(pool, nodes)
  await keepCalls(pool, nodes)
  const { rows } = await pool.query('select calls from node_day')
  assert.deepEqual(rows, [{ calls: 2n }])
})

test('the nodes are stored as they are now, without those that are no longer set', async () => {
  const { pool } = await cloneDatabase()
  const before = nodesNamed('a:1', 'gone:1')
  before.quota('a:1').count()
  await keepNodes(pool, before, settings)
  const after = nodesNamed('a:1', 'b:1')
  await keepNodes(pool, after, settings)
  const stored = await readNodes(pool)
  assert.deepEqual(
    stored.map(({ node, host, transport, calls, quota, solidHeight }) => ({
      ...{ node, host, transport, calls, quota, solidHeight },
    })),
    [
      { node: 'a:1', host: 'a', transport: 'grpc', calls: 1, quota: 1_000, solidHeight: 7 },
      { node: 'b:1', host: 'b', transport: 'http', calls: 0, quota: 1_000, solidHeight: 7 },
    ],
  )
})
