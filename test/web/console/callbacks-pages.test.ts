import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resendCallbacks } from '../../../src/callbacks/outbox/resend-callbacks.ts'
import { orderResend, runResendJobs } from '../../../src/callbacks/outbox/resend-jobs.ts'
import { addMerchant } from '../../../src/merchants/add-merchant.ts'
import { testXpub } from '../../support/api-under-test.ts'
import { deliver, exhaust, lease, waitLong } from '../../support/callback-states.ts'
import { openConsoleUnderTest } from '../../support/console-under-test.ts'
import { startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { seedAttempt, seedCallback, seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'

const center = await openConsoleUnderTest({ CALLBACK_ALLOWED_NETWORKS: '127.0.0.0/8' })
const { pool, merchants } = center
const merchant = await seedMerchant(pool, { callbackUrl: 'https://shop.example/cb' })
const other = await seedMerchant(pool, { callbackUrl: 'https://other.example/cb' })
const developer = await center.addPerson('dev@example.com', { roles: [[merchant, 'developer']] })
const support = await center.addPerson('support@example.com', { roles: [[merchant, 'support']] })
const stranger = await center.addPerson('stranger@example.com', { roles: [[other, 'owner']] })

test('lists show the callbacks in a state, of the merchant alone; a broken filter does not restrict', async () => {
  const [due, failing, exhausted, delivered] = await seedCallbacks(pool, Array(4).fill({ merchant }))
  await waitLong(pool, failing!)
  await exhaust(pool, exhausted!)
  await deliver(pool, delivered!)
  const foreign = await seedCallback(pool, { merchant: other })
  const visit = await center.signedIn(developer)
  const shown = async (query: string) => {
    const { status, text } = await visit.get(`/console/callbacks${query}`)
    assert.equal(status, 200, query)
    return [due, failing, exhausted, delivered, foreign].map(one =>
      text.includes(`/console/callbacks/${one!.key}"`),
    )
  }
  assert.deepEqual(await shown(''), [true, true, true, true, false])
  assert.deepEqual(await shown('?list=due'), [true, true, false, false, false])
  assert.deepEqual(await shown('?list=failing'), [false, true, false, false, false])
  assert.deepEqual(await shown('?list=exhausted'), [false, false, true, false, false])
  assert.deepEqual(await shown('?list=delivered&from=2020-01-01'), [false, false, false, true, false])
  assert.deepEqual(await shown('?list=delivered&to=2020-01-01'), [false, false, false, false, false])
  assert.deepEqual(await shown('?origin=https://nowhere'), [false, false, false, false, false])
  for (const odd of [
    '?list=x',
    "?after=1'",
    '?after=1.1.1',
    '?from=2026-13-99',
    // Postgres has no such year.
    '?from=0000-01-01&to=0000-01-01',
    '?list=due&list=x&from=%00',
    '?origin=%00',
    '?origin=%F0%9F%98%80%27',
  ])
    assert.equal((await visit.get(`/console/callbacks${odd}`)).status, 200, odd)
  assert.equal((await visit.get('/console/callbacks?list=held')).text.includes('Nothing is held'), true)
  const origins = await visit.get('/console/callbacks/origins')
  assert.match(origins.text, /https:\/\/shop\.example:443/)
  assert.doesNotMatch(origins.text, /other\.example/)
  const all = await (await center.signedIn(center.admin)).get('/console/callbacks/origins')
  assert.match(all.text, /other\.example/)
})

test('days are those of a zone, the last one included, and a file has what is filtered', async () => {
  const shop = await seedMerchant(pool, { callbackUrl: 'https://days.example/cb' })
  const person = await center.addPerson('days@example.com', { roles: [[shop, 'support']] })
  const [first, second, third] = await seedCallbacks(
    pool,
    ['first', 'second', 'third'].map(orderid => ({ merchant: shop, orderid })),
  )
  const announce = (id: bigint, at: string) =>
    pool.query(
      `begin;
       set local session_replication_role = replica;
       update callback set created_at = '${at}' where id = ${id};
       commit`,
    )
  await announce(first!.callbackId, '2026-05-09T16:30:00Z')
  await announce(second!.callbackId, '2026-05-10T15:59:59Z')
  await announce(third!.callbackId, '2026-05-10T16:00:00Z')
  await waitLong(pool, third!)
  const visit = await center.signedIn(person)
  const files = async (query: string) => {
    const file = await visit.get(`/console/callbacks.csv?${query}`)
    assert.equal(file.status, 200)
    const { text } = await visit.get(`/console/callbacks?${query}`)
    const [header, ...lines] = file.text.slice(1).trimEnd().split('\r\n')
    const rows = lines.map(line => {
      const cells = line.split(',')
      return Object.fromEntries(header!.split(',').map((name, i) => [name, cells[i]]))
    })
    // The page shows the same.
    const keys = [...text.matchAll(/\/console\/callbacks\/(cb_\w+)"/g)].map(([, key]) => key)
    assert.deepEqual(
      rows.map(({ key }) => key),
      keys,
    )
    return rows
  }
  const ids = async (query: string) => (await files(query)).map(({ orderid }) => orderid)
  assert.deepEqual(await ids('from=2026-05-10&to=2026-05-10&zone=Asia/Shanghai'), ['second', 'first'])
  assert.deepEqual(await ids('from=2026-05-10&to=2026-05-10&zone=UTC'), ['third', 'second'])
  assert.deepEqual(await ids('list=failing'), ['third'])
  const [row] = await files('list=failing&zone=Asia/Shanghai')
  assert.equal(row!.announced_local, '2026-05-11 00:00:00')
  assert.equal(row!.announced_utc, '2026-05-10T16:00:00Z')
  assert.match(row!.amount_usdt!, /^\d+(\.\d+)?$/)
  assert.match(
    (await visit.get('/console/callbacks?list=failing&zone=Asia/Shanghai')).text,
    /href="\/console\/callbacks\.csv\?list=failing&amp;zone=Asia%2FShanghai"/,
  )
  // Sent again, it no longer waits for another attempt: the list and its state say the same.
  assert.match((await visit.get('/console/callbacks?list=due')).text, />failing</)
  await resendCallbacks(pool, [third!.callbackId])
  assert.doesNotMatch((await visit.get('/console/callbacks?list=due')).text, />failing</)
})

test('a long list goes on page by page', async () => {
  const busy = await seedMerchant(pool, { callbackUrl: 'https://busy.example/cb' })
  const person = await center.addPerson('busy@example.com', { roles: [[busy, 'support']] })
  await seedCallbacks(pool, Array(120).fill({ merchant: busy }))
  const visit = await center.signedIn(person)
  const keys = new Set<string>()
  let path: string | undefined = '/console/callbacks?list=due'
  let pages = 0
  for (; path && pages < 10; pages++) {
    const { text } = await visit.get(path)
    for (const [, key] of text.matchAll(/\/console\/callbacks\/(cb_\w+)"/g)) keys.add(key!)
    path = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
  }
  assert.deepEqual([keys.size, pages], [120, 3])
})

test('a callback shows each attempt with its whole answer, and what comes next', async () => {
  const callback = await seedCallback(pool, { merchant })
  const answer = `${'x'.repeat(2_040)}<i>end`
  for (let n = 1; n <= 25; n++)
    await seedAttempt(pool, {
      ...{
        callbackId: callback.callbackId,
        attempt: n,
        outcome: 'refused',
        status: 500,
        scheduleStep: 0,
        retryInMs: 5_000,
      },
      startedAt: new Date(Date.now() - (30 - n) * 60_000),
      answer: n === 25 ? answer : 'no',
    })
  const visit = await center.signedIn(support)
  const path = `/console/callbacks/${callback.key}`
  const { status, text } = await visit.get(path)
  assert.equal(status, 200)
  assert.match(text, /x{2040}&lt;i/)
  assert.match(text, /Attempt 25[\s\S]*Attempt 6/)
  assert.doesNotMatch(text, /Attempt 5</)
  assert.match(text, /It is due\. A courier takes it next/)
  assert.doesNotMatch(text, /resend"/)
  const older = /rel="next" href="([^"]*)"/.exec(text)![1]!
  assert.match((await visit.get(older)).text, /Attempt 5[\s\S]*Attempt 1</)
  assert.equal((await visit.get(`${path}?before=never`)).status, 200)
  assert.equal((await (await center.signedIn(stranger)).get(path)).status, 404)
  assert.equal((await visit.get('/console/callbacks/cb_none')).status, 404)
})

test('one is sent again by whoever may, and one in flight is left alone', async () => {
  const callback = await seedCallback(pool, { merchant })
  await exhaust(pool, callback)
  const path = `/console/callbacks/${callback.key}`
  const visit = await center.signedIn(developer)
  await visit.get(path)
  const sent = await visit.post(`${path}/resend`)
  assert.equal(sent.location, `${path}?done=resent`)
  assert.match((await visit.get(sent.location!)).text, /It is due now/)
  await lease(pool, callback)
  const not = await visit.post(`${path}/resend`)
  assert.match((await visit.get(not.location!)).text, /being sent at that moment/)
  for (const person of [support, stranger]) {
    const unable = await center.signedIn(person)
    assert.equal((await unable.post(`${path}/resend`)).status, 404)
  }
})

test('many are sent again after their number was shown, and only those of the list', async () => {
  const shop = await seedMerchant(pool, { callbackUrl: 'https://many.example/cb' })
  const person = await center.addPerson('many@example.com', { roles: [[shop, 'owner']] })
  const callbacks = await seedCallbacks(pool, Array(3).fill({ merchant: shop }))
  for (const one of callbacks.slice(0, 2)) await exhaust(pool, one)
  const visit = await center.signedIn(person)
  const path = '/console/callbacks/resend'
  const asked = await visit.get(`${path}?list=exhausted`)
  assert.match(asked.text, /2 callbacks are in the list “Exhausted”/)
  const shown = {
    list: 'exhausted',
    count: /name="count" value="(\d+)"/.exec(asked.text)![1]!,
    upTo: /name="upTo" value="(\d+)"/.exec(asked.text)![1]!,
  }
  assert.equal(shown.count, '2')
  // Given up after the count was shown.
  await exhaust(pool, callbacks[2]!)
  for (const form of [
    { list: 'exhausted' },
    { ...shown, count: '-1' },
    { ...shown, upTo: 'x' },
    { ...shown, list: 'all' },
  ])
    assert.equal((await visit.post(path, form)).status, 200, JSON.stringify(form))
  const sent = await visit.post(path, shown)
  assert.equal(sent.location, '/console/callbacks/resends?done=begun')
  assert.match((await visit.get('/console/callbacks')).text, /Callbacks are being sent again/)
  const busy = await visit.post(path, shown)
  assert.equal(busy.status, 409)
  assert.match(busy.text, /Another one is running/)
  await runResendJobs(pool)
  const list = await visit.get('/console/callbacks/resends')
  assert.match(list.text, /Exhausted/)
  assert.match(list.text, /<progress max="2" value="2"/)
  const { rows } = await pool.query(
    `select count(*)::int as due from callback_outbox b join callback c on c.id = b.callback_id where c.merchant_id = $1`,
    [shop.id],
  )
  assert.equal(rows[0].due, 2)
  // One announced later is not of what was shown.
  assert.match((await visit.post(path, shown)).text, /1 callback is in the list/)
  const audit = await pool.query(
    `select distinct actor from audit_event where action like 'callbacks.resen%'`,
  )
  assert.deepEqual(audit.rows, [{ actor: 'many <many@example.com>' }])
  assert.equal((await (await center.signedIn(support)).get(`${path}?list=due`)).status, 404)
})

test('who asked for a resend in bulk can stop it; another merchant can neither see nor stop it', async () => {
  const shop = await seedMerchant(pool, { callbackUrl: 'https://stopped.example/cb' })
  const person = await center.addPerson('stopper@example.com', { roles: [[shop, 'developer']] })
  const viewer = await center.addPerson('onlooker@example.com', { roles: [[shop, 'support']] })
  const stranger = await center.addPerson('other-stopper@example.com', {
    roles: [[await seedMerchant(pool), 'owner']],
  })
  const [callback] = await seedCallbacks(pool, [{ merchant: shop }])
  const jobId = await orderResend(
    pool,
    { merchant: shop, ids: [callback!.callbackId], state: 'due', filter: { list: 'due', origin: '<b>' } },
    { actor: 'someone <i>' },
  )
  const path = '/console/callbacks/resends'
  const foreign = await center.signedIn(stranger)
  assert.doesNotMatch((await foreign.get(path)).text, /someone/)
  for (const id of [jobId, 'x', '9'.repeat(30)])
    assert.equal((await foreign.post(`${path}/${id}/stop`)).status, 404)
  const watching = await center.signedIn(viewer)
  assert.match((await watching.get(path)).text, /runs/)
  assert.doesNotMatch((await watching.get(path)).text, /\/stop"/)
  assert.equal((await watching.post(`${path}/${jobId}/stop`)).status, 404)
  const visit = await center.signedIn(person)
  const shown = await visit.get(path)
  assert.match(shown.text, /someone &lt;i/)
  assert.match(shown.text, /&lt;b/)
  assert.equal((await visit.post(`${path}/${jobId}/stop`)).location, `${path}?done=stopped`)
  assert.equal((await visit.post(`${path}/${jobId}/stop`)).location, path)
  assert.match((await visit.get(path)).text, /stopped by stopper/)
})

test('a test shows the signed request and the answer, and no secret', async () => {
  const endpoint = await startMerchantEndpoint({ status: 500, body: '<b>not today' })
  const added = await addMerchant(pool, center.config.masterKey, {
    ...{ name: 'tested', xpub: testXpub, callbackUrl: endpoint.url, scheme: 'hmac-sha256' },
    checkUrl: () => null,
  })
  await merchants.refresh()
  const tested = merchants.byAppid(added.appid)!
  const person = await center.addPerson('tested@example.com', { roles: [[tested, 'developer']] })
  const visit = await center.signedIn(person)
  const form = await visit.get('/console/callbacks/test')
  assert.match(form.text, new RegExp(`it goes to ${endpoint.url}`))
  const { status, text } = await visit.post('/console/callbacks/test', { url: '' })
  assert.equal(status, 200)
  assert.match(text, /It was not acknowledged/)
  assert.match(text, /&lt;b>not today|&lt;b&gt;not today/)
  const [received] = endpoint.requests
  for (const name of ['webhook-signature', 'idempotency-key', 'content-length', 'host'])
    assert.ok(text.includes(`<code>${received!.headers[name]}</code>`.replaceAll('+', '+')), name)
  assert.match(text, /callback\?amount=0&amp;appid=/)
  for (const { key } of tested.keys) assert.ok(!text.includes(key))
  for (const secret of tested.webhookSecrets) assert.ok(!text.includes(secret.slice(6)))
  const refused = await visit.post('/console/callbacks/test', { url: 'ftp://shop.example/' })
  assert.equal(refused.status, 400)
  assert.match(refused.text, /must be an https URL/)
  const admin = await center.signedIn(center.admin)
  assert.match((await admin.get('/console/callbacks/test')).text, /Choose a merchant above/)
  assert.equal((await admin.post('/console/callbacks/test', { url: '' })).status, 400)
  assert.equal((await (await center.signedIn(support)).post('/console/callbacks/test', {})).status, 404)
})
