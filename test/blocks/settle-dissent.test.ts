import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { settleDissent } from '../../src/blocks/settle-dissent.ts'
import type { Fault } from '../../src/sandbox/faults/fault-schemas.ts'
import { startNodeView } from '../../src/sandbox/node-view.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { networks } from '../../src/tron/network.ts'
import { createNodePool } from '../../src/tron/pool/node-pool.ts'
import { isSignedByProducer, knownProducers } from '../../src/tron/verify/block-producer.ts'
import type { SentHeader } from '../../src/tron/verify/sent-block.ts'

const log = createLog('silent', 'test')

/** Nodes of a chain of five producers, which are known. The last node lies. */
async function dissenters(count: number, lie: Fault) {
  const first = await startSandboxNode({ autoMine: false, producers: 5, solidificationDepth: 4 })
  const views = [first]
  for (let i = 1; i < count; i++) views.push(await startNodeView(first.chain, { blockIntervalMs: null }))
  after(() => Promise.all(views.map(view => view.close())))
  const { chain } = first
  chain.mine(12)
  views.at(-1)!.faults.set(lie)
  const known = knownProducers(
    new Map(chain.producers.elected.map(({ address, signer }) => [address, [signer.address]])),
  )
  const verifyHeader = (header: SentHeader) => {
    if (!known.keys.has(header.producer)) return 'stranger'
    return isSignedByProducer(header, known) ? null : 'signature'
  }
  const nodes = createNodePool({
    nodes: views.map(({ url }) => ({ headUrl: url, solidUrl: url })),
    usdtContract: networks.sandbox.usdtContract!,
    requestsPerSecond: 10_000,
    verifyHeader,
    log,
  })
  after(() => nodes.close())
  const { names } = nodes
  /** The block at a height as one of the nodes shows it. */
  const shownBy = async (node: string, height: number) =>
    (await nodes.solidBlock(height, { not: names.filter(name => name !== node) }))!
  const settle = async (node: string, height: number) =>
    settleDissent(nodes, { verifyHeader }, await shownBy(node, height))
  const distrusted = () =>
    nodes
      .status()
      .filter(({ state }) => state === 'distrusted')
      .map(({ name }) => name)
  return { names, settle, distrusted, chain }
}

test('of two nodes, the one whose block one producer signed and nobody built on is not believed', async () => {
  for (const signed of ['producer', 'unsigned', 'stranger'] as const) {
    const { names, settle, distrusted } = await dissenters(2, {
      kind: 'other-hash',
      signed,
      heights: { from: 6, to: 6 },
    })
    const [honest, liar] = names as [string, string]
    await settle(honest, 6)
    await assert.rejects(settle(liar, 6), /stands alone/, signed)
    assert.deepEqual(distrusted(), [liar], signed)
  }
})

test('a block that another host shows too, or that none has yet, may be committed', async () => {
  const { names, settle, distrusted } = await dissenters(3, { kind: 'stall' })
  for (const node of names.slice(0, 2)) await settle(node, 5)
  assert.deepEqual(distrusted(), [])
})
