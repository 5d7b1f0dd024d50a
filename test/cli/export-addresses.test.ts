import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { listReceived, receivedQuery } from '../../src/addresses/list-received.ts'
import type { AddressCounterId } from '../../src/base/ids.ts'
import { usdt } from '../../src/base/money.ts'
import { createCursor } from '../../src/blocks/chain-store.ts'
import { createPool } from '../../src/db/pool.ts'
import { pagedStatementMs } from '../../src/db/read-in-pages.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { deriveAddress, parseAccountKey } from '../../src/tron/account-key.ts'
import { addressToBytes } from '../../src/tron/address.ts'
import { createTronNode } from '../../src/tron/node/node-client.ts'
import { testXpub } from '../support/api-under-test.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { cloneDatabase } from '../support/database.ts'
import { gatewayProgram } from '../support/gateway-program.ts'
import { seedAddress, seedAddresses } from '../support/seed.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { seedTransfer } from '../support/seed-transfer.ts'

// `gateway addresses export`: three derived addresses, two of which received something, against a sandbox's balances.
const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
after(() => sandbox.close())
const { pool, url } = await cloneDatabase()
const key = parseAccountKey(testXpub)
const addresses = [0, 1, 2, 3].map(index => deriveAddress(key, index))
const merchant = await seedMerchant(pool, {})
const { rows: counters } = await pool.query<{ id: AddressCounterId }>(
  `update address_counter set xpub = $1, next_index = 4 returning id`,
  [testXpub],
)
const counterId = counters[0]!.id
for (const index of [1, 2, 3]) {
  const { addressId } = await seedAddress(pool, {
    ...{ merchantId: merchant.id, bytes: addressToBytes(addresses[index]!), counterId, index },
    localusermark: index === 1 ? '=cmd' : `u${index}`,
  })
  if (index < 3) await seedTransfer(pool, { addressId, amount: 2_500_000n })
}
const exportPool = createPool(url, { max: 2, statementTimeoutMs: pagedStatementMs })
after(() => exportPool.end())
let unpaid = 0
const seedUnpaid = (count: number) =>
  seedAddresses(
    pool,
    Array.from({ length: count }, () => {
      const name = `unpaid ${unpaid++}`
      return { merchantId: merchant.id, localusermark: name, bytes: bytesFor(name) }
    }),
  )
const pay = (to: (typeof addresses)[0], units: bigint) => {
  sandbox.chain.add([
    makePayment(sandbox.chain.stamp(), [{ to, amount: usdt(units) }], { from: sandboxAddresses.payer }),
  ])
  sandbox.chain.mine()
}
pay(addresses[1]!, 2_500_000n)
pay(addresses[2]!, 7n)
sandbox.chain.mine()
const node = createTronNode({
  headUrl: sandbox.url,
  solidUrl: sandbox.url,
  usdtContract: sandboxAddresses.usdt,
})
after(() => node.close())
const genesisId = await node.genesisId()
const solid = await node.solidHead()
await createCursor(
  pool,
  { network: 'sandbox', genesisId, usdtContract: sandboxAddresses.usdt },
  { height: solid.height, hash: solid.hash, time: solid.time },
)

function run(args: string[], TRON_NODES?: string) {
  const [program, ...rest] = gatewayProgram
  const env = { PATH: process.env.PATH, DATABASE_URL: url, ...(TRON_NODES && { TRON_NODES }) }
  return new Promise<{ status: number; lines: string[]; stderr: string }>(resolve => {
    execFile(program, [...rest, 'addresses', 'export', ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, lines: stdout.trimEnd().split('\r\n'), stderr }),
    )
  })
}

test('addresses that received something are printed with their path, and never the extended key', async () => {
  const { status, lines, stderr } = await run(['--csv'])
  assert.equal(status, 0, stderr)
  assert.deepEqual(
    lines.map(line => line.split(',').slice(0, 3)),
    [
      ['path', 'account', 'address'],
      [`m/44'/195'/0'/0/1`, addresses[0], addresses[1]],
      [`m/44'/195'/0'/0/2`, addresses[0], addresses[2]],
    ],
  )
  assert.match(lines[1]!, /,'=cmd,.*,2\.5$/)
  assert(!lines.join().includes('xpub'))
  assert.equal((await run(['--all'])).lines.length, 4)
})

test('balances are those of a node, as of an irreversible block', async () => {
  const { status, lines, stderr } = await run(['--balance'], sandbox.url)
  assert.equal(status, 0, stderr)
  assert.deepEqual(
    lines.slice(1).map(line => line.split(',').slice(-3)),
    [
      ['2.5', '2.5', `${solid.height}`],
      ['2.5', '0.000007', `${solid.height}`],
    ],
  )
})

test('a node of another chain, no node, and nodes over gRPC alone are refused', async () => {
  await pool.query(`update chain_cursor set genesis_id = repeat('ab', 32)`)
  const wrong = await run(['--balance'], sandbox.url)
  await pool.query(`update chain_cursor set genesis_id = $1`, [genesisId])
  assert.deepEqual([wrong.status, /serves another chain/.test(wrong.stderr)], [2, true])
  for (const nodes of [undefined, 'grpc://127.0.0.1:1|grpc://127.0.0.1:2']) {
    const refused = await run(['--balance'], nodes)
    assert.deepEqual([refused.status, /asks a node over HTTP/.test(refused.stderr)], [2, true])
  }
})

test('what is paid and assigned while it is read is not in it', async () => {
  const pages = listReceived(exportPool, { appid: null, all: true })
  const first = await pages.next()
  // Read in full: the first page is everything, and there is none after it.
  assert.equal(first.value!.length, 3)
  await pages.return(undefined)

  await seedUnpaid(1_000)
  const reading = listReceived(exportPool, { appid: null, all: true })
  const begun = await reading.next()
  assert.equal(begun.value!.length, 1_000)
  await seedUnpaid(1)
  const { rows: last } = await pool.query(
    `select max(id) as id from deposit_address where localusermark = 'unpaid 999'`,
  )
  await seedTransfer(pool, { addressId: last[0].id, amount: 5n })
  const rest = (await reading.next()).value!
  assert.deepEqual([rest.length, rest.at(-1)!.received], [3, 0n])
  assert.equal((await reading.next()).done, true)
})

test('addresses that have received nothing are not looked up one by one', async () => {
  await seedUnpaid(3_000)
  await pool.query('analyze deposit_address, transfer, rejection, merchant, address_counter')
  const { rows } = await pool.query(`explain (analyze, format json) ${receivedQuery}`, [null, false])
  const loopsOf = (node: { 'Actual Loops': number; Plans?: [] }): number[] => [
    ...[node['Actual Loops']],
    ...(node.Plans ?? []).flatMap(loopsOf),
  ]
  const loops = loopsOf(rows[0]['QUERY PLAN'][0].Plan)
  assert(Math.max(...loops) < 100, loops.join())
})
