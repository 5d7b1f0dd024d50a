import assert from 'node:assert/strict'
import { hostname, userInfo } from 'node:os'
import { after, afterEach, type TestContext, test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { createCursor, readCursor } from '../../src/blocks/chain-store.ts'
import { addHeldCommands } from '../../src/cli/held-commands.ts'
import { addQuarantineCommands } from '../../src/cli/quarantine-commands.ts'
import { addRescanCommands } from '../../src/cli/rescan-commands.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { oneHost } from '../../src/credits/proof-policy.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { startNodeView } from '../../src/sandbox/node-view.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import { createTronNode } from '../../src/tron/node/node-client.ts'
import { addAddress, addMerchant } from '../credits/credited-chain.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { cloneDatabase } from '../support/database.ts'

// The commands in this process, against two sandbox nodes on one chain. What was followed came from the first.
const first = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
const second = await startNodeView(first.chain)
const { usdt: usdtContract } = sandboxAddresses
const node = createTronNode({ headUrl: first.url, solidUrl: first.url, usdtContract })
after(async () => {
  await node.close()
  await second.close()
  await first.close()
})
const { pool, url } = await cloneDatabase()
process.env.DATABASE_URL = url
const bothNodes = `${first.url},${second.url}`
process.env.TRON_NODES = bothNodes
process.env.CREDIT_QUORUM_AMOUNT = '100'
afterEach(() => {
  first.faults.clear()
  second.faults.clear()
  process.env.TRON_NODES = bothNodes
})

const to = addressFromBytes(bytesFor('u1'))
const pin = { network: 'sandbox', genesisId: first.chain.genesisId, usdtContract }
await createCursor(pool, pin, await node.solidHead())
await addMerchant(pool)
await addAddress(pool, 'u1')
const us = `command line ${userInfo().username}@${hostname()}`

/** Runs `gateway ...` in this process. @returns what it printed. */
function gateway(t: TestContext, ...args: string[]): Promise<string> {
  return commandInProcess(
    t,
    program => [addHeldCommands, addQuarantineCommands, addRescanCommands].map(add => add(program)),
    ...args,
  )
}

/** Pays above the quorum amount and follows from the first node. @returns the held transfer's id and block. */
async function payHeld(amount: bigint): Promise<{ id: string; height: number }> {
  first.chain.add([makePayment(first.chain.stamp(), [{ to, amount: usdt(amount * 1_000_000n) }])])
  first.chain.mine(2)
  for (;;) {
    const cursor = (await readCursor(pool))!
    const block = await node.solidBlock(cursor.height + 1)
    if (!block) break
    const rules = { ...pin, graceMs: 0, quorumAmount: usdt(100_000_000n) }
    const named = { ...block, node: new URL(first.url).host }
    await creditBlocks(pool, rules, cursor, [named])
  }
  const { rows } = await pool.query(
    `select t.id, t.block_height as height from waiting_transfer w join transfer t on t.id = w.transfer_id
      where w.reason = 'held' order by t.id desc limit 1`,
  )
  return { id: `${rows[0].id}`, height: rows[0].height }
}

async function lastEvent() {
  const { rows } = await pool.query(`select actor, action, reason from audit_event order by id desc limit 1`)
  return [rows[0]?.actor, rows[0]?.action, rows[0]?.reason]
}

test('reject is refused while the second node confirms, or cannot be asked; a rescan takes up what was rejected wrongly', async t => {
  assert.equal(await gateway(t, 'held', 'list'), 'nothing is held')
  const { id, height } = await payHeld(500n)
  const [listed] = JSON.parse(await gateway(t, 'held', 'list', '--json'))
  assert.deepEqual(
    [listed.id, listed.usdt, listed.address, listed.node],
    [id, '500', to, new URL(first.url).host],
  )
  const reject = (...more: string[]) => gateway(t, 'held', 'reject', id, '--reason', 'made up', ...more)
  await assert.rejects(reject(), /a second node confirms it/)
  second.faults.set({ kind: 'unavailable' })
  await assert.rejects(reject(), /no second node could be asked .*--without-nodes/)
  second.faults.clear()
  process.env.TRON_NODES = first.url
  await assert.rejects(reject(), /no second node could be asked .*--without-nodes/)
  delete process.env.TRON_NODES
  await assert.rejects(reject(), /no second node could be asked \(TRON_NODES is empty\)/)
  assert.equal(await gateway(t, 'held', 'list', '--rejected'), 'nothing is rejected')
  assert.match(await reject('--without-nodes'), new RegExp(`^transfer ${id}: rejected$`))
  assert.match(await reject('--without-nodes'), /is rejected already$/)
  assert.deepEqual(await lastEvent(), [us, 'held.rejected', 'made up'])
  const [rejected] = JSON.parse(await gateway(t, 'held', 'list', '--rejected', '--json'))
  assert.deepEqual([rejected.id, rejected.reason, rejected.rejectedBy], [id, 'made up', us])

  process.env.TRON_NODES = bothNodes
  const rescanned = await gateway(t, 'rescan', '--from', `${height}`, '--to', `${height}`, '--by', 'bob')
  assert.match(rescanned, /1 rejected ones are confirmed and taken up/)
  assert.deepEqual(await lastEvent(), ['command line bob', 'blocks.rescanned', null])
  assert.equal(await gateway(t, 'held', 'list'), 'nothing is held')
  await assert.rejects(reject('--without-nodes'), /cannot be rejected: it is unclaimed/)
})

test('what the second node denies is rejected, reopened and released, each by somebody and for a reason', async t => {
  const { id } = await payHeld(600n)
  // All but the genesis: with another one it would be a node of another chain.
  second.faults.set({ kind: 'other-hash', heights: { from: 1, to: 1_000_000 } })
  const run = (name: string, ...more: string[]) =>
    gateway(t, 'held', name, id, '--reason', `why ${name}`, ...more)
  assert.match(await run('reject', '--by', 'alice'), /: rejected$/)
  assert.deepEqual(await lastEvent(), ['command line alice', 'held.rejected', 'why reject'])
  await assert.rejects(run('release'), /cannot be released: it is rejected/)
  assert.match(await run('reopen'), /: held$/)
  assert.deepEqual(await lastEvent(), [us, 'held.reopened', 'why reopen'])
  assert.match(await run('release'), /: unclaimed$/)
  assert.deepEqual(await lastEvent(), [us, 'held.released', 'why release'])
})

test('a log that nobody can decode is rejected, listed and reopened', async t => {
  const { rows } = await pool.query(
    `insert into quarantine (txid, log_index, block_height, tx_index, reason, log)
     values (repeat('ab', 32), 1, 5, 0, 'not understood', '{"data":"ff"}') returning id`,
  )
  const id = `${rows[0].id}`
  const reason = ['--reason', 'not money']
  assert.equal(await gateway(t, 'quarantine', 'reject', id, ...reason), `quarantine ${id}: rejected`)
  assert.equal(await gateway(t, 'quarantine', 'list'), 'nothing is quarantined')
  const [rejected] = JSON.parse(await gateway(t, 'quarantine', 'list', '--rejected', '--json'))
  assert.deepEqual(
    [rejected.id, rejected.what, rejected.reason, rejected.rejectedBy, rejected.log],
    [id, 'log', 'not money', us, { data: 'ff' }],
  )
  assert.equal(await gateway(t, 'quarantine', 'reopen', id, ...reason), `quarantine ${id}: quarantined`)
  assert.match(await gateway(t, 'quarantine', 'list'), /not understood/)
})

test('no reason, a reason or a name that is not one line, an id that is none: nothing is done', async t => {
  for (const [args, said] of [
    [['held', 'reject', '1'], /required option '--reason/],
    [['held', 'reject', '1', '--reason', '  '], /--reason: 1 to 500 characters/],
    [['held', 'reopen', '1', '--reason', 'x'.repeat(501)], /--reason: 1 to 500 characters/],
    [['held', 'release', '1', '--reason', 'a\u001b[2J'], /--reason: 1 to 500 characters/],
    [['held', 'release', '1', '--reason', 'a', '--by', ''], /--by: 1 to 100 characters/],
    [['held', 'release', '1', '--reason', 'a', '--by', 'a\0b'], /--by: 1 to 100 characters/],
    [['held', 'release', 'x', '--reason', 'a'], /is not an id/],
    [['held', 'release', '-1', '--reason', 'a'], /unknown option|is not an id/],
    [['held', 'release', '999', '--reason', 'a'], /there is no transfer 999/],
    [['held', 'reject', '999', '--reason', 'a'], /there is no transfer 999/],
    [['quarantine', 'reject', '999', '--reason', 'a'], /there is no quarantine 999/],
    [['quarantine', 'reopen', '999'], /required option '--reason/],
  ] as [string[], RegExp][]) {
    await assert.rejects(gateway(t, ...args), said, args.join(' '))
  }
})

/** Pays and follows from the first node, as a log that nobody signed: with two hosts it waits for proof. */
async function payUnproved(amount: bigint): Promise<{ id: string; height: number }> {
  first.chain.add([makePayment(first.chain.stamp(), [{ to, amount: usdt(amount * 1_000_000n) }])])
  first.chain.mine(2)
  for (;;) {
    const cursor = (await readCursor(pool))!
    const block = await node.solidBlock(cursor.height + 1)
    if (!block) break
    const proof = { ...oneHost, hosts: 2 }
    const transfers = block.transfers.map(transfer => ({ ...transfer, signed: false }))
    const named = { ...block, transfers, node: new URL(first.url).host }
    await creditBlocks(pool, { ...pin, graceMs: 0, quorumAmount: null, proof }, cursor, [named])
  }
  const { rows } = await pool.query(
    `select 'p' || id as id, block_height as height from pending_proof where ended_at is null order by id desc limit 1`,
  )
  return rows[0]
}

test('what waits for proof is listed with a p, and released, rejected and reopened as what is held', async t => {
  const { id } = await payUnproved(30n)
  const run = (name: string, ...more: string[]) =>
    gateway(t, 'held', name, id, '--reason', `why ${name}`, ...more)
  const list = JSON.parse(await gateway(t, 'held', 'list', '--json'))
  const listed = list.find((one: { id: string }) => one.id === id)
  assert.deepEqual([listed.usdt, listed.address, listed.behind], ['30', to, 0])
  assert.match(listed.note, /^waits for proof: shown by .*, denied by none$/)
  // The second node shows it, so it cannot be rejected with the nodes asked.
  await assert.rejects(run('reject'), /a second node confirms it/)
  delete process.env.TRON_NODES
  await assert.rejects(run('reject'), /no second node could be asked \(TRON_NODES is empty\)/)
  assert.equal(await run('reject', '--without-nodes', '--by', 'alice'), `transfer ${id}: rejected`)
  assert.deepEqual(await lastEvent(), ['command line alice', 'proof.rejected', 'why reject'])
  assert.match(await run('reject', '--without-nodes'), /is rejected already$/)
  await assert.rejects(run('release'), /cannot be released: it is rejected/)
  const rejected = JSON.parse(await gateway(t, 'held', 'list', '--rejected', '--json'))
  assert.deepEqual(
    rejected
      .filter((one: { id: string }) => one.id === id)
      .map((one: Record<string, string>) => [one.reason, one.rejectedBy]),
    [['why reject', 'command line alice']],
  )
  assert.equal(await run('reopen'), `transfer ${id}: unproved`)
  assert.deepEqual(await lastEvent(), [us, 'proof.reopened', 'why reopen'])
  assert.equal(await run('release'), `transfer ${id}: unclaimed`)
  assert.deepEqual(await lastEvent(), [us, 'proof.released', 'why release'])
  assert.match(await run('release'), /is unclaimed already$/)
  await assert.rejects(gateway(t, 'held', 'release', 'p999', '--reason', 'none'), /there is no transfer p999/)
  await assert.rejects(gateway(t, 'held', 'release', 'px', '--reason', 'none'), /"x" is not an id/)
  const { rows } = await pool.query(
    `select p.proof, p.hosts from transfer_proof p order by transfer_id desc limit 1`,
  )
  assert.deepEqual(rows, [{ proof: 'alone', hosts: [new URL(first.url).host] }])
})

test('a rescan takes up what was rejected by hand once a second host shows it', async t => {
  const { id, height } = await payUnproved(31n)
  await gateway(t, 'held', 'reject', id, '--reason', 'wrong', '--without-nodes')
  const rescanned = await gateway(t, 'rescan', '--from', `${height}`, '--to', `${height}`)
  assert.match(rescanned, /1 transfers were missing, 1 rejected ones are confirmed and taken up/)
  await assert.rejects(
    gateway(t, 'held', 'reopen', id, '--reason', 'x'),
    /cannot be reopened: it is unclaimed/,
  )
})
