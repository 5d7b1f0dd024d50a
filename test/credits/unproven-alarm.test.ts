import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../src/base/metrics.ts'
import { createAlarms } from '../../src/blocks/watcher-alarms.ts'
import { createLagCheck } from '../../src/credits/check-lag.ts'
import { keepSettling } from '../../src/credits/keep-settling.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { recordLog } from '../support/recorded-log.ts'
import { waitUntil } from '../support/wait-until.ts'
import { addAddress, addOrder, at, creditedChain, orderOf } from './credited-chain.ts'
import { playedHosts, rulesFor } from './played-hosts.ts'

async function waitingForProof(seed: string, hosts: number) {
  const it = await creditedChain(seed)
  it.rules.proof = rulesFor(hosts)
  const to = await addAddress(it.pool, 'u1')
  await addOrder(it.pool, 'u1', 'o-1', 1000, 1)
  const block = it.block(3, [[{ toBytes: to, units: 500n }]])
  const truth: SolidBlock = { ...block, transfers: block.transfers.map(one => ({ ...one, signed: false })) }
  await it.credit([{ ...truth, node: 'a' }])
  return { ...it, truth }
}

test('what waits for proof for more than a minute, and a block unverified for as long, raise an alarm until it is settled', async () => {
  const { pool } = await waitingForProof('alarm', 2)
  const registry = createMetrics()
  const alarms = createAlarms(registry, recordLog().log)
  const limits = { cursorAgeMs: null, blocksBehind: 40 }
  const check = createLagCheck({
    db: pool,
    nodeStatus: () => [],
    limits,
    alarms,
    now: () => at(10),
    registry,
  })
  const shown = async () => {
    await check()
    const text = await registry.metrics()
    const gauge = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]
    const names = ['gateway_unproven_transfers', 'gateway_unproven_usdt', 'gateway_unverified_blocks']
    return [alarms.raised().includes('unproven'), ...names.map(gauge)]
  }
  assert.deepEqual(await shown(), [false, '1', '0.0005', '0'])
  await pool.query(`update pending_proof set created_at = now() - interval '61 s'`)
  assert.deepEqual(await shown(), [true, '1', '0.0005', '0'])
  await pool.query(`update pending_proof set ended_at = now(), ended_as = 'rejected'`)
  assert.deepEqual(await shown(), [false, '0', '0', '0'])
  await pool.query(
    `insert into unverified_block (height, hash, why, node, created_at) values (1, 'h', 'root', 'a', now() - interval '61 s')`,
  )
  assert.deepEqual(await shown(), [true, '0', '0', '1'])
  await pool.query(`update unverified_block set settled_at = now(), settled_as = 'verified'`)
  assert.deepEqual(await shown(), [false, '0', '0', '0'])
})

test('the chore settles what is due, and says what it credited and rejected', async () => {
  const { pool, rules, truth } = await waitingForProof('chore', 3)
  const recorded = recordLog()
  const stop = new AbortController()
  let shown: SolidBlock = { ...truth, transfers: [] }
  const nodes = playedHosts({ a: () => truth, b: () => shown, c: () => shown })
  const running = keepSettling({ pool, rules, nodes, log: recorded.log, signal: stop.signal })
  const [rejected] = await waitUntil('it is rejected', () => {
    const lines = recorded.lines('proof.rejected')
    return lines.length > 0 ? lines : null
  })
  assert.deepEqual(
    [rejected!.level, rejected!.height, rejected!.id, rejected!.amount, rejected!.because],
    [40, 1, 'p1', '500', 'b and c show its block without it'],
  )
  shown = truth
  await pool.query(`update pending_proof set next_check_at = now()`)
  const [settled] = await waitUntil('it is credited', () => {
    const lines = recorded.lines('proof.settled')
    return lines.length > 0 ? lines : null
  })
  assert.deepEqual([settled!.recorded, settled!.credits, settled!.takenUp], [1, 1, 1])
  assert.deepEqual(await orderOf(pool, 'o-1'), { received: 500n, announced: 5n })
  stop.abort()
  await running
})

test('a database that goes away between the reading and the commit loses nothing: it is read again', async () => {
  const { pool, rules, truth } = await waitingForProof('away', 2)
  await pool.query(
    `create function away() returns trigger language plpgsql as
       $$ begin raise exception 'away' using errcode = '57P01'; end $$;
     create trigger away before insert on credit for each statement execute function away()`,
  )
  const recorded = recordLog()
  const stop = new AbortController()
  const nodes = playedHosts({ a: () => truth, b: () => truth })
  const running = keepSettling({ pool, rules, nodes, log: recorded.log, signal: stop.signal })
  await waitUntil('it fails', () => (recorded.lines('chore.failed').length > 0 ? true : null))
  const { rows } = await pool.query(
    'select (select count(*) from transfer) as transfers, ended_as, checks from pending_proof',
  )
  assert.deepEqual(rows, [{ transfers: 0n, ended_as: null, checks: 0 }])
  await pool.query('drop trigger away on credit')
  await waitUntil('it is credited', async () =>
    (await orderOf(pool, 'o-1')).received === 500n ? true : null,
  )
  stop.abort()
  await running
})
