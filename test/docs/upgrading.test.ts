import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { callbackKey } from '../../src/callbacks/outbox/callback.ts'
import { originOf } from '../../src/callbacks/outbox/callback-store.ts'
import { migrationNames, shippedFolder } from '../../src/db/migrate.ts'
import { olderMayRun } from '../../src/db/migration-rule.ts'
import { inTransaction, type Pool } from '../../src/db/pool.ts'
import { insertKey } from '../../src/merchants/key-store.ts'
import { newKey } from '../../src/merchants/new-secret.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { rebuildBefore } from '../support/before-migration.ts'
import { cloneDatabase } from '../support/database.ts'
import { startProcess } from '../support/gateway-process.ts'
import { gatewayProgram } from '../support/gateway-program.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { sandboxSettings } from '../support/sandbox-settings.ts'
import { alwaysOpen, seedAddress, seedOrder } from '../support/seed.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { waitUntil } from '../support/wait-until.ts'

// The commands of docs/upgrading.md on a database from before, with real processes and a chain that goes on.
const page = await readFile(new URL('../../docs/upgrading.md', import.meta.url), 'utf8')
const [, block] = /<!-- test: upgrade -->\n```sh\n(.*?)^```$/ms.exec(page)!
const commands = block!
  .trim()
  .split('\n')
  .map(line => line.replace(/^gateway /, '').split(' '))
/** What the code of today cannot write into it is written by hand. */
const older = '0023_producers'

test('the page names each migration beside which no older program may run', async () => {
  const named = [...page.matchAll(/^\| `(\d{4}_\w+)` \|/gm)].map(([, name]) => name)
  const refusing = []
  for (const name of await migrationNames(shippedFolder)) {
    const sql = await readFile(new URL(`migrations/${name}/migration.sql`, shippedFolder), 'utf8')
    if (!olderMayRun(sql)) refusing.push(name)
  }
  assert.deepEqual(named, refusing)
})

test('what an older version left is announced, and what was paid meanwhile is credited', async () => {
  const { pool, url } = await cloneDatabase()
  await rebuildBefore(pool, older)
  const sandbox = await startSandboxNode({ blockIntervalMs: 50, solidificationDepth: 2 })
  after(() => sandbox.close())
  const endpoint = await startMerchantEndpoint()
  const masterKey = randomBytes(32)
  const { id: merchantId } = await seedMerchant(pool, { callbackUrl: endpoint.url })
  await inTransaction(pool, tx =>
    insertKey(tx, masterKey, { merchantId, scheme: 'hmac-sha256', key: newKey(), promoted: true }),
  )
  const { address } = await leaveBehind(pool, sandbox.url, endpoint.url)
  // While the old version is stopped.
  await tell(sandbox.url, 'sandbox/send', { to: address, amount: '2' })

  const env = sandboxSettings({ database: url, masterKey, nodes: sandbox.url })
  const early = run(['start', 'api'], env)
  assert.notEqual(early.status, 0)
  assert.match(`${early.stdout}${early.stderr}`, /run `gateway migrate` first/)

  assert.deepEqual(
    commands.filter(([name]) => name === 'start').map(([, role]) => role),
    ['courier', 'watcher', 'api'],
  )
  const announced = (orderid: string) =>
    endpoint.requests.some(({ body }) => body.includes(`orderid=${orderid}&`))
  for (const command of commands) {
    if (command[0] === 'start') {
      const started = startProcess(command, env)
      after(() => started.kill())
      await started.started
      continue
    }
    if (command[0] === 'status') {
      await waitUntil('both callbacks', () => announced('before') && announced('meanwhile'), 30_000)
      await waitUntil('the processes to be recorded', async () => {
        const { rows } = await pool.query('select count(*)::int as n from report.processes')
        return rows[0].n === 3
      })
    }
    const { status, stdout, stderr } = run(command, env)
    assert.equal(status, 0, `${command.join(' ')}: ${stdout}${stderr}`)
    if (command[0] === 'status')
      for (const role of ['api', 'watcher', 'courier']) assert.match(stdout, new RegExp(role))
  }
  assert.equal(endpoint.requests.filter(({ body }) => body.includes('orderid=before&')).length, 1)
})

/** A payment that was credited and not announced yet, and an order that is paid later, as an older version has them. */
async function leaveBehind(pool: Pool, sandboxUrl: string, callbackUrl: string) {
  const genesis = await blockOf(sandboxUrl, 0)
  const first = await waitUntil('block 1', () => blockOf(sandboxUrl, 1).catch(() => null))
  const usdtContract = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'
  await pool.query(
    `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
     values ('sandbox', $1, $2, 0, 0, $1, $3)`,
    [genesis.id, usdtContract, genesis.time],
  )
  const paid = await seedAddress(pool, { localusermark: 'u1' })
  const { orderId } = await seedOrder(pool, { ...alwaysOpen, addressId: paid.addressId, orderid: 'before' })
  const waiting = await seedAddress(pool, { localusermark: 'u2' })
  await seedOrder(pool, {
    ...alwaysOpen,
    addressId: waiting.addressId,
    orderid: 'meanwhile',
    amount: 2_000_000n,
  })
  const txid = 'ab'.repeat(32)
  await pool.query(
    `insert into chain_block (height, hash, parent_hash, block_time, transaction_count, transfer_count)
     values (1, $1, $2, $3, 1, 1)`,
    [first.id, genesis.id, first.time],
  )
  await pool.query('update chain_cursor set height = 1, hash = $1, block_time = $2', [first.id, first.time])
  await pool.query(
    `with paid as (
       insert into transfer
         (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index)
       values ($1, 0, $2, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 3000000, 1, $3, $4, 0)
       returning id
     ), credited as (
       insert into credit (transfer_id, order_id, amount, received, late)
       select id, $5, 3000000, 3000000, false from paid
       returning id
     ), lane as (
       insert into callback_lane (merchant_id, origin)
       select id, $6 from merchant
       returning id, merchant_id
     ), announced as (
       insert into callback
         (key, merchant_id, order_id, credit_id, body_amount, received, order_state, late, lane_id)
       select $7, l.merchant_id, $5, c.id, 30000, 3000000, 'paid', false, l.id from credited c, lane l
       returning id, lane_id
     )
     insert into callback_outbox (callback_id, lane_id) select id, lane_id from announced`,
    [
      ...[txid, paid.addressId, first.id, first.time, orderId, originOf(callbackUrl)],
      callbackKey(genesis.id, usdtContract, txid, 0),
    ],
  )
  await pool.query('update recharge_order set received = 3000000, announced = 30000 where id = $1', [orderId])
  return waiting
}

async function blockOf(sandboxUrl: string, num: number): Promise<{ id: string; time: Date }> {
  const answer = (await tell(sandboxUrl, 'wallet/getblockbynum', { num })) as {
    blockID: string
    block_header: { raw_data: { timestamp?: number } }
  }
  return { id: answer.blockID, time: new Date(answer.block_header.raw_data.timestamp ?? 0) }
}

async function tell(url: string, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()
}

function run(args: string[], env: Record<string, string>) {
  const [node, ...program] = gatewayProgram
  return spawnSync(node, [...program, ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  })
}
