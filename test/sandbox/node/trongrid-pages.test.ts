import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { makeCall } from '../../../src/sandbox/chain/sandbox-calls.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, type TronAddress } from '../../../src/tron/address.ts'
import { recorded, skipWithoutRecorded } from '../../tron/recorded.ts'

// TronGrid's list of an account's transfers, over a chain of ten payments to alice, one of them to be solidified yet.
let sandbox: SandboxNode
const [alice, bob] = [1, 2].map(n => addressFromBytes(Buffer.alloc(20, n))) as [TronAddress, TronAddress]
let nowMs = 1_800_000_000_000

interface Page {
  data: { value: string; _unconfirmed?: true; [field: string]: unknown }[]
  success: boolean
  meta: { at: number; page_size: number; fingerprint?: string; links?: { next: string } }
}

before(async () => {
  sandbox = await startSandboxNode({
    autoMine: false,
    solidificationDepth: 1,
    clock: { now: () => new Date(nowMs) },
  })
  for (let n = 1; n <= 10; n++) {
    nowMs += 3_000
    pay(alice, BigInt(n))
    sandbox.chain.mine()
  }
})
after(() => sandbox.close())
afterEach(() => sandbox.faults.clear())

test('rows have the fields that were recorded, the newest first, and those of the head are unconfirmed', async () => {
  const { data, success, meta } = await page(alice)
  assert.equal(success, true)
  assert.deepEqual(values(data), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
  assert.deepEqual(Object.keys(meta), ['at', 'page_size'])
  assert.equal(data[0]!._unconfirmed, true)
  assert.deepEqual(data[1], {
    transaction_id: sandbox.chain.solid.transactions[0]!.id,
    token_info: { symbol: 'USDT', address: sandboxAddresses.usdt, decimals: 6, name: 'Tether USD' },
    block_timestamp: sandbox.chain.solid.timeMs,
    from: sandboxAddresses.payer,
    to: alice,
    type: 'Transfer',
    value: '9',
  })
})

test('the shape is that of a recorded page', { skip: skipWithoutRecorded }, async () => {
  const real = recorded('trongrid.account-trc20.mixed-usdt-and-lookalike.json')
  const { data, ...rest } = await page(alice, { only_confirmed: 'true' })
  assert.deepEqual(shape(data[0]!), shape(real.data[0]))
  assert.deepEqual(shape(rest), shape({ success: real.success, meta: real.meta }))
  const paged = recorded('trongrid.account-trc20.2020.page20-with-duplicate-unconfirmed.json')
  assert.deepEqual(shape((await page(alice, { limit: '2' })).meta), shape(paged.meta))
})

test('pages follow each other by fingerprint, either way round, each row once, also while new ones come in', async () => {
  for (const order of ['asc', 'desc']) {
    const found = await allPages(alice, { limit: '3', order_by: `block_timestamp,${order}` }, () => {
      pay(bob, 1n)
      sandbox.chain.mine()
    })
    const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert.deepEqual(values(found), order === 'asc' ? expected : expected.reverse())
  }
})

test('the next link leads to the next page', async () => {
  const { meta } = await page(alice, { limit: '4' })
  const next = (await (await fetch(meta.links!.next)).json()) as Page
  assert.deepEqual(values(next.data), [6, 5, 4, 3])
})

test('a fingerprint with other parameters is refused in the words of TronGrid', async () => {
  const { meta } = await page(alice, { limit: '4' })
  for (const [address, changed] of [
    [alice, { limit: '5' }],
    [alice, { limit: '4', only_confirmed: 'true' }],
    [bob, { limit: '4' }],
  ] as const) {
    assert.deepEqual(await refused(address, { ...changed, fingerprint: meta.fingerprint! }), {
      success: false,
      error: 'Invalid query filter(s)!: [fingerprint does not match current set of params]',
      statusCode: 400,
    })
  }
  await refused(alice, { limit: '4', fingerprint: 'x' })
})

test('what is asked for wrongly is refused', async () => {
  await refused('T123', {})
  const wrong: Record<string, string>[] = [
    { only_confirmed: 'true', only_unconfirmed: 'true' },
    { limit: '201' },
    { limit: 'x' },
    { order_by: 'value,asc' },
    { contract_address: 'T123' },
  ]
  for (const parameters of wrong) await refused(alice, parameters)
})

test('filters: confirmed, unconfirmed, direction, time on both ends, contract', async () => {
  pay(alice, 11n)
  const [sent] = [makePayment(sandbox.chain.stamp(), [{ to: bob, amount: usdt(77n) }], { from: alice })]
  const { lookalike } = sandboxAddresses
  const fake = makePayment(sandbox.chain.stamp(), [{ to: alice, amount: usdt(88n) }], {
    token: lookalike,
  })
  const failed = makePayment(sandbox.chain.stamp(), [{ to: alice, amount: usdt(99n) }], {
    fail: 'OUT_OF_TIME',
  })
  const approval = makeCall(sandbox.chain.stamp(), [{ kind: 'approval', to: alice, amount: 5n }])
  sandbox.chain.add([sent!, fake, failed, approval])
  nowMs += 3_000
  const { timeMs } = sandbox.chain.mine()[0]!
  const min_timestamp = `${timeMs}`
  const found = async (parameters: Record<string, string>) =>
    values((await page(alice, { min_timestamp, ...parameters })).data)
  assert.deepEqual(await found({}), [5, 88, 77, 11])
  assert.deepEqual(await found({ only_confirmed: 'true' }), [])
  assert.deepEqual(await found({ only_to: 'true' }), [5, 88, 11])
  assert.deepEqual(await found({ only_from: 'true' }), [77])
  assert.deepEqual(await found({ contract_address: sandboxAddresses.usdt, only_to: 'true' }), [5, 11])
  sandbox.chain.mine()
  assert.deepEqual(await found({ only_unconfirmed: 'true' }), [])
  assert.deepEqual(await found({ only_confirmed: 'true' }), [5, 88, 77, 11])
  assert.deepEqual(await found({ max_timestamp: `${timeMs - 1}` }), [])
  const types = (await page(alice, { min_timestamp })).data.map(({ type }) => type)
  assert.deepEqual(types, ['Approval', 'Transfer', 'Transfer', 'Transfer'])
})

const confirmed = { only_confirmed: 'true', only_to: 'true', max_timestamp: '1800000027000' }
const nine = [9, 8, 7, 6, 5, 4, 3, 2, 1]

test('rows that come twice: once confirmed, once as unconfirmed, over the page ends too', async () => {
  sandbox.faults.set({ kind: 'rows-twice' })
  const found = await allPages(alice, { ...confirmed, limit: '5' })
  assert.deepEqual(
    values(found),
    nine.flatMap(n => [n, n]),
  )
  assert.equal(found.filter(row => row._unconfirmed).length, 9)
})

test('rows that are missing, and rows that are late', async () => {
  sandbox.faults.set({ kind: 'rows-missing', every: 3 })
  assert.deepEqual(values(await allPages(alice, confirmed)), [8, 7, 5, 4, 2, 1])
  sandbox.faults.clear()
  const { height } = sandbox.chain.blockOf((await page(alice, confirmed)).data[1]!.transaction_id as string)!
  sandbox.faults.set({ kind: 'rows-late', blocks: sandbox.chain.head.height - height })
  assert.deepEqual(values(await allPages(alice, confirmed)), nine.slice(1))
})

test('an empty page with a fingerprint is not the last', async () => {
  sandbox.faults.set({ kind: 'page-empty' })
  const first = await page(alice, { ...confirmed, limit: '4' })
  assert.deepEqual(first.data, [])
  assert(first.meta.fingerprint)
  assert.deepEqual(values(await allPages(alice, { ...confirmed, limit: '4' })), nine)
})

test('a page that has lost its fingerprint ends too early', async () => {
  sandbox.faults.set({ kind: 'page-last' })
  const { data, meta } = await page(alice, { ...confirmed, limit: '4' })
  assert.deepEqual([values(data), meta.fingerprint], [[9, 8, 7, 6], undefined])
})

function pay(to: TronAddress, units: bigint): void {
  sandbox.chain.add([makePayment(sandbox.chain.stamp(), [{ to, amount: usdt(units) }])])
}

const url = (address: string, parameters: Record<string, string>) =>
  `${sandbox.url}/v1/accounts/${address}/transactions/trc20?${new URLSearchParams(parameters)}`

async function page(address: string, parameters: Record<string, string> = {}): Promise<Page> {
  const response = await fetch(url(address, parameters))
  const body = await response.json()
  assert.equal(response.status, 200, JSON.stringify(body))
  return body as Page
}

async function refused(address: string, parameters: Record<string, string>): Promise<unknown> {
  const response = await fetch(url(address, parameters))
  assert.equal(response.status, 400)
  return response.json()
}

async function allPages(
  address: string,
  parameters: Record<string, string>,
  between: () => void = () => {},
): Promise<Page['data']> {
  const found: Page['data'] = []
  let fingerprint: string | undefined
  for (let pages = 0; pages < 30; pages++) {
    const { data, meta } = await page(address, { ...parameters, ...(fingerprint && { fingerprint }) })
    found.push(...data)
    fingerprint = meta.fingerprint
    if (!fingerprint) return found
    between()
  }
  throw new Error('the pages do not end')
}

function values(data: Page['data']): number[] {
  return data.map(({ value }) => Number(value))
}

/** Names of fields and types of values. */
function shape(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, shape(item)] as const)
      .sort(),
  )
}
