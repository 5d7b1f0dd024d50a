import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, beforeEach, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { AlarmName } from '../../src/alarms/alarm.ts'
import { clearAlarms, forgetAlarms, raiseAlarm } from '../../src/alarms/alarm-store.ts'
import { recordAlarms } from '../../src/alarms/keep-alarms.ts'
import { openSender } from '../../src/alarms/send-message.ts'
import { tellAlarms } from '../../src/alarms/tell-alarms.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { createAlarms } from '../../src/blocks/watcher-alarms.ts'
import type { Queryable } from '../../src/db/pool.ts'
import { cloneDatabase } from '../support/database.ts'
import { type MerchantEndpoint, startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { recordLog } from '../support/recorded-log.ts'
import { waitUntil } from '../support/wait-until.ts'

// The receiver is a real HTTP server. Time passes by moving the rows' times back.
const { pool } = await cloneDatabase()
const token = 't0kenThatNobodyMaySee'
const secret = `whsec_${randomBytes(24).toString('base64')}`

beforeEach(async () => {
  await pool.query('delete from alarm')
})

function startTelling(
  receiver: MerchantEndpoint,
  options: { db?: Queryable; isTeller?: boolean; now?: () => number } = {},
) {
  const stopping = new AbortController()
  const recorded = recordLog()
  const sender = openSender()
  const done = tellAlarms({
    db: options.db ?? pool,
    target: {
      ...{ url: `${receiver.url}/${token}`, shape: 'plain', secret, chat: undefined, gateway: 'pay.example' },
    },
    sender,
    isTeller: () => options.isTeller ?? false,
    log: recorded.log,
    registry: createMetrics(),
    signal: stopping.signal,
    timing: { everyMs: 20, ...(options.now && { now: options.now }) },
  })
  const stop = async () => {
    stopping.abort()
    await sender.close()
    await done
  }
  after(stop)
  return { recorded, stop }
}

const raise = (count = 1, name: AlarmName = 'quarantine') =>
  raiseAlarm(pool, { name, by: 'watcher', count, detail: { quarantine: count } })
const clear = (by = 'watcher') => clearAlarms(pool, by, ['quarantine'])
/** Lets time pass for what is in the table. */
const pass = (time: string) =>
  pool.query(
    `update alarm
        set raised_at = raised_at - $1::interval, seen_at = seen_at - $1::interval, cleared_at = cleared_at - $1::interval,
            told_at = told_at - $1::interval, message_due_at = message_due_at - $1::interval,
            message_leased_until = message_leased_until - $1::interval`,
    [time],
  )
const eventsOf = ({ requests }: MerchantEndpoint) =>
  requests.map(({ body }) => {
    const { event, alarm, detail } = JSON.parse(body)
    return [event, alarm, detail.quarantine]
  })
const told = (receiver: MerchantEndpoint, count: number) =>
  waitUntil(`${count} messages`, () => receiver.requests.length >= count)
/** Everything that is due has been sent. */
const idle = () =>
  waitUntil('nothing is due', async () => {
    const { rows } = await pool.query(
      `select from alarm where message_due_at <= now() or message_leased_until > now()`,
    )
    return rows.length === 0
  })

/** A receiver that is told of all alarms, and has been sent the first message of one that was raised. */
async function raisedAndTold(answer?: Parameters<typeof startMerchantEndpoint>[0], count = 1) {
  const receiver = await startMerchantEndpoint(answer)
  startTelling(receiver)
  await raise(count)
  await told(receiver, 1)
  await idle()
  return receiver
}

test('an alarm is told once, however often it is found and whoever tells, and signed', async () => {
  const receiver = await startMerchantEndpoint()
  startTelling(receiver)
  startTelling(receiver)
  await Promise.all(Array.from({ length: 20 }, () => raise()))
  await told(receiver, 1)
  await raise()
  await idle()
  assert.deepEqual(eventsOf(receiver), [['alarm.raised', 'quarantine', 1]])
  const { body, headers } = receiver.requests[0]!
  new Webhook(secret).verify(body, headers as Record<string, string>)
  assert.throws(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>))
})

/** Lets time pass to each repeat of an alarm that was raised just now, and a minute more. */
async function passRepeats(each: () => Promise<unknown>) {
  await pass('1 min')
  for (const hours of [1, 6, ...Array<number>(12).fill(24)]) {
    await pass(`${hours} hours`)
    await each()
    await idle()
  }
}

test('what stays is repeated nine times, and what came on top once uses none of them up', async () => {
  const receiver = await raisedAndTold()
  await raise(3)
  await idle()
  assert.equal(receiver.requests.length, 1)
  await pass('11 min')
  await raise(3)
  await told(receiver, 2)
  await idle()
  assert.deepEqual(eventsOf(receiver)[1], ['alarm.repeated', 'quarantine', 3])
  await passRepeats(() => raise(3))
  assert.equal(receiver.requests.length, 2 + 9)
  // One more long after that is told too.
  await raise(4)
  await told(receiver, 12)
})

test('an alarm that grows all the time is told ever less often, in the end once a day', async () => {
  let count = 1
  const receiver = await raisedAndTold(undefined, count)
  const grow = async (times: number, time: string) => {
    const before = receiver.requests.length
    for (let i = 0; i < times; i++) {
      await pass(time)
      await raise(++count)
      await idle()
    }
    return receiver.requests.length - before
  }
  // After 10 min, after one hour the repeat, and one hour after that.
  assert.equal(await grow(18, '10 min'), 3)
  // The repeat after 7 hours, and by then no more.
  assert.equal(await grow(10, '30 min'), 1)
  await grow(40, '4 hours')
  assert((await grow(60, '4 hours')) <= 10, 'once a day')
})

test('an alarm that comes and goes is repeated like one that stays', async () => {
  const receiver = await raisedAndTold()
  const flap = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await clear()
      await pass('1 min')
      await idle()
      await raise()
      await pass('1 min')
      await idle()
    }
  }
  await flap(25)
  assert.equal(receiver.requests.length, 1)
  await flap(10)
  assert.deepEqual(eventsOf(receiver).slice(1), [['alarm.repeated', 'quarantine', 1]])
})

test('an alarm that ends for some minutes again and again is told to have ended ever later', async () => {
  const receiver = await startMerchantEndpoint()
  startTelling(receiver)
  for (let i = 0; i < 30; i++) {
    await raise()
    await pass('3 min')
    await raise()
    await idle()
    await clear()
    for (let minute = 0; minute < 11; minute++) {
      await pass('1 min')
      await idle()
    }
  }
  // Seven hours of it: 60 messages if each were told.
  const events = eventsOf(receiver).map(([event]) => event)
  assert(events.length <= 14, events.join())
  assert(events.includes('alarm.repeated'))
  for (let i = 0; i < 7; i++) {
    await pass('10 min')
    await idle()
  }
  assert.deepEqual(eventsOf(receiver).at(-1), ['alarm.cleared', 'quarantine', 1])
})

test('a receiver that fails is asked no more often when the alarm comes and goes', async () => {
  const receiver = await raisedAndTold({ status: 500 })
  for (let i = 0; i < 10; i++) {
    await clear()
    await raise(i)
    await idle()
  }
  assert.equal(receiver.requests.length, 1)
})

test('one of several that is settled while another comes is told', async () => {
  const receiver = await raisedAndTold(undefined, 2)
  await raise(1)
  await pass('11 min')
  await raise(2)
  await told(receiver, 2)
  assert.deepEqual(eventsOf(receiver)[1], ['alarm.repeated', 'quarantine', 2])
})

test('the end is told when it has lasted; an alarm that comes and goes is one occurrence', async () => {
  const receiver = await raisedAndTold()
  for (let i = 0; i < 10; i++) {
    await clear()
    await pass('1 min')
    await raise()
  }
  await idle()
  assert.equal(receiver.requests.length, 1)
  await clear()
  await pass('3 min')
  await told(receiver, 2)
  await idle()
  assert.deepEqual(eventsOf(receiver).at(-1), ['alarm.cleared', 'quarantine', 1])
  const { rows } = await pool.query(`select told from alarm`)
  assert.deepEqual(rows, [{ told: 'cleared' }])
  // Much later it is another one.
  await pass('1 hour')
  await raise()
  await told(receiver, 3)
  assert.equal((await pool.query(`select from alarm`)).rows.length, 2)
  const ids = receiver.requests.map(({ headers }) => headers['webhook-id'])
  assert.equal(new Set(ids).size, 3)
})

test('only whoever raised an alarm clears it, and one whose process has ended is forgotten', async () => {
  await raise()
  await clear('somebody else')
  assert.equal((await pool.query(`select from alarm where cleared_at is null`)).rows.length, 1)
  await forgetAlarms(pool)
  assert.equal((await pool.query(`select from alarm where cleared_at is null`)).rows.length, 1)
  await pass('16 min')
  await forgetAlarms(pool)
  assert.equal((await pool.query(`select from alarm where cleared_at is null`)).rows.length, 0)
  await pass('91 days')
  await forgetAlarms(pool)
  assert.equal((await pool.query(`select from alarm`)).rows.length, 0)
})

test('a leader that has not checked yet clears nothing; one that has clears what its predecessor raised', async () => {
  await raise()
  const alarms = createAlarms(createMetrics(), recordLog().log)
  await recordAlarms(pool, alarms)
  assert.equal((await pool.query(`select from alarm where cleared_at is null`)).rows.length, 1)
  alarms.set('quarantine', false)
  alarms.set('held', true, { transfers: 4 }, 4)
  await recordAlarms(pool, alarms)
  const { rows } = await pool.query(`select name, count, cleared_at is null as open from alarm order by name`)
  assert.deepEqual(rows, [
    { name: 'held', count: 4n, open: true },
    { name: 'quarantine', count: 1n, open: false },
  ])
  alarms.forget()
  assert.deepEqual([alarms.raised(), alarms.states()], [[], []])
})

for (const [what, answer] of [
  ['500', { status: 500 }],
  ['a redirect', { status: 302, headers: { location: '/elsewhere' } }],
  ['a connection that breaks off', { reset: true }],
  ['bytes that are no HTTP', { raw: 'hello' }],
] as const) {
  test(`${what} is no message: it is sent again under the same id, at a growing distance`, async () => {
    const receiver = await startMerchantEndpoint(answer)
    const { recorded } = startTelling(receiver)
    await raise()
    await told(receiver, 1)
    await idle()
    // More of it does not make it impatient.
    await raise(5)
    await idle()
    assert.equal(receiver.requests.length, 1)
    const { rows } = await pool.query(
      `select failures, extract(epoch from message_due_at - now()) > 3 as waits from alarm`,
    )
    assert.deepEqual(rows, [{ failures: 1, waits: true }])
    receiver.answer = { status: 204 }
    await pass('6 s')
    await told(receiver, 2)
    await idle()
    const [first, second] = receiver.requests.map(({ headers }) => headers['webhook-id'])
    assert.equal(first, second)
    assert.equal(recorded.lines('alarm.not_told').length, 1)
    assert(!recorded.text().includes(token), 'the URL is not in the log')
    assert(!recorded.text().includes(secret.slice(6)), 'the secret is not in the log')
  })
}

test('Retry-After is honoured up to an hour', async () => {
  await raisedAndTold({ status: 429, headers: { 'retry-after': '999999' } })
  const { rows } = await pool.query(
    `select extract(epoch from message_due_at - now())::float8 as s from alarm`,
  )
  assert(rows[0].s > 3_000 && rows[0].s <= 3_600, `${rows[0].s}`)
})

test('a receiver that hangs is cut off when the process stops, and the message is sent by another', async () => {
  const hanging = await startMerchantEndpoint({ hang: true })
  const { stop } = startTelling(hanging)
  await raise()
  await told(hanging, 1)
  await stop()
  const receiver = await startMerchantEndpoint()
  startTelling(receiver)
  await pass('6 s')
  await told(receiver, 1)
  assert.equal(receiver.requests[0]!.headers['webhook-id'], hanging.requests[0]!.headers['webhook-id'])
})

test('a process that dies while it sends loses no message', async () => {
  await raise()
  await pool.query(`update alarm set message_leased_until = now() + interval '2 min'`)
  const receiver = await startMerchantEndpoint()
  startTelling(receiver)
  await pass('3 min')
  await told(receiver, 1)
})

test('what ended before anybody could be told is told once; what ended a day ago is not', async () => {
  await raise()
  await clear()
  const receiver = await startMerchantEndpoint()
  startTelling(receiver)
  await told(receiver, 1)
  await idle()
  assert.deepEqual(eventsOf(receiver), [['alarm.cleared', 'quarantine', 1]])
  await pool.query(
    `insert into alarm (name, raised_by, cleared_at) values ('held', 'watcher', now() - interval '25 hours')`,
  )
  await raise(1, 'lag')
  await told(receiver, 2)
  assert.deepEqual(eventsOf(receiver)[1], ['alarm.raised', 'lag', 1])
})

test('of a database that is away one process tells, once, and says when it is back', async () => {
  let isAway = true
  let passedMs = 0
  const now = () => Date.now() + passedMs
  const db = {
    query: (...args: unknown[]) =>
      isAway ? Promise.reject(new Error('away')) : (pool.query as (...args: unknown[]) => unknown)(...args),
  } as unknown as Queryable
  const [teller, other] = [await startMerchantEndpoint({ status: 500 }), await startMerchantEndpoint()]
  const { recorded } = startTelling(teller, { db, isTeller: true, now })
  startTelling(other, { db, now })
  const runs = async () => {
    const before = recorded.lines('chore.failed').length
    await waitUntil('it is asked for longer', () => recorded.lines('chore.failed').length > before + 5)
  }
  await runs()
  assert.equal(teller.requests.length, 0)
  passedMs += 60_000
  await told(teller, 1)
  teller.answer = { status: 200 }
  passedMs += 5_000
  await told(teller, 2)
  await runs()
  assert.equal(teller.requests.length, 2)
  isAway = false
  await waitUntil('it goes on', async () => {
    passedMs += 60_000
    return teller.requests.length === 3
  })
  assert.deepEqual(
    eventsOf(teller).map(([event]) => event),
    ['alarm.raised', 'alarm.raised', 'alarm.cleared'],
  )
  assert.equal(other.requests.length, 0)
})
