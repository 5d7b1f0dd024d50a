import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proveUpTo } from '../../src/blocks/prove-by-headers.ts'
import { NodeError } from '../../src/tron/node/node-error.ts'
import type { SentHeader } from '../../src/tron/verify/sent-block.ts'
import { blockMessage, headerOfBlock, producerKey, someId } from '../tron/verify/block-messages.ts'

const { secret: key, address: producer } = producerKey('one')

/** Headers from a height on, each linked to the one before. */
function chainOf(from: number, count: number): Map<number, SentHeader> {
  const headers = new Map<number, SentHeader>()
  let parentHash = someId(from - 1)
  for (let height = from; height < from + count; height++) {
    const header = headerOfBlock(blockMessage({ height, parentHash, producer, key, transactions: [] }))
    headers.set(height, header)
    parentHash = header.id
  }
  return headers
}

test('a header that does not come at first is asked for again, and the others are not', async () => {
  const headers = chainOf(10, 30)
  const asked = new Map<number, number>()
  const newHeader = async (height: number) => {
    const times = (asked.get(height) ?? 0) + 1
    asked.set(height, times)
    if (height === 27 && times < 3) throw new NodeError('later', 'too many requests')
    return headers.get(height) ?? null
  }
  const next = { height: 40, parentHash: headers.get(39)!.id }
  const ids = await proveUpTo({ newHeader }, 10, next, new AbortController().signal)
  assert.deepEqual([ids.from, ids.last, ids.idAt(27)], [10, 39, headers.get(27)!.id])
  assert.deepEqual(
    [...asked].filter(([, times]) => times > 1),
    [[27, 3]],
  )
})

test('headers that do not link, or are not what their ids say, prove nothing', async () => {
  const headers = chainOf(10, 5)
  const next = { height: 15, parentHash: headers.get(14)!.id }
  const prove = (height: number, change: Partial<SentHeader>) => {
    const changed = new Map(headers).set(height, { ...headers.get(height)!, ...change })
    return proveUpTo(
      { newHeader: async at => changed.get(at) ?? null },
      10,
      next,
      new AbortController().signal,
    )
  }
  await assert.rejects(prove(12, { id: someId(12) }), /does not link/)
  await assert.rejects(prove(12, { parentHash: someId(11) }), /does not link/)
  await assert.rejects(
    proveUpTo({ newHeader: async () => null }, 10, next, new AbortController().signal),
    /no header 10/,
  )
})
