import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import { retryQuarantined } from '../../src/credits/retry-quarantined.ts'
import { firstPage } from '../../src/db/id-page.ts'
import { listQuarantined } from '../../src/transfers/quarantine-store.ts'
import { heightHex } from '../../src/tron/block-id.ts'
import { createTronNode } from '../../src/tron/node/node-client.ts'
import { NodeError } from '../../src/tron/node/node-error.ts'
import { transferTopic } from '../../src/tron/transfer-log.ts'
import { bytesFor } from '../support/chain-blocks.ts'
import { addAddress, addOrder, assertNoneHomeless, at, creditedChain } from './credited-chain.ts'

// A node over real HTTP whose answers have any JSON in one place. Either the client refuses the answer, and another node
// is asked, or what it read can be recorded: in both cases the cursor moves on.

const usdt = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
const word = (hex: string) => hex.padStart(64, '0')
/** Put in the place of a value, and exchanged for any JSON text. */
const mark = '@odd@'

let answers = { block: '', infos: '' }
const server = createServer((request, response) => {
  request.resume()
  response.end(request.url!.endsWith('/getblockbynum') ? answers.block : answers.infos)
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const it = await creditedChain('odd answers')
const node = createTronNode({ headUrl: url, solidUrl: url, usdtContract: it.rules.usdtContract as never })
after(async () => {
  await node.close()
  server.closeAllConnections()
  server.close()
})
const ours = await addAddress(it.pool, 'u1')
await addOrder(it.pool, 'u1', 'o-1', 1_000_000, 0, 1_000_000)

/** The next block, with a payment, an event that is no transfer, one that cannot be decoded, and a failed transaction. */
function sane(height: number, parentHash: string) {
  const prefix = heightHex(height)
  const timeMs = at(height * 3).getTime()
  const topics = [transferTopic, word(bytesFor('payer').toString('hex')), word(ours.toString('hex'))]
  const transfer = { address: usdt, topics, data: word('7') }
  const logs = [
    [
      transfer,
      { address: usdt, topics: ['ab'.repeat(32)], data: '' },
      { ...transfer, data: 'ff', more: [1] },
    ],
    [transfer],
    [{ address: 'eca9bc828a3005b9a3b909f2cc5c2a54794de05f', topics: [], data: 'ff' }],
  ]
  const infos = logs.map((log, n) => ({
    id: prefix.slice(8) + `${n}`.padStart(56, '0'),
    blockNumber: height,
    blockTimeStamp: timeMs,
    receipt: { result: n === 1 ? 'OUT_OF_TIME' : 'SUCCESS' },
    ...(n === 1 && { result: 'FAILED' }),
    log,
  }))
  const block = {
    blockID: prefix + 'ab'.repeat(24),
    block_header: { raw_data: { number: height, parentHash, timestamp: timeMs } },
    transactions: infos.map(({ id }) => ({ txID: id, raw_data: {} })),
  }
  return { block, infos }
}

type Path = (string | number)[]

/** Every place of a JSON value, itself included. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...path, key]))]
}

/** A copy with another value in one place; undefined: without it. */
function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by
  const copy = structuredClone(value) as Record<string | number, unknown>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

const texts = fc.oneof(
  fc.constantFrom(
    '\0',
    'ab\0',
    `${'a'.repeat(63)}\0`,
    '\ud800',
    'constructor',
    '__proto__',
    '0xff',
    'FF',
    'é',
    'f',
  ),
  fc.constantFrom('zz', 'AB'.repeat(32), '0'.repeat(64), 'f'.repeat(63), `${'0'.repeat(64)}\n`, '\u2028', ''),
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.integer({ min: 0, max: 200 }).map(length => 'f'.repeat(length)),
)
/** JSON as text: JSON.stringify writes neither such numbers nor such depths. */
const oddJson = fc.oneof(
  texts.map(text => JSON.stringify(text)),
  texts.map(text => JSON.stringify([text, { [text]: text }])),
  texts.map(text => JSON.stringify({ address: usdt, topics: [text], data: text, [text]: text })),
  fc.jsonValue().map(value => JSON.stringify(value)),
  fc.constantFrom(
    '1e999',
    '-1e999',
    '-0',
    '9007199254740993',
    '2147483648',
    '8640000000000000',
    '253402300800000',
  ),
  fc.constantFrom(
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    'null',
    'true',
    '[]',
    '{}',
    '{"toString":1}',
    'nonsense',
    '',
  ),
  fc.constantFrom(...[100, 10_000, 200_000].map(depth => '['.repeat(depth) + ']'.repeat(depth))),
  fc.constantFrom(...[100, 50_000].map(depth => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)),
)

const templates = sane(1, '0'.repeat(64))
const places = fc.constantFrom(
  ...placesOf(templates.block).map(path => ({ in: 'block' as const, path })),
  ...placesOf(templates.infos).map(path => ({ in: 'infos' as const, path })),
  // Members that are not there, or that we do not read.
  { in: 'infos' as const, path: [0, 'log', 2, 'more'] },
  { in: 'infos' as const, path: [0, 'more'] },
  { in: 'block' as const, path: ['Error'] },
)

test('whatever JSON a node puts in one place of a block, the cursor moves on or the node is left for another', async () => {
  const seen = { refused: 0, read: 0, quarantined: 0 }
  await fc.assert(
    fc.asyncProperty(places, fc.option(oddJson), async (place, odd) => {
      const cursor = (await readCursor(it.pool))!
      const whole = sane(cursor.height + 1, cursor.hash)
      const write = (value: unknown) => JSON.stringify(value) ?? ''
      const damaged = write(replaced(whole[place.in], place.path, odd === null ? undefined : mark))
      answers = { block: write(whole.block), infos: write(whole.infos) }
      answers[place.in] = odd === null ? damaged : damaged.replace(`"${mark}"`, () => odd)
      let block = await node.solidBlock(cursor.height + 1).catch(error => {
        assert(error instanceof NodeError, `${error}`)
        assert(error.message.length < 1_000)
        return null
      })
      seen[block ? 'read' : 'refused']++
      if (!block || block.parentHash !== cursor.hash) {
        answers = { block: write(whole.block), infos: write(whole.infos) }
        block = (await node.solidBlock(cursor.height + 1))!
      }
      const done = await creditBlocks(it.pool, it.rules, cursor, [block])
      seen.quarantined += done!.quarantined
      assert.equal((await readCursor(it.pool))!.height, cursor.height + 1)
    }),
    { numRuns: 400 },
  )
  assert(seen.refused > 60 && seen.read > 60 && seen.quarantined > 60, JSON.stringify(seen))
  await assertNoneHomeless(it.pool)
})

test('whatever was quarantined meanwhile can be tried again', async () => {
  for (const { id } of await listQuarantined(it.pool, firstPage(200))) {
    const { became } = await retryQuarantined(it.pool, it.rules, id)
    assert.notEqual(became, 'not parked')
  }
})
