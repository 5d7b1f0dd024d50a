import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, beforeEach, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { noticeBody, noticeMail } from '../../src/alarms/notice-message.ts'
import { openMailer } from '../../src/alarms/send-mail.ts'
import { openSender } from '../../src/alarms/send-message.ts'
import { type AlarmTarget, postSigned } from '../../src/alarms/tell-alarms.ts'
import { countNotices, tellNotices } from '../../src/alarms/tell-notices.ts'
import type { MerchantId } from '../../src/base/ids.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { inTransaction, type Queryable } from '../../src/db/pool.ts'
import type { NoticeKind } from '../../src/notices/notice.ts'
import { forgetNotices, type NoticeChannel, takeNotices } from '../../src/notices/notice-store.ts'
import { notify } from '../../src/notices/notify.ts'
import { cloneDatabase } from '../support/database.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { recordLog } from '../support/recorded-log.ts'
import { seedMerchant } from '../support/seed-merchant.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { waitUntil } from '../support/wait-until.ts'

// The receivers are real servers. Time passes by moving the rows' times back.
const { pool } = await cloneDatabase()
const secret = `whsec_${randomBytes(24).toString('base64')}`
const merchant = await seedMerchant(pool, { name: 'Red Lantern' })
const text = { en: 'Key 7 was created.', zh: '已新建密钥 7。' }

beforeEach(async () => {
  await pool.query('delete from notice')
})

test('many messages of one kind delay neither those of another kind nor those of other merchants', async () => {
  const other = await seedMerchant(pool, { name: 'Other' })
  const write = (kind: NoticeKind, { id }: { id: MerchantId }) =>
    inTransaction(pool, tx => notify(tx, { kind, merchantId: id, to: [], text }))
  for (let i = 0; i < 20; i++) await write('user_invited', merchant)
  await write('callback_url_changed', merchant)
  await write('key_created', other)
  const taken = [
    ...(await takeNotices(pool, 'webhook', 60_000, 2)),
    ...(await takeNotices(pool, 'webhook', 60_000, 2)),
  ]
  const kinds = ['callback_url_changed', 'key_created', 'user_invited', 'user_invited']
  assert.deepEqual(taken.map(({ kind }) => kind).sort(), kinds)
})

const tell = (to: string[] = [], given = text) =>
  inTransaction(pool, tx => notify(tx, { kind: 'key_created', merchantId: merchant.id, to, text: given }))
const pass = (time: string) =>
  pool.query(
    `update notice set created_at = created_at - $1::interval, due_at = due_at - $1::interval,
            leased_until = leased_until - $1::interval`,
    [time],
  )
const rowsOf = async (channel: NoticeChannel) =>
  (await pool.query('select * from notice where channel = $1 order by id', [channel])).rows
const isSent = async (channel: NoticeChannel) =>
  (await rowsOf(channel)).every(({ sent_at }) => sent_at !== null)

function start(channel: NoticeChannel, url: string, db: Queryable = pool, everyMs = 20) {
  const stopping = new AbortController()
  const { signal } = stopping
  const recorded = recordLog()
  const registry = createMetrics()
  const sender = openSender()
  const target: AlarmTarget = { url, shape: 'plain', secret, chat: undefined, gateway: 'pay.example' }
  const [host, port] = url.split(':')
  const server = { host: host!, port: Number(port), secure: false, user: undefined, password: undefined }
  const sendMail = openMailer({ ...server, from: 'gateway@pay.example' }, signal)
  const done = tellNotices({
    ...{ db, channel, log: recorded.log, counter: countNotices(registry), signal, everyMs },
    send:
      channel === 'mail'
        ? notice => sendMail(noticeMail(notice, 'pay.example'))
        : notice => postSigned(sender, target, noticeBody(notice, target), `notice_${notice.id}`),
  })
  const stop = async () => {
    stopping.abort()
    await sender.close()
    await done
  }
  after(stop)
  const counted = async (outcome: string) => {
    const { values } = await registry.getSingleMetric('gateway_notices_total')!.get()
    return values.find(({ labels }) => labels.channel === channel && labels.outcome === outcome)?.value
  }
  return { recorded, stop, counted }
}

test('the operator is told once, however many processes tell, signed', async () => {
  const receiver = await startMerchantEndpoint()
  const { counted, recorded } = start('webhook', receiver.url)
  const other = start('webhook', receiver.url)
  await Promise.all(Array.from({ length: 12 }, () => tell()))
  await waitUntil('all are sent', () => isSent('webhook'))
  assert.equal(receiver.requests.length, 12)
  assert.equal((await counted('sent'))! + (await other.counted('sent'))!, 12)
  assert.equal(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size, 12)
  const { body, headers } = receiver.requests[0]!
  new Webhook(secret).verify(body, headers as Record<string, string>)
  const { at, ...facts } = JSON.parse(body)
  assert(!Number.isNaN(Date.parse(at)))
  assert.deepEqual(facts, {
    ...{ event: 'notice', notice: 'key_created', meaning: 'Key created', text: text.en },
    ...{ merchant: merchant.appid, gateway: 'pay.example' },
  })
  assert(!recorded.text().includes(receiver.url))
})

test('many notices leave room for alarms at the same URL: one at a time is sent', async () => {
  const receiver = await startMerchantEndpoint()
  for (let i = 0; i < 5; i++) await tell()
  const { stop } = start('webhook', receiver.url, pool, 3_600_000)
  await waitUntil('one is sent', async () =>
    (await rowsOf('webhook')).some(({ sent_at }) => sent_at !== null),
  )
  assert.equal((await rowsOf('webhook')).filter(({ leased_until }) => leased_until !== null).length, 0)
  await stop()
})

test('everybody gets a mail of their own, in both languages', async () => {
  const server = await startSmtpServer()
  start('mail', server.url)
  await tell(['ann@shop.example', 'bo@shop.example', 'ann@shop.example'])
  await waitUntil('all are sent', () => isSent('mail'))
  assert.deepEqual(server.mails.map(({ to }) => to.join()).sort(), ['ann@shop.example', 'bo@shop.example'])
  assert.equal(await isSent('webhook'), false, 'that is another channel')
  assert.equal((await rowsOf('mail'))[0].text, `${text.en}\n\n${text.zh}`)
})

test('a mail waits for its server at a growing distance, and is given up after three days', async () => {
  const server = await startSmtpServer()
  server.faults.set('RCPT', { text: '550 s3cret answer\r\n' })
  const { recorded, counted } = start('mail', server.url)
  await tell(['ann@shop.example'])
  const waits: number[] = []
  for (let failures = 1; failures <= 6; failures++) {
    await waitUntil('it has failed', async () => (await rowsOf('mail'))[0].failures === failures)
    waits.push(Number(recorded.lines('notice.not_sent').at(-1)!.retryInMs))
    await pass('1 hour')
  }
  assert.deepEqual(waits, [5_000, 30_000, 120_000, 600_000, 3_600_000, 3_600_000])
  assert.match(`${recorded.lines('notice.not_sent')[0]!.reason}`, /550/)
  assert(!recorded.text().includes('s3cret'))
  assert(!recorded.text().includes('ann@'))
  server.faults.clear()
  await waitUntil('it is sent', () => isSent('mail'))
  server.faults.set('RCPT', 'reset')
  await tell(['ann@shop.example'])
  await pool.query(
    `update notice set created_at = now() - interval '71 hours 59 minutes 59 seconds', due_at = now() where sent_at is null and channel = 'mail'`,
  )
  await waitUntil('it is given up', () => recorded.lines('notice.given_up').length === 1)
  assert.equal(await counted('given_up'), 1)
  assert.equal((await rowsOf('mail'))[1].due_at, null)
})

test('what nobody could send for three days is not sent after all', async () => {
  await tell(['ann@shop.example'])
  await pass('73 hours')
  await tell(['bo@shop.example'])
  const server = await startSmtpServer()
  start('mail', server.url)
  await waitUntil('the new one is sent', () => server.mails.length > 0)
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['bo@shop.example']],
  )
  await pass('91 days')
  await forgetNotices(pool)
  assert.deepEqual(await rowsOf('mail'), [])
})

test('a process that dies while it sends, or before it has recorded that, loses no mail', async () => {
  const server = await startSmtpServer()
  server.faults.set('data', 'hang')
  const { stop } = start('mail', server.url)
  await tell(['ann@shop.example'])
  await waitUntil('the server has it', () => server.mails.length === 1)
  // As after a kill: leased, and nothing recorded.
  await pool.query(`update notice set leased_until = now() + interval '3 minutes'`)
  await stop()
  await pool.query(
    `update notice set sent_at = null, failures = 0, due_at = now(), leased_until = now() + interval '3 minutes'`,
  )
  server.faults.clear()
  start('mail', server.url)
  await pool.query(`update notice set leased_until = now()`)
  await waitUntil('it is sent again', () => isSent('mail'))
  const ids = server.mails.map(({ data }) => /^Message-ID: (.*)\r$/m.exec(data)?.[1])
  assert.equal(ids.length, 2)
  assert.equal(ids[0], ids[1])
})

test('a mail that was sent and could not be recorded as sent is sent again, later', async () => {
  const server = await startSmtpServer()
  let failing = true
  const db = {
    query: (statement: never, ...rest: never[]) =>
      failing && `${statement}`.includes('sent_at = now()')
        ? Promise.reject(new Error('the database is gone'))
        : (pool.query as (...args: unknown[]) => unknown)(statement, ...rest),
  } as unknown as Queryable
  const { recorded } = start('mail', server.url, db)
  await tell(['ann@shop.example'])
  await waitUntil('it could not be recorded', () => recorded.lines('chore.failed').length > 0)
  assert.equal(server.mails.length, 1)
  failing = false
  await pass('4 minutes')
  await waitUntil('it is recorded', () => isSent('mail'))
  assert.equal(server.mails.length, 2)
})

test('what people have written is one text: no control characters, and cut', async () => {
  await tell(['ann@shop.example'], { en: `a\r\n\0\u001b[31mb${'x'.repeat(9_999)}`, zh: '' })
  const [row] = await rowsOf('webhook')
  assert.match(row.text, /^a \n \[31mbxxx/)
  assert(row.text.length <= 2_000)
  const wrong = [
    'a@b, c@d',
    'Ann <a@b>',
    'a@b\r\nBcc: c@d',
    'a b@c',
    '"a"@b',
    '@b',
    'a@',
    'a',
    `${'a'.repeat(260)}@b`,
  ]
  for (const address of wrong) await assert.rejects(tell([address]), /a mail address is checked/, address)
  // The table has the same rule.
  for (const address of wrong)
    await assert.rejects(
      pool.query(
        `insert into notice (kind, channel, recipient, text) values ('key_created', 'mail', $1, 'x')`,
        [address],
      ),
      /notice_recipient_check/,
      address,
    )
})

test('Slack and Telegram get a notice as one text', () => {
  const notice = {
    ...{ id: 1n, kind: 'key_created' as const, appid: 'x', recipient: null, failures: 0 },
    ...{ text: 'By: <!channel>', createdAt: new Date() },
  }
  const bodyOf = (shape: AlarmTarget['shape']) =>
    JSON.parse(noticeBody(notice, { shape, chat: '-100', gateway: 'pay.example' }))
  assert.deepEqual(bodyOf('slack'), { text: '[pay.example] Key created\nBy: &lt;!channel&gt;' })
  assert.deepEqual(bodyOf('telegram'), {
    ...{ chat_id: '-100', text: '[pay.example] Key created\nBy: <!channel>', disable_web_page_preview: true },
  })
})
