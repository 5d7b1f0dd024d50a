import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { alarmNames } from '../../../src/alarms/alarm.ts'
import { raiseAlarm } from '../../../src/alarms/alarm-store.ts'
import { reportProcess } from '../../../src/alarms/process-store.ts'
import { readConfig } from '../../../src/base/config.ts'
import { settings } from '../../../src/base/settings.ts'
import { addNodeCalls, writeNodes } from '../../../src/blocks/node-store.ts'
import { takeLease } from '../../../src/blocks/watcher-lease-store.ts'
import { alarmWords } from '../../../src/web/console/parts/alarm-words.ts'
import { readRunbook } from '../../../src/web/console/system/runbook.ts'
import { sizeText } from '../../../src/web/console/system/system-database.tsx'
import { followChain } from '../../support/api-under-test.ts'
import { startBreakableProxy } from '../../support/breakable-proxy.ts'
import { openConsoleOn, openConsoleUnderTest } from '../../support/console-under-test.ts'
import { cloneDatabase } from '../../support/database.ts'
import { pageWords } from '../../support/page-words.ts'
import { seedAddress } from '../../support/seed.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { waitUntil } from '../../support/wait-until.ts'

const secrets = {
  TRONGRID_API_KEY: 'trongrid-key-123',
  TRON_NODES: 'https://node.example/path-that-is-a-key,grpc://other.example:50051',
  ALARM_WEBHOOK_URL: 'https://hooks.example/services/T000/B000/hidden-token',
  REDIS_URL: 'redis://:redis-password@redis.example:6379',
}

test('the system page shows what runs, and no secret', async () => {
  const center = await openConsoleUnderTest(secrets)
  const { pool, config } = center
  const visit = await center.signedIn(center.admin)
  const before = pageWords((await visit.get('/console/system')).text)
  assert.match(before, /No watcher has started yet/)
  assert.match(before, /No alarm is raised/)
  assert.match(before, /Nothing runs/)

  await followChain(pool)
  await pool.query(`update chain_cursor set height = 70000123`)
  await takeLease(pool, 'watcher-7', 60_000)
  await raiseAlarm(pool, { name: 'held', by: 'watcher', count: 3, detail: { oldest: '2031' } })
  await reportProcess(pool, { id: 'host 1 abc', roles: ['api'], why: null, version: '0.1.0' })
  await reportProcess(pool, { id: 'host 2 def', roles: ['courier'], why: 'no queue', version: '0.0.9' })
  await pool.query(
    `insert into job (kind, subject, started_by, started_at, done, total, seen_at, ended_at, problem)
     values ('rescan', 'blocks 1 to 400', 'alice', now() - interval '10 seconds', 100, 400, now(), null, null),
            ('resend', 'merchant m', 'bob', now() - interval '1 hour', 5, 9, now(), now(), 'it broke'),
            ('resend', 'merchant n', 'bob', now() - interval '1 hour', 5, 9, now() - interval '2 minutes', null, null)`,
  )
  await pool.query(
    `insert into callback_attempt (callback_id, attempt, started_at, duration_ms, url, outcome)
     select n, 1, '2020-01-01', 1, 'https://shop.example/cb', 'refused' from generate_series(1, 5000) n`,
  )
  // Sizes are kept for a minute.
  const fresh = await openConsoleOn(center, secrets)
  after(fresh.close)
  const { text, status } = await (await fresh.signedIn(center.admin)).get('/console/system')
  assert.equal(status, 200)
  const words = pageWords(text)
  assert.match(words, /Cursor 70.000.123/)
  assert.match(words, /Watcher that leads watcher-7/)
  assert.match(words, /held Large payments have waited.* 3 things/)
  assert.match(text, /href="\/console\/system\/alarms\/held"/)
  assert.match(words, /Rescan blocks 1 to 400 100 of 400 10 a second, about [\d.]+ s left runs .* alice/)
  assert.match(words, /merchant m 5 of 9 .*failed it broke .* bob/)
  assert.match(words, /merchant n 5 of 9 .*says nothing any more/)
  assert.match(words, /host 1 abc api 0\.1\.0 ready/)
  assert.match(words, /host 2 def courier 0\.0\.9 not ready no queue/)
  assert.match(words, /Processes of different versions run/)
  assert.match(words, /Within the last minute no process worked as: watcher, courier\./)
  assert.match(words, /callback_attempt .*callback_attempt_default/)
  assert.match(words, /TRON_NODES https:\/\/node\.example, grpc:\/\/other\.example:50051/)
  assert.match(words, /TRONGRID_API_KEY set, not shown/)
  for (const secret of [
    ...['trongrid-key-123', 'path-that-is-a-key', 'hidden-token', 'redis-password'],
    config.masterKey.toString('hex'),
  ])
    assert(!text.includes(secret), secret)
})

test('a part of the system page that cannot be read says so, and the others are shown', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const visit = await center.signedIn(center.admin)
  await followChain(pool)
  await raiseAlarm(pool, { name: 'held', by: 'watcher', count: 3, detail: {} })
  await pool.query(`alter table job rename to job_away`)
  await pool.query(`alter table waiting_transfer rename to waiting_away`)
  const { text, status } = await visit.get('/console/system')
  assert.equal(status, 200)
  const words = pageWords(text)
  assert.match(words, /held Large payments have waited/)
  assert.match(words, /Jobs This could not be read\. The reason is in the log under the number \S+ Processes/)
  assert.match(words, /Followed from .*This could not be read/)
  assert.match(center.logged(), /relation \\"job\\" does not exist.*console\.failed/)
  const nodes = await visit.get('/console/nodes')
  assert.equal(nodes.status, 200)
  assert.match(pageWords(nodes.text), /No watcher has reported its nodes yet.*This could not be read/)
})

test('an alarm that the database tells of is shown though no process runs that would raise it', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  await followChain(pool)
  const visit = await center.signedIn(center.admin)
  assert.match(pageWords((await visit.get('/console/system')).text), /No alarm is raised/)
  await pool.query(
    `insert into contract_event (txid, log_index, event, block_height, block_time) values ('aa', 0, 'Pause', 5, now())`,
  )
  const words = pageWords((await visit.get('/console/system')).text)
  assert.doesNotMatch(words, /No alarm is raised/)
  assert.match(words, /contract .* – – The database tells of it; no process has raised it yet\./)
  assert.match(
    pageWords((await visit.get('/console/system/alarms/contract')).text),
    /Alarm contract The database tells of it/,
  )
  await raiseAlarm(pool, { name: 'contract', by: 'watcher', count: 1, detail: {} })
  const raised = (await visit.get('/console/system')).text
  assert.doesNotMatch(pageWords(raised), /The database tells of it/)
})

test('while the database cannot be reached every page says so, and works again after it', async () => {
  const database = await cloneDatabase()
  const proxy = await startBreakableProxy(database.url)
  const center = await openConsoleOn({ url: proxy.url, pool: database.pool })
  after(center.close)
  const visit = await center.signedIn(center.admin)
  assert.equal((await visit.get('/console/system')).status, 200)
  await proxy.cut()
  for (const path of ['/console/system', '/console/nodes', '/console/merchants', '/console']) {
    const { status, text, headers } = await visit.get(path)
    assert.deepEqual([status, headers['retry-after']], [503, '10'], path)
    assert.match(pageWords(text), /The database cannot be reached.*Payments are not lost/)
  }
  await proxy.restore()
  await waitUntil('the page is back', async () => (await visit.get('/console/system')).status === 200)
})

test('what waits is counted up to a limit, and each count leads to its list', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  await followChain(pool)
  const merchant = await seedMerchant(pool)
  const { addressId } = await seedAddress(pool, { merchantId: merchant.id })
  await pool.query(
    `with t as (insert into transfer (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index)
                select lpad(to_hex(n), 64, '0'), 0, $1, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 1000000, n, 'hash', now(), 0
                  from generate_series(1, 10003) n
                returning id, deposit_address_id, block_height as n)
     insert into waiting_transfer (transfer_id, deposit_address_id, reason)
     select id, deposit_address_id, case when n > 10001 then 'held' else 'unclaimed' end from t`,
    [addressId],
  )
  const { text } = await (await center.signedIn(center.admin)).get('/console/system')
  assert.match(
    pageWords(text),
    /Unclaimed transfers more than 10000 Held for a second node 2 Waiting for proof 0/,
  )
  assert.match(text, /<a href="\/console\/money\?list=held">/)
})

test('every setting is shown once, with where it is from', () => {
  const { inForce } = readConfig({ PORT: '81', XPUB: '', DATABASE_URL: 'postgres://me:hidden@db.example/x' })
  assert.deepEqual(inForce.map(({ name }) => name).sort(), Object.keys(settings).sort())
  const of = (wanted: string) => inForce.find(({ name }) => name === wanted)
  assert.deepEqual(of('PORT'), { name: 'PORT', from: 'environment', shown: '81' })
  assert.deepEqual(of('HOST'), { name: 'HOST', from: 'default', shown: '127.0.0.1' })
  assert.deepEqual(of('XPUB'), { name: 'XPUB', from: 'not set', shown: null })
  assert.equal(of('DATABASE_URL')!.shown, 'postgres://db.example')
})

test('of a URL with a password nothing is shown that is a part of it', () => {
  const shown = (env: Record<string, string>) =>
    readConfig(env)
      .inForce.filter(({ name }) => name in env)
      .map(one => one.shown)
  const secrets = ['12,34', '12|34', '12,34|56']
  for (const password of secrets) {
    const others = {
      DATABASE_URL: `postgres://me:${password}@db.example/x?sslmode=require`,
      REDIS_URL: `rediss://:${password}@redis.example:6380/1`,
      ALARM_WEBHOOK_URL: `https://me:${password}@hooks.example/T0/B0/x?token=${password}`,
      HEARTBEAT_URL: `https://ping.example/${password}`,
      RECONCILE_URL: `https://grid.example/${password}`,
    }
    assert.deepEqual(shown(others), [
      ...['postgres://db.example', 'rediss://redis.example:6380', 'https://grid.example'],
      ...['https://hooks.example', 'https://ping.example'],
    ])
  }
  assert.deepEqual(
    shown({ TRON_NODES: 'https://a.example/key?apikey=12|https://me:34@b.example,grpc://c.example:1' }),
    ['https://a.example | https://b.example, grpc://c.example:1'],
  )
  assert.deepEqual(shown({ PUBLIC_URL: 'https://me:12@pay.example/shop' }), [
    'https://[hidden]@pay.example/shop',
  ])
  assert.deepEqual(shown({ PUBLIC_URL: 'https://pay.example/shop/' }), ['https://pay.example/shop/'])
})

test('each alarm has its page with the text of docs/alarms.md, in words of both languages', async () => {
  const center = await openConsoleUnderTest()
  const visit = await center.signedIn(center.admin)
  for (const alarm of alarmNames) {
    const blocks = readRunbook(alarm)!
    assert(blocks.length > 0, alarm)
    const { status, text } = await visit.get(`/console/system/alarms/${alarm}`)
    assert.equal(status, 200)
    assert(pageWords(text).includes(alarmWords.en.meanings[alarm]), alarm)
    assert.doesNotMatch(text, /\]\(|###/)
  }
  assert.deepEqual(Object.keys(alarmWords.zh.meanings).sort(), [...alarmNames].sort())
  assert.deepEqual(Object.keys(alarmWords.zh.firstSteps).sort(), [...alarmNames].sort())
  const steps = readRunbook('lag')!.find(block => block.kind === 'steps')
  assert.equal(steps?.kind === 'steps' && steps.steps.length, 3)
  assert.equal((await visit.get('/console/system/alarms/none')).status, 404)
  await raiseAlarm(center.pool, { name: 'lag', by: 'watcher', count: 1, detail: { blocks_behind: 77 } })
  const { text } = await visit.get('/console/system/alarms/lag')
  assert.match(pageWords(text), /It is raised\..*blocks_behind 77/)
})

test('nodes are shown with their height, their calls of today against the quota, and why one is distrusted', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const visit = await center.signedIn(center.admin)
  assert.match((await visit.get('/console/nodes')).text, /No watcher has reported its nodes yet/)
  await followChain(pool)
  const node = { transport: 'http', until: null, quota: null } as const
  await writeNodes(pool, [
    { ...node, node: 'a.example', host: 'a.example', state: 'ok', why: '', solidHeight: 1_000, quota: 1_500 },
    {
      ...{ ...node, node: 'b.example', host: 'b.example', solidHeight: 990 },
      ...{ state: 'distrusted', why: 'it showed another block', until: new Date('2031-01-01T10:00:00Z') },
    },
  ])
  const now = Date.now()
  const day = (ago: number) => new Date(now - ago * 86_400_000).toISOString().slice(0, 10)
  await addNodeCalls(pool, [
    { node: 'a.example', day: day(0), calls: 1_234 },
    { node: 'a.example', day: day(1), calls: 40 },
    { node: 'b.example', day: day(1), calls: 2 },
    { node: 'b.example', day: day(14), calls: 7_000 },
  ])
  const { text } = await visit.get('/console/nodes')
  const rows = [...text.matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) => pageWords(row))
  const row = (name: string) => rows.find(one => one.includes(name))!
  assert.match(row('a.example'), /http In use 1.000 0 blocks 1.234 1.500 266 /)
  assert.match(
    row('b.example'),
    /Distrusted it showed another block until 2031-01-01 10:00:00 UTC 990 10 blocks 0 no quota – /,
  )
  assert.match(row(day(1)), new RegExp(`${day(1)} 42 `))
  assert.equal(rows.filter(one => /^ ?\d{4}-\d\d-\d\d/.test(one)).length, 14)
  assert.match(pageWords(text), /Behind the solidified head 999 blocks/)
})

test('nodes of which nothing was heard lately are not shown as if they were in use', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const visit = await center.signedIn(center.admin)
  await followChain(pool)
  const node = { node: 'a.example', host: 'a.example', transport: 'http', until: null, quota: null } as const
  await writeNodes(pool, [
    { ...node, state: 'distrusted', why: 'it showed another block', solidHeight: 1_000 },
  ])
  assert.doesNotMatch((await visit.get('/console/nodes')).text, /when last reported/)
  await pool.query(`update node_status set seen_at = now() - interval '5 minutes'`)
  const { text } = await visit.get('/console/nodes')
  assert.match(
    pageWords(text),
    /No watcher has reported its nodes for 5 min: .* Distrusted, when last reported/,
  )
  assert.match(text, /href="\/console\/system#processes"/)
  const chinese = pageWords((await visit.get('/console/nodes?lang=zh')).text)
  assert.match(chinese, /已有 5 min 没有 watcher 报告节点.*最近报告时：不受信任/)
  assert.match(
    pageWords((await visit.get('/console/system?lang=zh')).text),
    /警告 已有 5 min 没有 watcher 报告节点/,
  )
})

test('sizes are written as people read them', () => {
  assert.deepEqual([0, 999, 1_000, 9_960, 12_345_678, 5e12].map(sizeText), [
    ...['0 B', '999 B', '1.0 kB', '10.0 kB', '12 MB', '5.0 TB'],
  ])
})
