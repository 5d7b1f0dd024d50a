import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import type { SandboxBlock } from '../../../src/sandbox/chain/sandbox-block.ts'
import { SandboxChain } from '../../../src/sandbox/chain/sandbox-chain.ts'
import { makePayment } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { addressFromBytes } from '../../../src/tron/address.ts'

const to = addressFromBytes(Buffer.alloc(20, 7))
const pay = (chain: SandboxChain) => {
  const transaction = makePayment(chain.stamp(), [{ to, amount: usdt(1n) }])
  chain.add([transaction])
  return transaction.id
}
const ids = ({ transactions }: SandboxBlock) => transactions.map(({ id }) => id)

test('orphaned transactions spread over the new branch, each in the block after its own', () => {
  const chain = new SandboxChain()
  const [first, second] = [pay(chain), pay(chain)]
  chain.mine()
  const third = pay(chain)
  const { height } = chain.mine()[0]!
  chain.fork(2, { returns: 'spread' })
  assert.deepEqual(ids(chain.block(height - 1)!), [])
  assert.deepEqual(ids(chain.block(height)!), [first, second])
  assert.deepEqual(ids(chain.head), [third])
})

test('turned round, they are at other positions', () => {
  const chain = new SandboxChain()
  const paid = [pay(chain), pay(chain), pay(chain)]
  chain.mine()
  const waiting = pay(chain)
  chain.fork(1, { reversed: true })
  assert.deepEqual(ids(chain.head), [...paid.reverse(), waiting])
})

test('late ones return so many blocks after the others, and are waiting until then', () => {
  const chain = new SandboxChain()
  const [prompt, late] = [pay(chain), pay(chain)]
  chain.mine()
  chain.fork(1, { late: { txids: [late], blocks: 2 } })
  assert.deepEqual(ids(chain.head), [prompt])
  assert.equal(chain.pendingCount, 1)
  assert.equal(chain.blockOf(late), undefined)
  assert.throws(() => chain.add([{ id: late, logs: [] }]), /is on this chain already/)
  const [next, nextButOne] = chain.mine(2)
  assert.deepEqual([ids(next!), ids(nextButOne!)], [[], [late]])
})

test('a late or dropped transaction that is in none of the blocks is refused, and nothing is changed', () => {
  const chain = new SandboxChain()
  const { head } = chain
  for (const options of [{ late: { txids: ['ab'.repeat(32)], blocks: 1 } }, { drop: ['ab'.repeat(32)] }]) {
    assert.throws(() => chain.fork(1, options), /is not in the 1 blocks to be replaced/)
  }
  assert.equal(chain.head, head)
})

test('transactions are mined in the order asked for, the others behind', () => {
  const chain = new SandboxChain()
  const [a, b, c] = [pay(chain), pay(chain), pay(chain)]
  const [block] = chain.mine(1, { first: [c!, a!] })
  assert.deepEqual(ids(block!), [c, a, b])
  assert.throws(() => chain.mine(1, { first: [a!] }), /does not wait/)
  assert.equal(chain.head, block)
})

test('missed slots leave a gap in time and none in height', () => {
  const chain = new SandboxChain({ clock: { now: () => new Date(1_800_000_000_000) } })
  const { height } = chain.head
  const [first, second] = chain.mine(2, { missedSlots: 2 })
  assert.deepEqual([first!.height, second!.height], [height + 1, height + 2])
  assert.equal(first!.timeMs, 1_800_000_006_000)
  assert.equal(second!.timeMs, 1_800_000_006_001)
})

test('after a skip blocks and transactions are dated later, a millisecond apart until the clock has caught up', () => {
  let nowMs = 1_800_000_000_000
  const chain = new SandboxChain({ clock: { now: () => new Date(nowMs) } })
  assert.equal(chain.skip(3600).getTime(), 1_800_003_600_000)
  assert.equal(chain.stamp().timeMs, 1_800_003_600_000)
  const times = chain.mine(2).map(({ timeMs }) => timeMs)
  assert.deepEqual(times, [1_800_003_600_000, 1_800_003_600_001])
  nowMs += 3_600_000 + 5_000
  assert.equal(chain.mine()[0]!.timeMs, nowMs)
})
