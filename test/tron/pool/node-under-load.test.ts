import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printableError } from '../../../src/base/printable-error.ts'
import { shownAt, shownJson } from '../node/fake-chain.ts'
import { type FakeNode, hang, refuse } from '../node/fake-node.ts'
import { fakeNodes, poolOf, steppedClock } from './pool-under-test.ts'

/** How long a test's blocks may take in all. */
const deadlineMs = 60_000

/**
 * Makes a node as slow as it is busy, and never refuse: what is asked at once is answered at once, the later the more it is. It
 * goes on working for callers who have given up.
 */
function slowWithLoad(node: FakeNode, eachMs: number): void {
  let busyWith = 0
  node.behave = ({ path, body }) => {
    const height = Number(body.num)
    if (!path.startsWith('/walletsolidity/get') || !(height > 0)) return undefined
    return response => {
      busyWith++
      // Others that came at the same moment count.
      setImmediate(() =>
        setTimeout(() => {
          busyWith--
          const answer = path.endsWith('byblocknum') ? shownAt(node, height).infos : shownJson(node, height)
          response.end(JSON.stringify(answer))
        }, eachMs * busyWith),
      )
    }
  }
}

/** Asks for many blocks at once, and for each again until it is there, as following does. */
async function followAll(ask: (height: number) => Promise<unknown>, heights: readonly number[]) {
  const end = Date.now() + deadlineMs
  await Promise.all(
    heights.map(async height => {
      while (!(await ask(height).catch(() => null))) assert(Date.now() < end, `block ${height} never came`)
    }),
  )
}

test('a node that only delays, the more the more it is asked, is asked less at once, and all blocks come', async () => {
  const [a, b] = await fakeNodes({}, { behave: () => hang })
  // Sixteen at once take 480 ms: none of them would ever come in time.
  slowWithLoad(a!, 30)
  const { pool } = poolOf([a!, b!], { deadlineMs: 240 })
  const heights = Array.from({ length: 64 }, (_, i) => 901 + i)
  await followAll(height => pool.solidBlock(height, { not: b!.name }), heights)
  // It needs 122 calls. The first sixteen were in vain, and few after them.
  assert(a!.calls.length < 400, `${a!.calls.length} calls`)
})

test('a lone node that hangs is waited for longer each time, and as before once it answers', async () => {
  const [a] = await fakeNodes({ behave: () => hang })
  const clock = steppedClock()
  const { pool } = poolOf([a!], { deadlineMs: 300, clock })
  const passRest = () => clock.pass(Math.max(0, (pool.status()[0]!.untilMs ?? 0) - clock.now().getTime()))
  /** How long it is waited for, once its rest is over. */
  const waited = async (height: number) => {
    passRest()
    const { message } = (await pool.solidBlock(height).catch(error => error)) as Error
    return Number(/timed out after (\d+) ms/.exec(message)?.[1])
  }
  assert.deepEqual([await waited(991), await waited(991), await waited(991)], [300, 600, 1_200])
  a!.behave = null
  const followed = (height: number) => {
    passRest()
    return pool.solidBlock(height)
  }
  await followAll(followed, [991, 992])
  a!.behave = () => hang
  assert.equal(await waited(993), 300)
})

test('while others can be asked, a node that hangs is not waited for longer', async () => {
  const [a, b] = await fakeNodes({ behave: () => hang }, {})
  const { pool, lines } = poolOf([a!, b!], { deadlineMs: 1_000 })
  await followAll(height => pool.solidBlock(height), [991, 992, 993])
  const timeouts = lines
    .filter(({ node }) => node === a!.name)
    .flatMap(({ why }) => /timed out after (\d+) ms/.exec(`${why}`)?.[1] ?? [])
  assert.deepEqual([...new Set(timeouts)], ['1000'])
})

const noonMs = Date.UTC(2026, 10, 23, 12)

test('the day, once used up, is over for a node until midnight, and not before; the next node takes over', async () => {
  const [a, b] = await fakeNodes({}, {})
  let nowMs = noonMs
  const clock = { now: () => new Date(nowMs++) }
  const { pool, states } = poolOf([a!, b!], { clock, quota: { perDay: 30, reservePerDay: 0 } })
  for (let height = 901; height < 909; height++) await pool.solidBlock(height, { not: b!.name })
  while (a!.calls.length < 30) await pool.solidBlock(920, { not: b!.name })
  await assert.rejects(pool.solidBlock(921, { not: b!.name }), error => {
    const { kind, retryAfterMs } = error as { kind: string; retryAfterMs: number }
    assert.equal(kind, 'later')
    assert(Math.abs(retryAfterMs - 12 * 3_600_000) < 60_000, `${retryAfterMs}`)
    return true
  })
  assert.equal(a!.calls.length, 30)
  assert.deepEqual(states(a!.name), ['later'])
  assert.match(pool.status()[0]!.why, /quota of 30/)
  assert.equal((await pool.solidBlock(922))!.node, b!.name)
  nowMs = Date.UTC(2026, 10, 24)
  assert((await pool.solidBlock(923, { not: b!.name }))!.node === a!.name)
})

test('sightings get nothing of a day that crediting needs, and crediting gets all of it', async () => {
  const [a] = await fakeNodes({})
  // What crediting needs is less towards the end of the day.
  let nowMs = noonMs
  const clock = { now: () => new Date(nowMs++) }
  const { pool } = poolOf([a!], { clock, quota: { perDay: 20_000, reservePerDay: 100_000 } })
  assert.equal(pool.spareCall(), false)
  await assert.rejects(pool.head({ turn: 'display' }), /kept for crediting/)
  await assert.rejects(pool.headBlock(1_000), /kept for crediting/)
  assert.equal((await pool.head()).height, 1_018)
  assert.equal(pool.status()[0]!.state, 'ok')
  const spare = poolOf([a!], { quota: { perDay: 100_000, reservePerDay: 0 } }).pool
  assert.equal(spare.spareCall(), true)
  assert.equal((await spare.head({ turn: 'display' })).height, 1_018)
})

test('an error says once what went wrong, and where', async () => {
  const [a] = await fakeNodes({ behave: ({ body }) => (body.num === 5 ? refuse(500, 'broken') : undefined) })
  const { pool } = poolOf([a!])
  const error = await pool.solidBlock(5).catch(error => error)
  const said: string[] = []
  for (let one = printableError(error); one; one = one.cause as typeof one) said.push(one.message)
  const whole = said.join(' | ')
  for (const part of [`node ${a!.name}`, 'block 5', '500']) {
    assert.equal(whole.split(part).length - 1, 1, `${part} in: ${whole}`)
  }
})
