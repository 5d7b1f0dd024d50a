import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { SandboxChain } from '../../../src/sandbox/chain/sandbox-chain.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { seededRandom } from '../../../src/sandbox/chain/seeded-random.ts'
import { type NodeView, startNodeView } from '../../../src/sandbox/node-view.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'
import { openGrpcChannel } from '../../../src/tron/node/grpc-channel.ts'
import { encodeProtobuf } from '../../../src/tron/protobuf.ts'
import { makeLiar } from '../../support/random-liar.ts'
import { lieNames } from '../../support/random-lies.ts'

// Every kind of lie, by its name and seed: it is told at the head and in history, over both transports alike, and over when it ends.
const addresses = [1, 2, 3].map(n => addressFromBytes(Buffer.alloc(20, n)))
const seeds = [1, 2, 3]
const chain = new SandboxChain({ genesisSeed: 'lies', solidificationDepth: 4 })
let honest: NodeView
let node: NodeView

before(async () => {
  honest = await startNodeView(chain, { control: false })
  node = await startNodeView(chain, { control: false })
  live(30)
})
after(async () => {
  await honest.close()
  await node.close()
})

for (const name of lieNames) {
  for (const where of ['head', 'history'] as const) {
    test(`${name}, ${where === 'head' ? 'at the head' : 'in history'}: shown over HTTP and gRPC, until the liar tells the truth`, async () => {
      let shown = 0
      for (const seed of seeds) {
        const liar = makeLiar(node, { chain, random: seededRandom(seed), addresses })
        const { heights } = liar.lie(where, name)
        live(where === 'head' ? 7 : 1)
        const truth = await said(honest, heights)
        const lie = await said(node, heights)
        assert.equal(
          truth.grpc !== lie.grpc,
          truth.http !== lie.http,
          `seed ${seed}: over one transport only`,
        )
        if (truth.http !== lie.http) shown++
        liar.confess()
        assert.deepEqual(await said(node, heights), truth, `seed ${seed}: it tells the truth`)
      }
      assert(shown >= seeds.length / 2, `only ${shown} of ${seeds.length} seeds show it`)
    })
  }
}

test('the same seed tells the same lies, and no more than three at once', async () => {
  const tell = async (seed: number) => {
    const clock = { now: () => new Date(1_800_000_000_000) }
    const chain = new SandboxChain({ genesisSeed: 'one', clock })
    const node = await startNodeView(chain, { control: false })
    const liar = makeLiar(node, { chain, random: seededRandom(seed), addresses })
    for (let n = 0; n < 20; n++) liar.lie(n % 2 === 0 ? 'head' : 'history')
    assert(node.faults.list().length <= 6)
    await node.close()
    return liar.told
  }
  assert.deepEqual(await tell(1), await tell(1))
  assert.notDeepEqual(await tell(1), await tell(2))
})

/** Every block pays somebody directly and through a contract, and holds a payment that ran out of time. */
function live(blocks: number): void {
  for (let n = 0; n < blocks; n++) {
    const to = addresses[chain.head.height % addresses.length]!
    chain.add([
      makePayment(chain.stamp(), [{ to, amount: usdt(5n) }]),
      makePayment(chain.stamp(), [{ to, amount: usdt(6n) }], { through: sandboxAddresses.router }),
      makePayment(chain.stamp(), [{ to, amount: usdt(7n) }], { fail: 'OUT_OF_TIME' }),
    ])
    chain.mine()
  }
}

/** What a node says of some blocks, the newest and the next one, in two texts. */
async function said(
  { url, grpcUrl }: NodeView,
  { from, to }: { from: number; to: number },
): Promise<{ http: string; grpc: string }> {
  const { height } = chain.head
  const channel = openGrpcChannel(grpcUrl, 4 * 1024 * 1024)
  const texts = { http: '', grpc: '' }
  const http = async (path: string, body: object = {}) => {
    const response = await fetch(`${url}/wallet/${path}`, { method: 'POST', body: JSON.stringify(body) })
    texts.http += await response.text()
  }
  const grpc = async (method: string, request: Buffer) => {
    const { signal } = new AbortController()
    const call = { method: `/protocol.Wallet/${method}`, request, headers: {}, deadlineMs: 5_000, signal }
    const outcome = await channel.call(call)
    assert('message' in outcome, JSON.stringify(outcome))
    texts.grpc += outcome.message.toString('hex')
  }
  await http('getnowblock')
  await grpc('GetNowBlock2', Buffer.alloc(0))
  const heights = new Set([height - 1, height, height + 1])
  for (let num = from; num <= to; num++) heights.add(num)
  for (const num of heights) {
    await http('getblockbynum', { num })
    await http('gettransactioninfobyblocknum', { num })
    await grpc('GetBlockByNum2', encodeProtobuf([[1, num]]))
    await grpc('GetTransactionInfoByBlockNum', encodeProtobuf([[1, num]]))
  }
  channel.hangUp()
  return texts
}
