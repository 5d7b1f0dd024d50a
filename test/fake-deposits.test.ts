import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { createLog } from '../src/base/log.ts'
import { readCursor } from '../src/blocks/chain-store.ts'
import { followChain } from '../src/blocks/follow-chain.ts'
import { openChain } from '../src/blocks/open-chain.ts'
import { creditBlocks } from '../src/credits/credit-blocks.ts'
import { addressWord, type CallResult, transferLog } from '../src/sandbox/chain/transaction-facts.ts'
import { startSandboxNode } from '../src/sandbox/sandbox-node.ts'
import { addressFromBytes, addressToHex, type TronAddress } from '../src/tron/address.ts'
import { networks } from '../src/tron/network.ts'
import { createTronNode } from '../src/tron/node/node-client.ts'
import { type NodeLog, transferTopic } from '../src/tron/transfer-log.ts'
import { bytesFor } from './support/chain-blocks.ts'
import { cloneDatabase } from './support/database.ts'
import { alwaysOpen, seedAddress, seedOrder } from './support/seed.ts'
import { anyShop, seedMerchant } from './support/seed-merchant.ts'
import { waitUntil } from './support/wait-until.ts'

// Attacks one by one: a transaction on a real chain behind a real node, followed as ever. Each has a user with an open
// order of its own, so that what is credited, wrongly or rightly, is seen at once.
const usdt = networks.sandbox.usdtContract!
const otherToken = addressFromBytes(bytesFor('counterfeit'))
const payer = addressFromBytes(bytesFor('payer'))
const approvalTopic = '8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925'
const usdtHex = addressToHex(usdt)
const word = (value: bigint) => value.toString(16).padStart(64, '0')
const amount = 5_000_000n

interface Attack {
  name: string
  logs: (to: TronAddress) => NodeLog[]
  /** Absent for what is no contract's call. */
  result?: CallResult | null
  contract?: TronAddress
  /** What is credited, in base units. Default: nothing. */
  credited?: bigint
  /** What is parked for a person. Default: nothing. */
  quarantined?: number
}

const pay = (to: TronAddress, units = amount) => transferLog(usdt, payer, to, units)
const failed: CallResult[] = [
  'REVERT',
  'OUT_OF_ENERGY',
  'OUT_OF_TIME',
  'ILLEGAL_OPERATION',
  'JVM_STACK_OVER_FLOW',
  'TRANSFER_FAILED',
]

const attacks: Attack[] = [
  {
    name: 'a token of the same name under another contract',
    logs: to => [transferLog(otherToken, payer, to, amount)],
    contract: otherToken,
  },
  { name: 'TRX or a TRC-10 token, which is no contract call and has no logs', logs: () => [], result: null },
  ...failed.map(result => ({
    name: `a transaction that ends in ${result} and keeps its logs`,
    logs: (to: TronAddress) => [pay(to)],
    result,
  })),
  { name: 'logs without a result', logs: to => [pay(to)], result: null },
  {
    name: 'an outer call that succeeds while the inner transfer was reverted',
    logs: () => [],
    contract: otherToken,
  },
  { name: 'a transfer that returned false and left no event', logs: () => [] },
  {
    name: 'an event of the same shape from another contract beside a real one',
    logs: to => [transferLog(otherToken, payer, to, 9_000_000n), pay(to)],
    credited: amount,
  },
  {
    name: 'an Approval of the same layout',
    logs: to => [{ ...pay(to), topics: [approvalTopic, addressWord(payer), addressWord(to)] }],
  },
  {
    name: 'a Transfer of four topics, as an NFT has',
    logs: to => [{ ...pay(to), topics: [...pay(to).topics!, word(1n)] }],
  },
  {
    name: 'a recipient with something in the upper bytes',
    logs: to => [
      { ...pay(to), topics: [transferTopic, addressWord(payer), `41${addressWord(to).slice(2)}`] },
    ],
    quarantined: 1,
  },
  {
    name: 'an amount of 31 bytes',
    logs: to => [{ ...pay(to), data: word(amount).slice(2) }],
    quarantined: 1,
  },
  {
    name: 'an amount of two words',
    logs: to => [{ ...pay(to), data: word(amount) + word(amount) }],
    quarantined: 1,
  },
  { name: 'no data at all', logs: to => [{ address: usdtHex, topics: pay(to).topics! }], quarantined: 1 },
  { name: 'an amount of 2^63', logs: to => [pay(to, 2n ** 63n)], quarantined: 1 },
  { name: 'an amount of 2^256 - 1', logs: to => [pay(to, 2n ** 256n - 1n)], quarantined: 1 },
  { name: 'an amount of 0, as poisoning has', logs: to => [pay(to, 0n)] },
  { name: 'dust: credited as the little that it is', logs: to => [pay(to, 1n)], credited: 1n },
  {
    name: 'a transfer to itself: credited like any',
    logs: to => [transferLog(usdt, to, to, amount)],
    credited: amount,
  },
  {
    name: 'USDT moved inside the call of another contract: credited like any',
    logs: to => [pay(to)],
    contract: otherToken,
    credited: amount,
  },
  {
    name: 'fifty transfers in one transaction: each of them',
    logs: to => Array.from({ length: 50 }, () => pay(to)),
    credited: 50n * amount,
  },
  {
    name: 'a good transfer beside an unreadable one: the good one',
    logs: to => [{ ...pay(to), data: 'ff' }, pay(to)],
    credited: amount,
    quarantined: 1,
  },
]

const { pool } = await cloneDatabase()
const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 3 })
const node = createTronNode({ headUrl: sandbox.url, solidUrl: sandbox.url, usdtContract: usdt })
const log = createLog('silent', 'test')
const chain = { network: 'sandbox', genesisId: null, usdtContract: usdt }
const pin = await openChain({ pool, nodes: node, chain, startBlock: undefined, log })
const stopping = new AbortController()
const running = followChain({
  nodes: { ...node, distrust: () => undefined },
  pacing: { restMs: 0, pollMs: 5 },
  log,
  signal: stopping.signal,
  readCursor: async () => (await readCursor(pool))!,
  commit: async (from, blocks) =>
    (await creditBlocks(pool, { ...pin, graceMs: 0, quorumAmount: null }, from, blocks)) !== null,
})
after(async () => {
  stopping.abort()
  await running
  await node.close()
  await sandbox.close()
})
await seedMerchant(pool, anyShop)

/** A user of that name with an open order for the amount of the attacks. */
async function userWithOrder(name: string): Promise<TronAddress> {
  const localusermark = createHash('sha256').update(name).digest('hex').slice(0, 16)
  const { addressId, address } = await seedAddress(pool, { localusermark, bytes: bytesFor(name) })
  await seedOrder(pool, { addressId, amount, ...alwaysOpen })
  return address
}

async function outcome(address: TronAddress, txid: string) {
  await waitUntil(
    'the solidified head',
    async () => (await readCursor(pool))!.height === sandbox.chain.solid.height,
  )
  const { rows } = await pool.query(
    `select o.received, (select count(*)::int from quarantine where txid = $2) as quarantined,
            (select coalesce(sum(c.amount), 0)::bigint from credit c where c.order_id = o.id) as credited
       from recharge_order o join deposit_address a on a.id = o.deposit_address_id
      where a.address = $1`,
    [address, txid],
  )
  return rows[0]
}

for (const { name, logs, result = 'SUCCESS', contract = usdt, credited = 0n, quarantined = 0 } of attacks) {
  test(name, async () => {
    const to = await userWithOrder(name)
    const id = createHash('sha256').update(`attack ${name}`).digest('hex')
    sandbox.chain.add([{ id, logs: logs(to), ...(result !== null && { contract, result }) }])
    sandbox.chain.mine(4)
    assert.deepEqual(await outcome(to, id), { received: credited, credited, quarantined })
  })
}

test('a transfer that a fork took away before it was solidified', async () => {
  const to = await userWithOrder('forked')
  const id = createHash('sha256').update('forked').digest('hex')
  sandbox.chain.add([{ id, logs: [pay(to)], contract: usdt, result: 'SUCCESS' }])
  sandbox.chain.mine(1)
  sandbox.chain.fork(1, { drop: [id] })
  sandbox.chain.mine(8)
  assert.deepEqual(await outcome(to, id), { received: 0n, credited: 0n, quarantined: 0 })
})

test('the contract paused, given up, barring an address or destroying funds is told to whoever follows', async () => {
  const topics = [
    ['Pause', '6985a02210a168e66602d3235cb6db0e70f92b3ba4d376a33c0f3d9434bff625'],
    ['Deprecate', 'cc358699805e9a8b7f77b522628c7cb9abd07d9efb86b6fb616af1609036a99e'],
    ['DestroyedBlackFunds', '61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6'],
  ] as const
  for (const [event, topic] of topics) {
    const id = createHash('sha256').update(event).digest('hex')
    sandbox.chain.add([
      {
        id,
        logs: [{ address: usdtHex, topics: [topic], data: word(0n) }],
        contract: usdt,
        result: 'SUCCESS',
      },
    ])
    sandbox.chain.mine(1)
    const { height } = sandbox.chain.head
    sandbox.chain.mine(4)
    const block = await node.solidBlock(height)
    assert.deepEqual(block!.alarms, [{ txid: id, logIndex: 0, event }])
  }
})
