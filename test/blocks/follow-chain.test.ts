import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { UsageError } from '../../src/base/errors.ts'
import { createLog } from '../../src/base/log.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { followChain } from '../../src/blocks/follow-chain.ts'
import { openChain } from '../../src/blocks/open-chain.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { Pool } from '../../src/db/pool.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { networks } from '../../src/tron/network.ts'
import { createTronNode, type TronNode } from '../../src/tron/node/node-client.ts'
import { cloneDatabase } from '../support/database.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = createLog('silent', 'test')
const usdtContract = networks.sandbox.usdtContract!
const chain = { network: 'sandbox', genesisId: null, usdtContract }

async function chainWithNode(solidificationDepth = 3) {
  const { pool } = await cloneDatabase()
  const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth })
  after(() => sandbox.close())
  const node = createTronNode({ headUrl: sandbox.url, solidUrl: sandbox.url, usdtContract })
  after(() => node.close())
  return { pool, sandbox: sandbox.chain, node }
}

/** Follows until the test ends. @param node the one that is asked: as it is, or made to lie. */
function follow(pool: Pool, node: TronNode, pin: Awaited<ReturnType<typeof openChain>>) {
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
  const stop = async () => {
    stopping.abort()
    await running
  }
  after(stop)
  return { stop }
}

const heightOf = async (pool: Pool) => (await readCursor(pool))!.height

test('the first start places the cursor at the solidified head, and every block after it is recorded, linked', async () => {
  const { pool, sandbox, node } = await chainWithNode()
  sandbox.mine(10)
  const pin = await openChain({ pool, nodes: node, chain, startBlock: undefined, log })
  assert.equal(pin.height, sandbox.solid.height)
  assert.equal(pin.genesisId, sandbox.genesisId)
  follow(pool, node, pin)
  sandbox.mine(200)
  await waitUntil('the solidified head', async () => (await heightOf(pool)) === sandbox.solid.height)
  const { rows } = await pool.query('select height, hash, parent_hash from chain_block order by height')
  assert.equal(rows.length, sandbox.solid.height - pin.height)
  for (const row of rows) {
    assert.equal(row.hash, sandbox.block(row.height)!.id)
    assert.equal(row.parent_hash, sandbox.block(row.height - 1)!.id)
  }
})

test('START_BLOCK places the cursor before that block, the first of a chain too, and only at the first start', async () => {
  for (const startBlock of [1, 5]) {
    const { pool, sandbox, node } = await chainWithNode()
    sandbox.mine(10)
    assert.equal((await openChain({ pool, nodes: node, chain, startBlock, log })).height, startBlock - 1)
    assert.equal((await openChain({ pool, nodes: node, chain, startBlock: 8, log })).height, startBlock - 1)
  }
})

test('a START_BLOCK that is not solidified yet is refused', async () => {
  const { pool, node } = await chainWithNode()
  await assert.rejects(openChain({ pool, nodes: node, chain, startBlock: 5_000, log }), UsageError)
  assert.equal(await readCursor(pool), null)
})

test('a database pinned to one chain is not followed with another genesis, network or contract', async () => {
  const { pool, node } = await chainWithNode()
  await openChain({ pool, nodes: node, chain, startBlock: undefined, log })
  const other = await chainWithNode()
  await assert.rejects(openChain({ pool, nodes: other.node, chain, startBlock: undefined, log }), /genesis/)
  await assert.rejects(
    openChain({ pool, nodes: node, chain: { ...chain, network: 'private' }, startBlock: undefined, log }),
    /TRON_NETWORK/,
  )
  const contract = networks.nile.usdtContract!
  await assert.rejects(
    openChain({ pool, nodes: node, chain: { ...chain, usdtContract: contract }, startBlock: undefined, log }),
    /USDT_CONTRACT/,
  )
})

test('a node of another network is refused before anything is written', async () => {
  const { pool, node } = await chainWithNode()
  const { genesisId } = networks.mainnet
  await assert.rejects(
    openChain({ pool, nodes: node, chain: { ...chain, genesisId }, startBlock: undefined, log }),
    /genesis/,
  )
  assert.equal(await readCursor(pool), null)
})

test('a block that is not built on ours stops the cursor until the chain links again', async () => {
  const { pool, sandbox, node } = await chainWithNode()
  const pin = await openChain({ pool, nodes: node, chain, startBlock: undefined, log })
  sandbox.mine(5)
  const wrongAt = pin.height + 2
  let lying = true
  let asked = 0
  const liar: TronNode = {
    ...node,
    solidBlock: async height => {
      const block = await node.solidBlock(height)
      if (height === wrongAt) asked++
      return lying && block && height === wrongAt ? { ...block, parentHash: 'f'.repeat(64) } : block
    },
  }
  follow(pool, liar, pin)
  await waitUntil('the wrong block was asked for again', () => asked >= 2)
  assert((await heightOf(pool)) < wrongAt)
  lying = false
  await waitUntil('the solidified head', async () => (await heightOf(pool)) === sandbox.solid.height)
})

test('a node that fails is asked again, and nothing is skipped', async () => {
  const { pool, sandbox, node } = await chainWithNode()
  const pin = await openChain({ pool, nodes: node, chain, startBlock: undefined, log })
  let calls = 0
  const failing: TronNode = {
    ...node,
    solidBlock: height =>
      ++calls % 3 === 0 ? Promise.reject(new Error('no answer')) : node.solidBlock(height),
  }
  follow(pool, failing, pin)
  sandbox.mine(5)
  await waitUntil('the solidified head', async () => (await heightOf(pool)) === sandbox.solid.height)
  const { rowCount } = await pool.query('select from chain_block')
  assert.equal(rowCount, sandbox.solid.height - pin.height)
})

test('two that follow with one database write every block once', async () => {
  const { pool, sandbox, node } = await chainWithNode()
  const pin = await openChain({ pool, nodes: node, chain, startBlock: undefined, log })
  follow(pool, node, pin)
  follow(pool, node, pin)
  for (let n = 0; n < 20; n++) {
    sandbox.mine(3)
    await waitUntil('the solidified head', async () => (await heightOf(pool)) === sandbox.solid.height)
  }
  const { rowCount } = await pool.query('select from chain_block')
  assert.equal(rowCount, sandbox.solid.height - pin.height)
})
