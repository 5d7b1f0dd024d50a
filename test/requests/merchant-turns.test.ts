import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { openMerchantTurns } from '../../src/requests/merchant-turns.ts'

const [a, b, c] = [1n, 2n, 3n] as [MerchantId, MerchantId, MerchantId]
const settled = () => new Promise(resolve => setImmediate(resolve))

/** Turns with work that ends when it is told to. */
function openTurns(waitingPerMerchant: number) {
  const takeTurn = openMerchantTurns({ name: 'orders', waitingPerMerchant, whenTooLong: 'ask for less' })
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const begin = (merchantId: MerchantId, label: string) =>
    takeTurn(merchantId, () => {
      begun.push(label)
      return new Promise<void>(resolve => ends.set(label, resolve))
    })
  const end = async (label: string) => {
    ends.get(label)!()
    await settled()
  }
  return { takeTurn, begin, end, begun }
}

test('a merchant does one at a time, and two run in all; those who wait take turns', async () => {
  const { begin, end, begun } = openTurns(8)
  const all = [begin(a, 'a1'), begin(a, 'a2'), begin(a, 'a3'), begin(b, 'b1'), begin(b, 'b2'), begin(c, 'c1')]
  await settled()
  assert.deepEqual(begun, ['a1', 'b1'])
  await end('a1')
  await end('b1')
  // c waits no longer than for one of another's.
  assert.ok(begun.slice(0, 4).includes('c1'), begun.join())
  for (let i = 2; i < 6; i++) await end(begun[i]!)
  await Promise.all(all)
  assert.deepEqual(begun.toSorted(), ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'])
})

test('more than may wait are refused, also while their merchant has none running', async () => {
  const { begin, end, begun } = openTurns(0)
  const running = [begin(a, 'a1'), begin(b, 'b1'), begin(c, 'c1')]
  await assert.rejects(begin(a, 'a2'), { code: 'rate_limited', retryAfterS: 1 })
  await assert.rejects(begin(c, 'c2'), { code: 'rate_limited' })
  for (const label of ['a1', 'b1', 'c1']) await end(label)
  await Promise.all(running)
  assert.deepEqual(begun, ['a1', 'b1', 'c1'])
})

test('work that fails ends its turn; what was cancelled for its time says what to ask for instead', async () => {
  const { takeTurn } = openTurns(0)
  const fail = (error: Error) => takeTurn(a, () => Promise.reject(error))
  await assert.rejects(fail(new Error('odd')), { message: 'odd' })
  const driverAdapterError = new Error('of the adapter', { cause: { originalCode: '57014' } })
  const wrapped = Object.assign(new Error('of prisma'), { meta: { driverAdapterError } })
  const said = { code: 'unavailable', message: 'orders: took too long: ask for less' }
  for (const error of [Object.assign(new Error(), { code: '57014' }), wrapped])
    await assert.rejects(fail(error), said)
  assert.equal(await takeTurn(a, async () => 'next'), 'next')
})
