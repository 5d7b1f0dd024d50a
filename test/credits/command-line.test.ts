import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, type TronAddress } from '../../src/tron/address.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { createTronNode } from '../../src/tron/node/node-client.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { gatewayProgram } from '../support/gateway-program.ts'
import { anyShop, seedMerchant } from '../support/seed-merchant.ts'
import { seedQuarantine } from '../support/seed-transfer.ts'

// The commands as an operator runs them, against a sandbox node whose chain was followed up to its solidified head: a
// payment to `old` at each of its blocks, one of which the database lacks.
const old = addressFromBytes(bytesFor('old'))
const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
after(() => sandbox.close())
const { pool, url } = await cloneDatabase()
const env: Record<string, string> = { DATABASE_URL: url, TRON_NODES: sandbox.url, RECONCILE_URL: sandbox.url }
const { usdt: usdtContract } = sandboxAddresses
const node = createTronNode({ headUrl: sandbox.url, solidUrl: sandbox.url, usdtContract })
after(() => node.close())
const pin = { network: 'sandbox', genesisId: sandbox.chain.genesisId, usdtContract }
await createCursor(pool, pin, await node.solidHead())
await seedMerchant(pool, anyShop)
const first = sandbox.chain.head.height + 1
for (let units = 1n; units <= 5n; units++) pay(old, units)
sandbox.chain.mine()
await follow(block => block)

/** Follows to the solidified head. @returns the first block of it. */
async function follow(seen: (block: SolidBlock) => SolidBlock): Promise<number> {
  const { height } = (await readCursor(pool))!
  for (;;) {
    const cursor = (await readCursor(pool))!
    const block = await node.solidBlock(cursor.height + 1)
    if (!block) return height + 1
    await creditBlocks(pool, { ...pin, graceMs: 0, quorumAmount: null }, cursor, [seen(block)])
  }
}

function pay(to: TronAddress, units: bigint): void {
  sandbox.chain.add([makePayment(sandbox.chain.stamp(), [{ to, amount: usdt(units * 1_000_000n) }])])
  sandbox.chain.mine()
}

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const options = { env: { PATH: process.env.PATH, ...env } }
    const [node, ...program] = gatewayProgram
    execFile(node, [...program, ...args], options, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

async function amounts(): Promise<string[]> {
  const { rows } = await pool.query('select amount::text from transfer order by block_height')
  return rows.map(row => row.amount)
}

test('an address import killed while it reads, or before its commit, has imported nothing', async () => {
  for (const failpoint of ['block:after-decode', 'rescan:before-commit']) {
    Object.assign(env, { TRON_NETWORK: 'sandbox', FAILPOINT: failpoint })
    const { stderr } = await run(
      ...['address', 'import', '--appid', 'VunTq7Zk2Lm9h1l8', '--localusermark', 'u1'],
      ...['--from-block', `${first + 2}`, old],
    )
    assert.match(stderr, new RegExp(`failpoint ${failpoint} kill`))
    assert.equal((await pool.query('select from deposit_address')).rowCount, 0)
    assert.deepEqual(await amounts(), [])
  }
  delete env.FAILPOINT
})

test('address import --from-block counts what was paid from there on, rescan and reconcile find nothing more', async () => {
  const imported = await run(
    ...['address', 'import', '--appid', 'VunTq7Zk2Lm9h1l8', '--localusermark', 'u1'],
    ...['--from-block', `${first + 2}`, old],
  )
  assert.equal(imported.status, 0, imported.stderr)
  assert.match(imported.stdout, /imported: 1, already watched: 0/)
  assert.match(imported.stdout, /3 blocks, 3 transfers were missing, 0 credits written/)
  assert.deepEqual(await amounts(), ['3000000', '4000000', '5000000'])

  const { height } = (await readCursor(pool))!
  const rescanned = await run('rescan', '--from', '1', '--to', `${height}`)
  assert.equal(rescanned.status, 0, rescanned.stderr)
  assert.match(
    rescanned.stdout,
    new RegExp(`^rescanned 1 to ${height}: ${height} blocks, 0 transfers were missing`),
  )

  const reconciled = await run('reconcile', '--all')
  assert.equal(reconciled.status, 0, reconciled.stderr)
  assert.match(reconciled.stdout, /1 addresses compared, 3 transfers, 0 differences/)
})

test('reconcile ends with 1 when something differs, and a rescan mends it', async () => {
  const other = addressFromBytes(bytesFor('other'))
  const imported = await run(
    ...['address', 'import', '--appid', 'VunTq7Zk2Lm9h1l8', '--localusermark', 'u2', other],
  )
  assert.equal(imported.status, 0, imported.stderr)
  pay(other, 7n)
  pay(other, 8n)
  sandbox.chain.mine()
  const from = await follow(block => ({ ...block, transfers: [] }))
  const differs = await run('reconcile', '--address', other)
  assert.equal(differs.status, 1)
  assert.match(differs.stdout, /1 addresses compared, 2 transfers, 1 differences/)
  assert.match(differs.stdout, /missing_transfer/)
  const to = (await readCursor(pool))!.height
  assert.match((await run('rescan', '--from', `${from}`, '--to', `${to}`)).stdout, /2 transfers were missing/)
  assert.equal((await run('reconcile', '--address', other)).status, 0)
})

test('a range past the cursor, an address of nobody and settings that are missing end with 2 and a sentence', async () => {
  const { height } = (await readCursor(pool))!
  const past = await run('rescan', '--from', '1', '--to', `${height + 1}`)
  assert.equal(past.status, 2)
  assert.match(past.stderr, /^error: block \d+ is past the cursor/m)
  const nobody = await run('reconcile', '--address', addressFromBytes(bytesFor('nobody')))
  assert.equal(nobody.status, 2)
  assert.match(nobody.stderr, /is not a deposit address of this gateway/)
  assert.match((await run('reconcile')).stderr, /--address, --all or --since/)
  assert.match((await run('reconcile', '--since', 'yesterday')).stderr, /--since: a date/)
  env.RECONCILE_URL = ''
  assert.match((await run('reconcile', '--all')).stderr, /^error: RECONCILE_URL is missing/m)
})

test('what is parked is listed, and retried by id or all of it', async () => {
  assert.equal((await run('quarantine', 'list')).stdout.trim(), 'nothing is quarantined')
  await seedQuarantine(pool, { txid: 'ab'.repeat(32), logs: [1, 2] })
  const listed = JSON.parse((await run('quarantine', 'list', '--json')).stdout)
  assert.deepEqual(
    listed.map((row: { what: string; block: number; reason: string }) => [row.what, row.block, row.reason]),
    [
      ['log', 5, 'not understood'],
      ['log', 5, 'not understood'],
    ],
  )
  assert.match((await run('quarantine', 'list')).stdout, /not understood/)
  assert.equal((await run('quarantine', 'retry', listed[0].id)).stdout.trim(), `${listed[0].id}: no transfer`)
  assert.equal((await run('quarantine', 'retry', '--all')).stdout.trim(), `${listed[1].id}: no transfer`)
  assert.equal((await run('quarantine', 'retry')).status, 2)
  assert.match((await run('quarantine', 'retry', 'x')).stderr, /is not an id/)
})
