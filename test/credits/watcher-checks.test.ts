import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../src/base/metrics.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { createAlarms } from '../../src/blocks/watcher-alarms.ts'
import { addContractCommands } from '../../src/cli/contract-commands.ts'
import { createLagCheck } from '../../src/credits/check-lag.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { rows } from '../../src/db/pool.ts'
import type { ContractAlarm } from '../../src/tron/block.ts'
import { networks } from '../../src/tron/network.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { recordLog } from '../support/recorded-log.ts'
import { addAddress, creditedChain } from './credited-chain.ts'

/** The check of the lag as a watcher that has just started makes it, with a clock that is moved by hand. */
function newCheck(pool: Parameters<typeof createLagCheck>[0]['db']) {
  const registry = createMetrics()
  const alarms = createAlarms(registry, recordLog().log)
  let nowMs = Date.now()
  const check = createLagCheck({
    ...{ db: pool, alarms, registry, limits: networks.private.limits, nodeStatus: () => [] },
    now: () => new Date(nowMs),
  })
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { alarms, check, pass }
}

const alarmsOf = (txid: string, ...events: ContractAlarm['event'][]) =>
  events.map((event, logIndex): ContractAlarm => ({ txid, logIndex, event }))

test('every event of the contract is recorded with the block, once, and the alarm outlives a restart until a person has looked', async t => {
  const { pool, rules, block, credit } = await creditedChain('contract')
  const one = block(3, [])
  one.alarms = alarmsOf('a1'.repeat(32), 'Pause', 'AddedBlackList')
  const two = block(6, [])
  two.alarms = alarmsOf('b2'.repeat(32), 'DestroyedBlackFunds')
  const from = (await readCursor(pool))!
  assert(await credit([one]))
  // Another watcher commits the same block: it loses, and writes nothing twice.
  assert.equal(await creditBlocks(pool, rules, from, [one]), null)
  assert(await credit([two]))
  const { alarms, check } = newCheck(pool)
  await check()
  assert.deepEqual(alarms.raised(), ['contract'])

  process.env.DATABASE_URL = (await rows<{ url: string }>(pool, `select current_database() as url`))[0]!.url
  process.env.DATABASE_URL = process.env.TEST_POSTGRES_URL!.replace(
    /\/gateway$/,
    `/${process.env.DATABASE_URL}`,
  )
  const gateway = (...args: string[]) => commandInProcess(t, addContractCommands, ...args)
  const list = JSON.parse(await gateway('contract', 'list', '--json'))
  assert.deepEqual(
    list.map(({ event, block: height }: { event: string; block: number }) => [event, height]),
    [
      ['DestroyedBlackFunds', 2],
      ['AddedBlackList', 1],
      ['Pause', 1],
    ],
  )
  const acknowledge = (id: string, ...more: string[]) =>
    gateway('contract', 'acknowledge', id, '--reason', 'read the news', '--by', 'alice', ...more)
  await assert.rejects(acknowledge('99'), /there is no event 99/)
  await assert.rejects(acknowledge('x'), /is not an id/)
  assert.equal(await acknowledge(list[1].id, '--earlier-too'), '2 acknowledged')
  assert.match(await acknowledge(list[1].id), /already/)
  const after = newCheck(pool)
  await after.check()
  assert.deepEqual(after.alarms.raised(), ['contract'])
  assert.equal(await acknowledge(list[0].id), '1 acknowledged')
  await after.check()
  assert.deepEqual(after.alarms.raised(), [])
  // Read again, an acknowledged event stays acknowledged.
  await pool.query(`update chain_cursor set height = $1, hash = $2`, [from.height, from.hash])
  await pool.query(`delete from chain_block`)
  assert(await credit([one, two]))
  await after.check()
  assert.deepEqual(after.alarms.raised(), [])
  assert.match(await gateway('contract', 'list'), /every event is acknowledged/)
  assert.match(await gateway('contract', 'list', '--all'), /alice/)
  const audited = await rows(
    pool,
    `select actor, subject, detail from audit_event where action = 'contract.acknowledged'`,
  )
  assert.equal(audited.length, 3)
})

test('a transfer is held for a minute before that is an alarm: a node that is a block behind confirms sooner', async () => {
  const { pool, block, credit } = await creditedChain('held', 1_000_000n)
  const to = await addAddress(pool, 'u1')
  await credit([block(3, [[{ toBytes: to, units: 5_000_000n }]])])
  const { alarms, check, pass } = newCheck(pool)
  await check()
  assert(!alarms.raised().includes('held'))
  pass(61_000)
  await check()
  assert(alarms.raised().includes('held'))
  await pool.query(`delete from waiting_transfer`)
  await check()
  assert(!alarms.raised().includes('held'))
})
