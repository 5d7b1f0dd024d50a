import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { realTransactions } from '../../../src/sandbox/chain/real-transactions.ts'
import { sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromHex } from '../../../src/tron/address.ts'
import { networks } from '../../../src/tron/network.ts'
import { createTronNode } from '../../../src/tron/node/node-client.ts'
import { askControl } from './ask-control.ts'

let sandbox: SandboxNode
const to = 'TBa4Nb96tj4jUx85tcqvyWYyFi7mowHVLJ'
const other = 'TQMXevvCisESgK479N4mG8TTkps1LCNiyb'

before(async () => {
  sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 2 })
})
after(() => sandbox.close())

test('what is sent over the control API is in the next block and found by the client', async () => {
  const one = await askControl(sandbox, 'send', { to, amount: '1.5' })
  const two = await askControl(sandbox, 'send', { to, amount: '0.000001', count: 2, from: other })
  const many = await askControl(sandbox, 'send-many', {
    payments: [
      { to, amount: '3' },
      { to: other, amount: '4' },
    ],
  })
  const fake = await askControl(sandbox, 'send', { to, amount: '9', token: sandboxAddresses.lookalike })
  const failed = await askControl(sandbox, 'send', { to, amount: '9', fail: 'OUT_OF_ENERGY' })
  const through = await askControl(sandbox, 'send', { to, amount: '5', through: sandboxAddresses.router })
  assert.equal(two.txids.length, 2)
  const { height } = sandbox.chain.head
  const state = await askControl(sandbox, 'mine', { blocks: 3 })
  assert.deepEqual([state.head.height, state.solid.height, state.pending], [height + 3, height + 1, 0])
  const node = createTronNode({
    headUrl: sandbox.url,
    solidUrl: sandbox.url,
    usdtContract: networks.sandbox.usdtContract!,
  })
  const block = await node.solidBlock(height + 1)
  await node.close()
  assert.equal(block!.transactionCount, 7)
  assert.deepEqual(
    block!.transfers.map(t => [t.txid, addressFromHex(t.toHex), t.amount]),
    [
      [one.txid, to, 1_500_000n],
      [two.txids[0], to, 1n],
      [two.txids[1], to, 1n],
      [many.txid, to, 3_000_000n],
      [many.txid, other, 4_000_000n],
      [through.txid, to, 5_000_000n],
    ],
  )
  assert(fake.txid && failed.txid)
})

test('transactions given by their facts are taken as given, once', async () => {
  const { txids } = await askControl(sandbox, 'include', { transactions: realTransactions })
  assert.deepEqual(
    txids,
    realTransactions.map(({ id }) => id),
  )
  const again = await askControl(sandbox, 'include', { transactions: [realTransactions[0]] }, 400)
  assert.match(again.error, /f52df87d.* is on this chain already/)
  await askControl(sandbox, 'mine', { blocks: 1 })
  assert.deepEqual(
    sandbox.chain.head.transactions.map(({ id }) => id),
    txids,
  )
})

test('a fork tells which blocks were orphaned, and may drop transactions', async () => {
  const { txid } = await askControl(sandbox, 'send', { to, amount: '1' })
  await askControl(sandbox, 'mine', { blocks: 1 })
  const { id } = sandbox.chain.head
  const forked = await askControl(sandbox, 'fork', { depth: 1, drop: [txid] })
  assert.deepEqual(
    forked.orphaned.map((block: { id: string; transactions: number }) => [block.id, block.transactions]),
    [[id, 1]],
  )
  assert.equal(sandbox.chain.blockOf(txid), undefined)
  assert.equal(forked.head.height, sandbox.chain.head.height)
})

test('the state names the chain, its heights and the addresses there are', async () => {
  const response = await fetch(`${sandbox.url}/sandbox/state`)
  const state = (await response.json()) as Record<string, unknown>
  assert.equal(state.genesisId, sandbox.chain.genesisId)
  assert.deepEqual(state.addresses, sandboxAddresses)
  assert.equal(state.solidificationDepth, 2)
  assert.equal(state.blockIntervalMs, null)
  assert.deepEqual(
    [state.head, state.solid].map(block => (block as { height: number }).height),
    [sandbox.chain.head.height, sandbox.chain.solid.height],
  )
})

test('a fork as it is asked for: dropped, late, spread and turned round', async () => {
  const sent: string[] = []
  for (let n = 0; n < 3; n++) sent.push((await askControl(sandbox, 'send', { to, amount: '1' })).txid)
  const [dropped, late, kept] = sent as [string, string, string]
  await askControl(sandbox, 'mine', { blocks: 1 })
  const options = { drop: [dropped], late: { txids: [late], blocks: 1 }, returns: 'spread', reversed: true }
  const forked = await askControl(sandbox, 'fork', { depth: 1, ...options })
  assert.equal(forked.pending, 1)
  assert.deepEqual(idsAt(forked.head.height), [kept])
  await askControl(sandbox, 'mine', { blocks: 1 })
  assert.deepEqual(idsAt(forked.head.height + 1), [late])
})

test('blocks are mined after missed slots, and with transactions in the order asked for', async () => {
  const [a, b] = (await askControl(sandbox, 'send', { to, amount: '1', count: 2 })).txids
  const { timeMs } = sandbox.chain.head
  const { head } = await askControl(sandbox, 'mine', { blocks: 1, missedSlots: 3, first: [b] })
  assert.deepEqual(idsAt(head.height), [b, a])
  assert(Date.parse(head.time) >= timeMs + 9_000)
})

test('one call leaves whatever logs are asked for; the truth tells what they came to', async () => {
  const { txid } = await askControl(sandbox, 'call', {
    logs: [
      { kind: 'event' },
      { kind: 'transfer', to, amount: '1.5' },
      { kind: 'transfer', to, amount: '9', token: sandboxAddresses.lookalike },
      { kind: 'nft', to, amount: '9' },
      { kind: 'dirty-topic', to, amount: '9' },
      { kind: 'transfer', to: other, from: to, amount: '0.000001' },
    ],
  })
  await askControl(sandbox, 'mine', { blocks: 3 })
  const { height } = sandbox.chain.blockOf(txid)!
  const truth = (await (await fetch(`${sandbox.url}/sandbox/truth`)).json()) as Record<string, unknown[]>
  const mine = (facts: unknown[]) => facts.filter(fact => (fact as { txid: string }).txid === txid)
  const place = { txid, height, txIndex: 0 }
  assert.deepEqual(mine(truth.transfers!), [
    { ...place, logIndex: 1, from: sandboxAddresses.payer, to, amount: '1500000' },
    { ...place, logIndex: 5, from: to, to: other, amount: '1' },
  ])
  assert.deepEqual(mine(truth.undecodable!), [{ ...place, logIndex: 4 }])
})

test('time skipped shows in the next block', async () => {
  const before = sandbox.chain.head.timeMs
  const { nextBlockNotBefore } = await askControl(sandbox, 'skip', { seconds: 7_200 })
  assert(Date.parse(nextBlockNotBefore) >= before + 7_200_000)
  const { head } = await askControl(sandbox, 'mine', { blocks: 1 })
  assert.equal(head.time, nextBlockNotBefore)
})

const refused: [path: string, body: unknown, sentence: RegExp][] = [
  ['send', {}, /the body must have required property 'to'/],
  ['send', { to }, /required property 'amount'/],
  ['send', { to: `${to.slice(0, -1)}K`, amount: '1' }, /^to is not a TRON address/],
  ['send', { to: '41a614f803b6fd780986a42c78ec9c7f77e6ded13c', amount: '1' }, /^to must be a TRON address/],
  ['send', { to, amount: 1 }, /^amount must be string/],
  ['send', { to, amount: '-1' }, /^amount must be USDT as decimal text/],
  ['send', { to, amount: '1e3' }, /^amount must be USDT as decimal text/],
  ['send', { to, amount: '0.0000001' }, /^amount must be USDT as decimal text/],
  ['send', { to, amount: '1', from: 'T' }, /^from must be a TRON address/],
  ['send', { to, amount: '1', token: `${to.slice(0, -1)}K` }, /^token is not a TRON address/],
  ['send', { to, amount: '1', fail: 'SUCCESS' }, /^fail must be one of REVERT, OUT_OF_ENERGY, OUT_OF_TIME/],
  ['send', { to, amount: '1', count: 0 }, /^count must be >= 1/],
  ['send', { to, amount: '1', count: '2' }, /^count must be integer/],
  ['send', { to, amount: '1', memo: 'x' }, /^the body has no field memo/],
  ['send', [], /^the body must be object/],
  ['send-many', { payments: [] }, /^payments must NOT have fewer than 1 items/],
  ['send-many', { payments: [{ to }] }, /^payments.0 must have required property 'amount'/],
  [
    'include',
    { transactions: [{ id: 'x', logs: [] }] },
    /^transactions.0.id must be 64 lower-case hex digits/,
  ],
  [
    'include',
    { transactions: [{ id: 'ab'.repeat(32), logs: [{ address: 'x' }] }] },
    /address must be 40 lower-case hex/,
  ],
  [
    'include',
    { transactions: [{ id: 'ab'.repeat(32), logs: [], result: 'OK' }] },
    /result must be one of SUCCESS/,
  ],
  ['mine', {}, /required property 'blocks'/],
  ['mine', { blocks: 1_000_000 }, /^blocks must be <= 10000/],
  ['mine', { blocks: 1, first: ['ab'.repeat(32)] }, /^transaction abab.* does not wait for block/],
  ['mine', { blocks: 1, missedSlots: -1 }, /^missedSlots must be >= 0/],
  ['call', { logs: [] }, /^logs must NOT have fewer than 1 items/],
  ['call', { logs: [{ kind: 'swap' }] }, /^logs.0.kind must be one of transfer, approval, nft/],
  ['call', { logs: [{ kind: 'transfer', to: `${to.slice(0, -1)}K` }] }, /^to is not a TRON address/],
  ['skip', { seconds: 0 }, /^seconds must be >= 1/],
  ['fork', { depth: 1, returns: 'never' }, /^returns must be one of top, spread/],
  ['fork', { depth: 1, late: { txids: [] } }, /^late must have required property 'blocks'/],
  ['fork', { depth: 3 }, /a fork can be 1 to 2 deep here/],
  ['fork', { depth: 1, drop: ['ab'.repeat(32)] }, /is not in the 1 blocks to be replaced/],
]
for (const [path, body, sentence] of refused) {
  test(`refused with a sentence: ${path} ${JSON.stringify(body).slice(0, 90)}`, async () => {
    const before = { head: sandbox.chain.head, pending: sandbox.chain.pendingCount }
    const { error } = await askControl(sandbox, path, body, 400)
    assert.match(error, sentence)
    assert.deepEqual({ head: sandbox.chain.head, pending: sandbox.chain.pendingCount }, before)
  })
}

test('a body that is no JSON is a 400', async () => {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${sandbox.url}/sandbox/mine`, { method: 'POST', headers, body: '{"blocks":' })
  assert.equal(response.status, 400)
  assert.match(((await response.json()) as { error: string }).error, /not valid JSON/)
})

function idsAt(height: number): string[] {
  return sandbox.chain.block(height)!.transactions.map(({ id }) => id)
}
