import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, afterEach, test } from 'node:test'
import type { MerchantId } from '../../../../src/base/ids.ts'
import { usdt } from '../../../../src/base/money.ts'
import { createPool } from '../../../../src/db/pool.ts'
import {
  makePayment,
  type PaymentOptions,
  sandboxAddresses,
} from '../../../../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, type TronAddress } from '../../../../src/tron/address.ts'
import {
  type AskingOptions,
  openTransactionAsker,
} from '../../../../src/web/console/asking/ask-transaction.ts'
import { takeLookUpTurn } from '../../../../src/web/console/asking/look-up-turn-store.ts'
import { lookUpTransfer } from '../../../../src/web/console/search/look-up-transfer.ts'
import { cloneDatabase } from '../../../support/database.ts'
import { recordLog } from '../../../support/recorded-log.ts'
import { seedAddress } from '../../../support/seed.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'
import { hang, refuse, startFakeNode } from '../../../tron/node/fake-node.ts'

const { url, pool } = await cloneDatabase()
const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 5 })
const { chain } = sandbox
const { genesisId } = chain
await pool.query(
  `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
   values ('sandbox', $1, $2, 1, $3, repeat('1', 64), now())`,
  [genesisId, sandboxAddresses.usdt, chain.solid.height],
)
const [mine, other] = [await seedMerchant(pool), await seedMerchant(pool)]
const { address } = await seedAddress(pool, { merchantId: mine.id })
const { address: others } = await seedAddress(pool, { merchantId: other.id })
const nobodys = addressFromBytes(randomBytes(20))

/** Turns come at once, so that the tests do not wait a second for each call. */
let turns: NodeJS.Timeout | undefined
const startTurns = () => {
  // The last may find the database closed.
  turns = setInterval(() => pool.query('delete from look_up_turn').catch(() => undefined), 20)
}
const stopTurns = () => clearInterval(turns)
startTurns()
const askers: { close(): Promise<void> }[] = []
after(async () => {
  stopTurns()
  for (const asker of askers) await asker.close()
  await sandbox.close()
})
afterEach(() => sandbox.faults.clear())

function openAsker(config: Partial<AskingOptions['config']> = {}, log = recordLog().log) {
  const asker = openTransactionAsker({
    ...{ pool, log },
    config: {
      tronNodes: [nodeAt(sandbox.url)],
      trongridApiKey: undefined,
      nodeRequestsPerDay: undefined,
      ...config,
    },
  })
  askers.push(asker)
  return asker
}

function nodeAt(at: string) {
  return { headUrl: at, solidUrl: at, jsonRpcUrl: undefined }
}

/** Puts a payment into a block at the head. */
function pay(to: TronAddress | readonly TronAddress[], options: PaymentOptions = {}): string {
  const payments = [to].flat().map(one => ({ to: one, amount: usdt(5_000_000n) }))
  const transaction = makePayment(chain.stamp(), payments, options)
  chain.add([transaction])
  chain.mine()
  return transaction.id
}

const lookUp = (txid: string, scope: MerchantId | null = mine.id, asker = openAsker()) =>
  lookUpTransfer(pool, asker, scope, txid)
const moveCursor = (height: number) => pool.query('update chain_cursor set height = $1', [height])
const callsCounted = async () =>
  Number((await pool.query('select coalesce(sum(calls), 0) as calls from node_day')).rows[0].calls)

test('a payment that is not solid yet says how many blocks are to go, one that should be recorded says so', async () => {
  const txid = pay(address)
  const { height, timeMs } = chain.head
  await moveCursor(chain.solid.height)
  const at = { node: null, height, time: new Date(timeMs), transfers: [{ address, amount: 5_000_000n }] }
  const blocksToGo = height - chain.solid.height
  assert(blocksToGo > 0)
  assert.deepEqual(await lookUp(txid), { kind: 'not_yet', blocksToGo, ...at })
  // An admin is told which node says so.
  const said = await lookUp(txid, null)
  assert.equal('node' in said && said.node, new URL(sandbox.url).host)
  await moveCursor(height)
  assert.deepEqual(await lookUp(txid), { kind: 'missing', ...at })
  await pool.query('update deposit_address set watched_from = $1 where address = $2', [height + 1, address])
  assert.deepEqual(await lookUp(txid), { kind: 'before', ...at })
  await pool.query('update deposit_address set watched_from = null')
  await moveCursor(chain.solid.height)
})

test('of a transaction that pays no address of ours it is said what it did', async () => {
  const kinds: [txid: string, kind: string, more?: object][] = [
    [randomBytes(32).toString('hex'), 'unknown'],
    [pay(nobodys), 'elsewhere', { to: [nobodys] }],
    [pay(address, { fail: 'OUT_OF_ENERGY' }), 'failed'],
    // Its logs were kept, and what they say did not happen.
    [pay(address, { fail: 'OUT_OF_TIME' }), 'failed'],
    [
      pay(address, { token: sandboxAddresses.lookalike }),
      'other_token',
      { toOwn: true, contract: sandboxAddresses.lookalike },
    ],
    [
      pay(nobodys, { token: sandboxAddresses.lookalike }),
      'other_token',
      { toOwn: false, contract: sandboxAddresses.lookalike },
    ],
  ]
  const plain = randomBytes(32).toString('hex')
  chain.add([{ id: plain, logs: [] }])
  chain.mine()
  kinds.push([plain, 'no_token'])
  const [http, grpc] = [openAsker(), openAsker({ tronNodes: [nodeAt(sandbox.grpcUrl)] })]
  for (const [txid, kind, more = {}] of kinds) {
    const answer = await lookUp(txid, mine.id, http)
    assert.deepEqual({ ...answer, kind, ...more }, answer, kind)
    assert.deepEqual(await lookUp(txid, mine.id, grpc), answer)
  }
})

test('a payment to another merchant reads like one to nobody, recorded or not; an admin sees whose it is', async () => {
  const theirs = pay(others)
  const strangers = pay(nobodys)
  const [one, two] = [await lookUp(theirs), await lookUp(strangers)]
  assert.deepEqual(Object.keys(one), Object.keys(two))
  assert.deepEqual(
    { ...one, to: [nobodys] },
    { ...two, height: 'height' in one && one.height, time: 'time' in one && one.time },
  )
  assert.equal((await lookUp(theirs, null)).kind, 'not_yet')
  await moveCursor(chain.head.height)
  assert.deepEqual(await lookUp(theirs), one)
  await moveCursor(chain.solid.height)
  // Of a transaction that pays both, each is told of its own.
  const both = pay([others, address, nobodys])
  const own = await lookUp(both)
  assert.deepEqual('transfers' in own && own.transfers, [{ address, amount: 5_000_000n }])
  // In another token it is to none of ours as well.
  const token = await lookUp(pay(others, { token: sandboxAddresses.lookalike }))
  assert.equal('toOwn' in token && token.toOwn, false)
})

test('each call counts against the day, and a question asked again soon asks nobody', async () => {
  const [counted, made] = [await callsCounted(), sandbox.counts.calls]
  const asker = openAsker()
  const txid = pay(nobodys)
  const [first] = await Promise.all([
    lookUp(txid, mine.id, asker),
    lookUp(txid, null, asker),
    lookUp(txid, other.id, asker),
  ])
  assert.equal(first.kind, 'elsewhere')
  await lookUp(txid, mine.id, asker)
  // Its chain was checked, then it was asked once.
  assert.equal(sandbox.counts.calls - made, 2)
  assert.equal((await callsCounted()) - counted, 2)
})

test('what crediting needs of the day’s calls is not touched', async () => {
  const made = sandbox.counts.calls
  const asker = openAsker({ nodeRequestsPerDay: 1_000 })
  assert.deepEqual(await lookUp(pay(address), mine.id, asker), { kind: 'unasked', why: 'quota' })
  assert.equal(sandbox.counts.calls, made)
})

test('one merchant cannot use up what all may ask: after some questions in a minute it is told so, others are not', async () => {
  const asker = openAsker()
  const txids = Array.from({ length: 21 }, () => randomBytes(32).toString('hex'))
  const kinds = []
  for (const txid of txids) kinds.push((await lookUp(txid, mine.id, asker)).kind)
  assert.deepEqual([...new Set(kinds.slice(0, 20))], ['unknown'])
  const made = sandbox.counts.calls
  assert.deepEqual(await lookUp(txids[20]!, mine.id, asker), { kind: 'unasked', why: 'busy' })
  assert.equal(sandbox.counts.calls, made)
  assert.equal((await lookUp(txids[20]!, other.id, asker)).kind, 'unknown')
})

test('of all processes one has the turn, and without a turn nobody is asked', async () => {
  stopTurns()
  await pool.query('delete from look_up_turn')
  const second = createPool(url)
  after(() => second.end())
  const takers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => takeLookUpTurn(i % 2 ? pool : second)),
  )
  assert.equal(takers.filter(Boolean).length, 1)
  const [{ ahead }] = (await pool.query("select next_at - now() > interval '0' as ahead from look_up_turn"))
    .rows
  if (ahead) assert.equal(await takeLookUpTurn(second), false)
  await pool.query(`update look_up_turn set next_at = now() - interval '1 ms'`)
  assert.equal(await takeLookUpTurn(second), true)
  await pool.query(`update look_up_turn set next_at = now() + interval '1 hour'`)
  const made = sandbox.counts.calls
  const asker = openAsker()
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => lookUp(randomBytes(32).toString('hex'), null, asker)),
  )
  for (const answer of answers) assert.equal(answer.kind, 'unasked')
  // Those that would have waited for long are told at once.
  assert(answers.some(answer => answer.kind === 'unasked' && answer.why === 'busy'))
  assert.equal(sandbox.counts.calls, made)
  startTurns()
})

test('a node that fails, hangs, is of another chain or lies about what it was asked is not believed: the next one is', async () => {
  const foreign = await startFakeNode({ chain: 'another' })
  const broken = await startFakeNode({ behave: () => refuse(502, '<html>') })
  const wrong = await startFakeNode({
    behave: ({ path }) =>
      path.endsWith('/getblockbynum')
        ? { blockID: genesisId, block_header: { raw_data: { parentHash: '0'.repeat(64) } } }
        : { id: 'ab'.repeat(32), blockNumber: 1, blockTimeStamp: 1, receipt: { result: 'SUCCESS' } },
  })
  after(() => Promise.all([foreign.close(), broken.close(), wrong.close()]))
  const txid = pay(nobodys)
  for (const bad of [foreign, broken, wrong]) {
    const { log, lines } = recordLog()
    const asker = openAsker({ tronNodes: [nodeAt(bad.url), nodeAt(sandbox.url)] }, log)
    const answer = await lookUp(txid, null, asker)
    assert.equal(answer.kind, 'elsewhere')
    assert.equal(lines('console.node_failed').length, 1)
    const alone = openAsker({ tronNodes: [nodeAt(bad.url)] })
    assert.deepEqual(await lookUp(txid, null, alone), { kind: 'unasked', why: 'failed' })
  }
  const silent = await startFakeNode({ behave: () => hang })
  after(() => silent.close())
  assert.deepEqual(await lookUp(txid, null, openAsker({ tronNodes: [nodeAt(silent.url)] })), {
    kind: 'unasked',
    why: 'failed',
  })
})

test('an answer that cannot be read is none', async () => {
  const txid = randomBytes(32).toString('hex')
  const info = { id: txid, blockNumber: 1, blockTimeStamp: 1, receipt: { result: 'SUCCESS' } }
  const usdtLog = { address: 'a614f803b6fd780986a42c78ec9c7f77e6ded13c', topics: ['zz'], data: '' }
  const answers: unknown[] = [
    [],
    'text',
    { id: txid, blockNumber: -1 },
    { ...info, blockNumber: 2 ** 53 },
    { ...info, log: 'none' },
    { ...info, log: [{ address: '41' }] },
    { ...info, log: [usdtLog] },
    { Error: 'class java.lang.NullPointerException' },
  ]
  for (const said of answers) {
    const node = await startFakeNode({
      behave: ({ path }) =>
        path.endsWith('/getblockbynum')
          ? { blockID: genesisId, block_header: { raw_data: { parentHash: '0'.repeat(64) } } }
          : (said as object),
    })
    const asker = openAsker({ tronNodes: [nodeAt(node.url)] })
    assert.deepEqual(
      await lookUp(txid, null, asker),
      { kind: 'unasked', why: 'failed' },
      JSON.stringify(said),
    )
    await node.close()
  }
})

test('nodes that the watcher lets rest are left alone, and those it finds well are asked first', async () => {
  const names = [new URL(sandbox.url).host, `${new URL(sandbox.url).host}#2`]
  const state = (state: string, until: string) =>
    pool.query(
      `insert into node_status (node, host, transport, state, why, until) values ($1, 'h', 'http', $2, 'why', now() + $3::interval)
       on conflict (node) do update set state = excluded.state, until = excluded.until`,
      [names[0], state, until],
    )
  const asker = openAsker({ tronNodes: [nodeAt(sandbox.url), nodeAt(sandbox.url)] })
  const nodeOf = async () => {
    const said = await lookUp(pay(nobodys), null, asker)
    return 'node' in said ? said.node : said
  }
  assert.equal(await nodeOf(), names[0])
  await state('distrusted', '-1 s')
  assert.equal(await nodeOf(), names[1])
  await state('later', '1 hour')
  assert.equal(await nodeOf(), names[1])
  await pool.query('delete from node_status')
})

test('without nodes, or before a chain is followed, nobody is asked', async () => {
  assert.deepEqual(await lookUp('ab'.repeat(32), null, openAsker({ tronNodes: [] })), {
    kind: 'unasked',
    why: 'no_nodes',
  })
  const { pool: empty } = await cloneDatabase()
  const asker = openTransactionAsker({
    ...{ pool: empty, log: recordLog().log },
    config: { tronNodes: [nodeAt(sandbox.url)], trongridApiKey: undefined, nodeRequestsPerDay: undefined },
  })
  assert.deepEqual(await lookUpTransfer(empty, asker, null, 'ab'.repeat(32)), {
    kind: 'unasked',
    why: 'not_watched',
  })
})
