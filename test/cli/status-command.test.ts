import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createCursor } from '../../src/blocks/chain-store.ts'
import { addNodeCalls, type StoredNode, writeNodes } from '../../src/blocks/node-store.ts'
import { singleSourceWarning } from '../../src/blocks/single-source.ts'
import { addStatusCommand } from '../../src/cli/status-command.ts'
import { readStatus } from '../../src/credits/read-status.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { cloneDatabase, type TestDatabase } from '../support/database.ts'
import { seedAddress } from '../support/seed.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

function status(t: TestContext, { url }: TestDatabase, ...args: string[]) {
  process.env.DATABASE_URL = url
  return commandInProcess(t, addStatusCommand, 'status', ...args)
}
const node = (name: string, given: Partial<StoredNode> = {}): StoredNode => ({
  ...{ node: name, host: name, transport: 'http', state: 'ok', why: '', solidHeight: 110 },
  ...{ until: null, quota: null },
  ...given,
})

async function watching(network: string): Promise<TestDatabase> {
  const database = await cloneDatabase()
  const pin = { network, genesisId: 'ab'.repeat(32), usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' }
  await createCursor(database.pool, pin, { height: 100, hash: 'cd'.repeat(32), time: new Date() })
  return database
}

test('before the first start there is nothing to say', async t => {
  const database = await cloneDatabase()
  assert.match(await status(t, database), /nothing is watched yet/)
  assert.equal(await status(t, database, '--json'), 'null')
})

test('cursor, nodes, what is left of their day, what waits and what is wrong are read from the database alone', async t => {
  const database = await watching('nile')
  const { pool } = database
  const day = new Date().toISOString().slice(0, 10)
  await writeNodes(pool, [
    node('a', { quota: 100_000 }),
    node('b', { state: 'failing', why: 'broken', solidHeight: null, until: new Date() }),
  ])
  await addNodeCalls(pool, [{ node: 'a', day, calls: 40_000 }])
  await pool.query(
    `insert into contract_event (txid, log_index, event, block_height, block_time) values ('aa', 0, 'Pause', 5, now())`,
  )
  const read = JSON.parse(await status(t, database, '--json'))
  assert.deepEqual([read.network, read.cursor.height, read.cursor.blocksBehind], ['nile', 100, 10])
  assert.deepEqual(
    read.nodes.map(({ node, state, callsToday, quotaLeft }: (typeof read.nodes)[0]) => [
      ...[node, state, callsToday, quotaLeft],
    ]),
    [
      ['a', 'ok', 40_000, 60_000],
      ['b', 'failing', 0, null],
    ],
  )
  assert.deepEqual(read.waiting, { held: 0, proof: 0, quarantined: 0, unclaimed: 0 })
  assert.deepEqual([read.alarms, read.warnings], [['contract'], []])
  const printed = await status(t, database)
  for (const part of ['block 100', '10 blocks behind', 'contract', '60000', 'broken', 'no quota']) {
    assert(printed.includes(part), `${part} in ${printed}`)
  }
})

test('a cursor that does not move, and a watcher that says nothing, are shown', async () => {
  const { pool } = await watching('mainnet')
  await writeNodes(pool, [node('a'), node('b', { solidHeight: 141 })])
  assert.deepEqual((await readStatus(pool, new Date()))!.alarms, ['lag'])
  await writeNodes(pool, [node('a', { solidHeight: 100 }), node('b', { solidHeight: 100 })])
  assert.deepEqual((await readStatus(pool, new Date()))!.alarms, [])
  const later = (await readStatus(pool, new Date(Date.now() + 600_000)))!
  assert.deepEqual(later.alarms, ['lag'])
  assert.match(later.warnings[0]!.text, /no watcher has reported for \d+ s/)
})

test('a transfer that waits for proof is counted at once, and an alarm after a minute', async () => {
  const { pool } = await watching('nile')
  await seedAddress(pool, { merchantId: (await seedMerchant(pool)).id })
  await pool.query(
    `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash,
                                block_time, tx_index, node, hosts)
     select $1, 0, id, 'T', 1000000, 100, $2, now(), 0, 'a', '{a}'
       from deposit_address`,
    ['ab'.repeat(32), 'cd'.repeat(32)],
  )
  const at = async (ms: number) => (await readStatus(pool, new Date(Date.now() + ms)))!
  assert.deepEqual([(await at(0)).waiting.proof, (await at(0)).alarms], [1, []])
  await pool.query(`update pending_proof set created_at = now() - interval '2 minutes'`)
  assert.deepEqual((await at(0)).alarms, ['unproven'])
})

test('one HTTP host on the main network is warned of; a second host, gRPC or another network is not', async () => {
  const { pool } = await watching('mainnet')
  await writeNodes(pool, [node('a'), node('a#2', { host: 'a' })])
  const { warnings } = (await readStatus(pool, new Date()))!
  assert.deepEqual(
    warnings.map(({ kind }) => kind),
    ['single_source'],
  )
  assert.match(warnings[0]!.text, /CREDIT_ALONE_AMOUNT may wait/)
  const [http, grpc] = [
    { host: 'a', transport: 'http' },
    { host: 'a', transport: 'grpc' },
  ] as const
  assert.equal(singleSourceWarning('mainnet', [http, { ...http, host: 'b' }]), null)
  assert.equal(singleSourceWarning('mainnet', [grpc]), null)
  assert.equal(singleSourceWarning('nile', [http]), null)
  assert.equal(singleSourceWarning('mainnet', []), null)
})
