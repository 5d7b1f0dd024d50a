import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, afterEach, before, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { makePayment } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import type { Fault } from '../../../src/sandbox/faults/fault-schemas.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'

// Faults in how a node answers, each seen by a plain client.
let sandbox: SandboxNode
let nowMs = 1_800_000_000_000
/** A block of three payments. */
let height: number
const solid = '/walletsolidity'

before(async () => {
  sandbox = await startSandboxNode({
    autoMine: false,
    solidificationDepth: 1,
    clock: { now: () => new Date(nowMs) },
  })
  const payment = [{ to: addressFromBytes(Buffer.alloc(20, 1)), amount: usdt(1n) }]
  for (let n = 0; n < 3; n++) sandbox.chain.add([makePayment(sandbox.chain.stamp(), payment)])
  height = sandbox.chain.mine()[0]!.height
  sandbox.chain.mine(3)
})
after(() => sandbox.close())
afterEach(() => sandbox.faults.clear())

const refusals: [fault: Fault, status: number, body: RegExp][] = [
  [
    { kind: 'too-many-requests' },
    429,
    /^{"Error":"request rate exceeded the allowed_rps\(3\), and the query server is suspended for 1 s"}$/,
  ],
  [
    { kind: 'key-suspended' },
    403,
    /^{"Error":"The key exceeds the frequency limit\(15\), and the query server is suspended for 30s"}$/,
  ],
  [{ kind: 'key-suspended', limit: 20, seconds: 0 }, 403, /limit\(20\).*suspended for 0s/],
  [{ kind: 'unavailable' }, 503, /^<html>/],
  [
    { kind: 'no-resources' },
    200,
    /^{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}$/,
  ],
  [{ kind: 'disabled' }, 404, /unavailable due to config/],
  [{ kind: 'lite-node' }, 200, /^this API is closed because this node is a lite fullnode$/],
  [{ kind: 'html' }, 200, /^<html>/],
  [{ kind: 'html', status: 403 }, 403, /^<html>/],
]
for (const [fault, status, body] of refusals) {
  test(`${JSON.stringify(fault)} is ${status} ${body}`, async () => {
    const before = sandbox.counts.refused
    sandbox.faults.set({ ...fault, times: 1 })
    const response = await fetch(`${sandbox.url}/wallet/getnowblock`)
    assert.equal(response.status, status)
    assert.match(await response.text(), body)
    assert.equal(sandbox.counts.refused, before + 1)
    await ask('/wallet/getnowblock', {})
  })
}

test('unavailable for so many seconds says so in Retry-After', async () => {
  sandbox.faults.set({ kind: 'unavailable', seconds: 7 })
  const response = await fetch(`${sandbox.url}/wallet/getnowblock`)
  assert.equal(response.headers.get('retry-after'), '7')
})

test('a rate limit lets so many calls a second through, then suspends, and counts what it refused', async () => {
  sandbox.faults.set({ kind: 'rate-limit', rps: 3, seconds: 2 })
  const { calls, refused } = sandbox.counts
  const call = async () => (await fetch(`${sandbox.url}/wallet/getnowblock`)).status
  const statuses = async (n: number) => {
    const found: number[] = []
    while (found.length < n) found.push(await call())
    return found
  }
  assert.deepEqual(await statuses(5), [200, 200, 200, 429, 429])
  nowMs += 1_999
  assert.deepEqual(await statuses(1), [429])
  nowMs += 1
  assert.deepEqual(await statuses(2), [200, 200])
  nowMs += 999
  assert.deepEqual(await statuses(1), [200])
  nowMs += 1
  // The two of a second ago have passed out of the count, the one a millisecond ago has not.
  assert.deepEqual(await statuses(3), [200, 200, 429])
  assert.deepEqual([sandbox.counts.calls - calls, sandbox.counts.refused - refused], [12, 4])
})

test('empty is what the node says of what it does not have', async () => {
  sandbox.faults.set({ kind: 'empty' })
  assert.deepEqual(await ask(`${solid}/getblockbynum`, { num: height }), {})
  assert.deepEqual(await ask(`${solid}/gettransactioninfobyblocknum`, { num: height }), [])
  assert.deepEqual(await ask('/wallet/getnowblock', {}), {})
})

test('one info is missing, of a block that lists all its transactions', async () => {
  sandbox.faults.set({ kind: 'info-missing' })
  const infos = await ask(`${solid}/gettransactioninfobyblocknum`, { num: height })
  const block = await ask(`${solid}/getblockbynum`, { num: height })
  assert.deepEqual([infos.length, block.transactions.length], [2, 3])
  assert.equal(infos[1].id, block.transactions[2].txID)
})

test('infos are late by so many calls for each block', async () => {
  sandbox.faults.set({ kind: 'infos-late', calls: 2 })
  for (const expected of [0, 0, 3, 3]) {
    const infos = await ask(`${solid}/gettransactioninfobyblocknum`, { num: height })
    assert.equal(infos.length, expected)
  }
})

test('another block than the one asked for', async () => {
  sandbox.faults.set({ kind: 'wrong-number', offset: 1 })
  const block = await ask(`${solid}/getblockbynum`, { num: height })
  assert.equal(block.block_header.raw_data.number, height + 1)
})

test('JSON that stops in the middle', async () => {
  sandbox.faults.set({ kind: 'truncated' })
  const text = await (await fetch(`${sandbox.url}/wallet/getblockbynum?num=${height}`)).text()
  assert.match(text, /^{"blockID"/)
  assert.throws(() => JSON.parse(text), SyntaxError)
})

test('an answer in drops, an answer after a while, an answer behind megabytes: each whole in the end', async () => {
  const expected = await ask('/wallet/getnowblock', {})
  const faults: Fault[] = [
    { kind: 'drip', everyMs: 1 },
    { kind: 'delay', ms: 30 },
    { kind: 'oversized', megabytes: 3 },
  ]
  for (const fault of faults) {
    sandbox.faults.set({ ...fault, times: 1 })
    const text = await (await fetch(`${sandbox.url}/wallet/getnowblock`)).text()
    assert.deepEqual(JSON.parse(text), expected)
    if (fault.kind === 'oversized') assert(text.length > 3 * 1024 * 1024)
  }
})

test('an answer in drops comes in many pieces', async () => {
  sandbox.faults.set({ kind: 'drip', everyMs: 1 })
  const pieces = await new Promise<number>(resolve =>
    get(`${sandbox.url}/wallet/getnowblock`, response => {
      let pieces = 0
      response.on('data', () => pieces++).on('end', () => resolve(pieces))
    }),
  )
  assert(pieces > 20, `${pieces} pieces`)
})

test('a connection is cut', async () => {
  sandbox.faults.set({ kind: 'reset' })
  const error = await fetch(`${sandbox.url}/wallet/getnowblock`).catch(error => error)
  assert.equal(error.cause.code, 'ECONNRESET')
})

test('a call that hangs ends when the caller gives up, and does not keep the node from closing', async () => {
  const other = await startSandboxNode({ autoMine: false, faults: [{ kind: 'hang' }] })
  const signal = AbortSignal.timeout(30)
  await assert.rejects(fetch(`${other.url}/wallet/getnowblock`, { signal }), { name: 'TimeoutError' })
  const hanging = assert.rejects(fetch(`${other.url}/wallet/getnowblock`))
  await assert.doesNotReject(fetch(`${other.url}/sandbox/state`))
  await other.close()
  await hanging
})

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked into by the tests.
async function ask(path: string, body: object): Promise<any> {
  const response = await fetch(sandbox.url + path, { method: 'POST', body: JSON.stringify(body) })
  assert.equal(response.status, 200)
  return response.json()
}
