import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { auditedDatabase, tamper } from './audited-database.ts'

const gateway = fileURLToPath(new URL('../../src/gateway.ts', import.meta.url))
const { pool } = await auditedDatabase()

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const options = { env: { PATH: process.env.PATH, DATABASE_URL: pool.options.connectionString } }
    execFile(
      process.execPath,
      ['--import', 'tsx', gateway, 'audit', ...args],
      options,
      (error, stdout, stderr) => resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

test('a clean audit ends with 0, and is a table of merchants, what is open, and every check', async () => {
  const { status, stdout } = await run()
  assert.equal(status, 0)
  assert.match(
    stdout,
    /^appid +name +orders +transfers +arrived +waiting +rejected +settled +credited +deposited +received +refunded +corrected +announced +acknowledged/,
  )
  assert.match(
    stdout,
    /^VunTq7Zk2Lm9h1l8 +shop +3 +6 +66\.0001 +59 +0 +0 +7\.0001 +0 +7\.0001 +0 +0 +7\.0001 +1 +1 +1$/m,
  )
  assert.match(stdout, /^all +4 +7 +73\.0001 +59 +0 +0 +14\.0001 /m)
  assert.match(stdout, /^unclaimed +1 transfers, 9 USDT$/m)
  assert.match(stdout, /^OK +callback\.key +each callback's key is computed from its transfer$/m)
  assert.match(stdout, /^clean: all \d+ checks hold$/m)
})

test('one that finds something ends with 1 and names it, as text and as JSON', async () => {
  await tamper(pool, `update recharge_order set received = received + 1 where orderid = 'o-4'`)
  const { status, stdout } = await run()
  assert.equal(status, 1)
  assert.match(
    stdout,
    /^DIFF +order\.received +.*: 1 does not\n +Other0therOther1 order o-4: has received 7000001 units/m,
  )
  assert.match(stdout, /^2 of \d+ checks differ$/m)
  const other = await run('--json', '--appid', 'Other0therOther1')
  assert.equal(other.status, 1)
  const report = JSON.parse(other.stdout)
  assert.equal(report.clean, false)
  assert.deepEqual(report.all, {
    ...{
      orders: 1,
      transfers: 1,
      arrived: '7',
      waiting: '0',
      rejected: '0',
      settled: '0',
      credited: '7',
      deposited: '0',
      received: '7.000001',
      refunded: '0',
      corrected: '0',
    },
    ...{ announced: '7', acknowledged: '0', due: 1, exhausted: 0 },
  })
  assert.deepEqual(report.open.unclaimed, { transfers: 1, usdt: '9' })
  assert.equal(report.checks.find(({ name }: { name: string }) => name === 'order.received').differences, 1)
  const shop = await run('--appid', 'VunTq7Zk2Lm9h1l8')
  assert.equal(shop.status, 0, "another merchant's difference")
})

test('an appid of nobody and minutes that are none end with 2', async () => {
  const nobody = await run('--appid', 'nobody')
  assert.deepEqual([nobody.status, nobody.stderr.trim()], [2, 'error: no merchant has the appid "nobody"'])
  assert.equal((await run('--due-minutes', '0')).status, 2)
})
