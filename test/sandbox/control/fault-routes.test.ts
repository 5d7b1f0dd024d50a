import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { createTronNode } from '../../../src/tron/node/node-client.ts'
import { askControl } from './ask-control.ts'

let sandbox: SandboxNode
const to = 'TBa4Nb96tj4jUx85tcqvyWYyFi7mowHVLJ'

before(async () => {
  sandbox = await startSandboxNode({ autoMine: false })
})
after(() => sandbox.close())
afterEach(() => sandbox.faults.clear())

test('faults are set, told of with what they struck, and cleared one by one or all', async () => {
  const lag = await askControl(sandbox, 'faults', { kind: 'lag', blocks: 2, view: 'solid' })
  const limit = await askControl(sandbox, 'faults', {
    kind: 'rate-limit',
    rps: 2,
    seconds: 1,
    paths: ['/wallet/*'],
  })
  assert.deepEqual(lag, { id: lag.id, kind: 'lag', blocks: 2, view: 'solid', hits: 0 })
  for (let n = 0; n < 3; n++) await fetch(`${sandbox.url}/wallet/getnowblock`)
  const { faults, calls } = await faultsNow('GET')
  assert.deepEqual(
    faults.map(({ id, hits }) => [id, hits]),
    [
      [lag.id, 3],
      [limit.id, 3],
    ],
  )
  assert.equal(calls!.refused, 1)
  assert.equal(calls!.byPath['/wallet/getnowblock'], 3)
  assert.equal((await faultsNow('DELETE', `/${lag.id}`)).faults.length, 1)
  assert.deepEqual(await faultsNow('DELETE'), { faults: [] })
  for (const id of [lag.id, 'x']) {
    const response = await fetch(`${sandbox.url}/sandbox/faults/${id}`, { method: 'DELETE' })
    assert.equal(response.status, 400)
  }
})

test('another node is started beside this one: the same chain, faults of its own, closed with the first', async () => {
  const first = await startSandboxNode({ autoMine: false })
  const started = await fetch(`${first.url}/sandbox/nodes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  const { url, grpcUrl } = (await started.json()) as { url: string; grpcUrl: string }
  first.faults.set({ kind: 'stall' })
  first.chain.mine()
  const heightAt = async (base: string) => {
    const block = (await (await fetch(`${base}/wallet/getnowblock`)).json()) as {
      block_header: { raw_data: { number: number } }
    }
    return block.block_header.raw_data.number
  }
  assert.deepEqual(
    [await heightAt(first.url), await heightAt(url)],
    [first.chain.head.height - 1, first.chain.head.height],
  )
  const overGrpc = createTronNode({
    headUrl: grpcUrl,
    solidUrl: grpcUrl,
    usdtContract: sandboxAddresses.usdt,
  })
  assert.equal((await overGrpc.head()).height, first.chain.head.height)
  await overGrpc.close()
  await first.close()
  await assert.rejects(fetch(`${url}/sandbox/state`))
})

test('no fault strikes the control API', async () => {
  await askControl(sandbox, 'faults', { kind: 'reset' })
  await askControl(sandbox, 'mine', { blocks: 1 })
  await faultsNow('DELETE')
})

const refused: [body: unknown, sentence: RegExp][] = [
  [{}, /^kind must be one of lag, stall, backwards/],
  [{ kind: 'flood' }, /^kind must be one of lag, stall, backwards/],
  [{ kind: 'lag' }, /required property 'blocks'/],
  [{ kind: 'lag', blocks: 2, rps: 3 }, /^the body has no field rps/],
  [{ kind: 'lag', blocks: '2' }, /^blocks must be integer/],
  [{ kind: 'hang', probability: 2 }, /^probability must be <= 1/],
  [{ kind: 'hang', heights: { from: 1 } }, /^heights must have required property 'to'/],
  [{ kind: 'forged-transfer', to: `${to.slice(0, -1)}K`, amount: '1' }, /^to is not a TRON/],
]
for (const [body, sentence] of refused) {
  test(`refused with a sentence: ${JSON.stringify(body)}`, async () => {
    const { error } = await askControl(sandbox, 'faults', body, 400)
    assert.match(error, sentence)
    assert.deepEqual(sandbox.faults.list(), [])
  })
}

async function faultsNow(method: 'GET' | 'DELETE', path = '') {
  const response = await fetch(`${sandbox.url}/sandbox/faults${path}`, { method })
  assert.equal(response.status, 200)
  return (await response.json()) as {
    faults: { id: number; hits: number }[]
    calls?: { refused: number; byPath: Record<string, number> }
  }
}
