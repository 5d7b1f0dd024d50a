import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settlesAs } from '../../src/credits/settle-rules.ts'
import type { SolidBlock, Unverified } from '../../src/tron/block.ts'

const reading = (why: Unverified): SolidBlock => ({
  ...{ height: 7, hash: 'ab', parentHash: 'aa', time: new Date(0), transactionCount: 0 },
  ...{ transfers: [], undecodable: [], alarms: [], undone: [], node: 'a', unverified: why },
})
const oneHost = { hosts: 1, hostOf: (node: string) => node, alike: () => true }
const settled = (why: Unverified, ageMs: number, checks: number) =>
  settlesAs({ why, checks, ageMs }, [reading(why)], oneHost)

test('what the only host goes on showing is settled after three readings, and infos without a block after a day', () => {
  const dayMs = 24 * 3_600_000
  assert.equal(settled('root', 60_000, 1), null)
  assert.equal(settled('root', 60_000, 2), 'alone')
  assert.equal(settled('header-only', 60_000, 2), null)
  assert.equal(settled('header-only', dayMs - 1, 200), null)
  assert.equal(settled('header-only', dayMs, 200), 'alone')
  assert.equal(settled('infos', dayMs, 200), null)
})
