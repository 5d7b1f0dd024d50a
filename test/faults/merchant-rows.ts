import { setTimeout as sleep } from 'node:timers/promises'
import type { FailpointName } from '../../src/base/failpoint.ts'
import { orderResend } from '../../src/callbacks/outbox/resend-jobs.ts'
import type { Answer } from '../support/merchant-endpoint.ts'
import { patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { dieInCommand, runCommand } from './gateway-command.ts'
import { isSettled } from './paying-load.ts'
import { percentile, waitsUntilReceived } from './received-waits.ts'
import { deathAt } from './role-process.ts'
import type { Shop } from './shop.ts'

// M: merchants that answer badly for a while, hang with a backlog, change their keys and URLs, or are disabled.

const good: Answer = { status: 200, body: 'success' }
const badForMs = 2_000

export const merchantRows: readonly FaultRow[] = [
  bad('M1', 'merchant answers 500, 502, 503 and 429 with Retry-After', [
    { status: 500 },
    { status: 502 },
    { status: 503, headers: { 'retry-after': '6' } },
    { status: 429, headers: { 'retry-after': '6' } },
  ]),
  bad('M2', 'merchant hangs, hangs after its headers, drips', [
    { hang: true },
    { hang: true, status: 200 },
    { drip: true, status: 200, everyMs: 100 },
  ]),
  bad('M3', 'merchant answers without end, or what is no HTTP', [
    { endless: true, status: 500 },
    { raw: 'SSH-2.0-OpenSSH_9.6\r\n' },
    { raw: 'HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n' },
  ]),
  bad('M4', 'merchant redirects: never followed', [
    { status: 301, headers: { location: '/elsewhere' } },
    { status: 307, headers: { location: 'http://169.254.169.254/' } },
  ]),
  {
    ...bad('M5', 'merchant answers 200 without the word that acknowledges', [{ status: 200, body: 'busy' }]),
    prepare: async deployment => {
      for (const shop of deployment.shops) {
        shop.acknowledges = answer => 'status' in answer && 'body' in answer && answer.body === 'success'
        await runCommand(deployment, 'merchant', 'set', shop.appid, '--acknowledgement', 'success')
      }
    },
  },
  {
    id: 'M6',
    what: 'merchant answers 410: exhausted, then resent in bulk by a command that is killed and run again',
    failpoints: ['resend:before-commit', 'resend:after-commit'],
    inject: goneAndResent,
  },
  {
    id: 'M6',
    what: 'merchant answers 410: exhausted, then resent in bulk by a courier that is killed between two slices',
    failpoints: ['resend-job:after-commit'],
    // What it was sending when it died is sent again under its key.
    mayRepeat: true,
    inject: goneAndOrdered,
  },
  bad('M7', 'merchant takes the whole request, then resets the connection', [
    { reset: true },
    { reset: true, status: 200 },
  ]),
  {
    id: 'M9',
    what: 'one merchant hangs with 500 callbacks waiting; the others notice nothing, and it catches up',
    times: 1,
    prepare: async ({ shops }) => {
      shops[0]!.answer = () => ({ hang: true })
    },
    inject: hangWithBacklog,
  },
  { id: 'M11', what: 'key and webhook secret changed with callbacks pending', inject: rotate },
  { id: 'M12', what: 'merchant disabled with callbacks pending, then enabled', inject: disableAndEnable },
  {
    id: 'M12',
    what: "merchant's URL changed with callbacks pending: nothing goes to the old one",
    inject: moveHouse,
  },
  ...(['url:before-commit', 'url:after-commit'] as const).map(
    (point): FaultRow => ({
      id: 'M12',
      what: `merchant's URL takes effect, and who writes it is killed ${point.slice(4).replace('-', ' ')}`,
      mayRepeat: true, // The process that is killed sends callbacks.
      failpoints: [point],
      inject: scene => moveLater(scene, point),
    }),
  ),
]

/** The first attempt of half the callbacks is answered so; what comes after it is answered well. */
function bad(id: string, what: string, answers: readonly Answer[]): FaultRow {
  return {
    id,
    what,
    inject: async ({ deployment: { shops } }) => {
      let given = 0
      for (const shop of shops) {
        shop.answer = (request, nth) => {
          const spared = `${request.headers['idempotency-key']}`.at(-1)! < '8'
          return nth > 1 || spared ? good : answers[given++ % answers.length]!
        }
      }
      await sleep(badForMs)
      for (const shop of shops) shop.answer = () => good
      return { count: Math.max(1, given) }
    },
  }
}

async function hangWithBacklog({ deployment: { pool, shops }, load }: Scene): Promise<Injected> {
  const [bad, ...others] = shops as [Shop, ...Shop[]]
  load.begin(bad, { parts: Array.from({ length: 500 }, () => 1_000_000n) })
  await patiently(
    'the backlog',
    async () => {
      const { rows } = await pool.query('select count(*)::int as n from callback where delivered_at is null')
      return rows[0].n >= 500
    },
    60_000,
  )
  const backlogAt = Date.now()
  const theirs = () => load.orders.filter(one => one.shop !== bad && one.begunAt > backlogAt)
  await patiently('200 orders of the others', () => theirs().filter(isSettled).length >= 200, 60_000)
  bad.answer = () => good
  const waits = await waitsUntilReceived(pool, others, { from: 'credit', since: backlogAt })
  return { note: `the others' p99 ${percentile(waits, 0.99)} ms from credit to endpoint` }
}

/** Until every process knows of a change, and what was on its way then is done. */
const knownWithinMs = 1_500

async function disableAndEnable({ deployment, load }: Scene): Promise<Injected> {
  const shop = deployment.shops[0]!
  shop.answer = () => ({ status: 503 })
  await sleep(badForMs)
  // A disabled merchant's requests are refused: it makes none.
  load.leftOut.add(shop)
  await patiently('its last orders', () => load.orders.every(one => one.shop !== shop || one.through))
  await runCommand(deployment, 'merchant', 'disable', shop.appid)
  shop.answer = () => good
  await sleep(knownWithinMs)
  const before = shop.receipts.length
  await sleep(badForMs)
  const sent = shop.receipts.length - before
  await runCommand(deployment, 'merchant', 'enable', shop.appid)
  await sleep(knownWithinMs)
  load.leftOut.delete(shop)
  if (sent > 0) throw new Error(`${sent} callbacks were sent to a disabled merchant`)
  return {}
}

async function moveHouse({ deployment }: Scene): Promise<Injected> {
  const shop = deployment.shops[0]!
  const old = new URL(shop.callbackUrl).host
  shop.callbackUrl = await shop.openAnother()
  shop.answer = request => (request.headers.host === old ? { status: 503 } : good)
  await sleep(badForMs)
  await runCommand(deployment, 'merchant', 'set', shop.appid, '--callback-url', shop.callbackUrl)
  await sleep(knownWithinMs)
  const movedAt = Date.now()
  await sleep(badForMs)
  const astray = shop.receipts.filter(({ host, at }) => host === old && at > movedAt).length
  if (astray > 0) throw new Error(`${astray} callbacks went to the old URL`)
  return {}
}

/** The first process that sees that the URL has taken effect dies. The next one that starts finds it written, or writes it. */
async function moveLater({ deployment }: Scene, point: FailpointName): Promise<Injected> {
  const { pool, api, couriers } = deployment
  const shop = deployment.shops[0]!
  const old = new URL(shop.callbackUrl).host
  shop.callbackUrl = await shop.openAnother()
  shop.answer = request => (request.headers.host === old ? { status: 503 } : good)
  await sleep(badForMs)
  for (const role of [api, ...couriers]) await role.stop()
  await pool.query(
    `insert into callback_url_change (merchant_id, url, asked_by, effective_at)
     select id, $2, 'a person', now() from merchant where appid = $1`,
    [shop.appid, shop.callbackUrl],
  )
  const [first, ...others] = couriers
  await first!.start({ FAILPOINT: point })
  const at = await deathAt(first!, point)
  for (const role of [api, first!, ...others]) await role.start()
  await sleep(knownWithinMs)
  const movedAt = Date.now()
  await sleep(badForMs)
  const astray = shop.receipts.filter(one => one.host === old && one.at > movedAt).length
  if (astray > 0) throw new Error(`${astray} callbacks went to the old URL`)
  const { rows } = await pool.query(
    `select from audit_event where action = 'merchant.callback_url_applied' and detail->>'callbackUrl' = $1`,
    [shop.callbackUrl],
  )
  if (rows.length !== 1) throw new Error(`the URL was written ${rows.length} times`)
  return { at }
}

async function goneAndResent({ deployment }: Scene, nth: number): Promise<Injected> {
  for (const shop of deployment.shops) shop.answer = (_, attempt) => (attempt === 1 ? { status: 410 } : good)
  await sleep(badForMs)
  for (const shop of deployment.shops) shop.answer = () => good
  const resend = ['callbacks', 'resend', '--every-merchant', '--state', 'exhausted']
  await dieInCommand(deployment, nth % 2 ? 'resend:before-commit' : 'resend:after-commit', ...resend)
  await runCommand(deployment, ...resend)
  return {}
}

async function goneAndOrdered({ deployment }: Scene): Promise<Injected> {
  for (const shop of deployment.shops) shop.answer = (_, attempt) => (attempt === 1 ? { status: 410 } : good)
  await sleep(badForMs)
  for (const shop of deployment.shops) shop.answer = () => good
  const { pool, couriers } = deployment
  const courier = couriers[0]!
  for (const one of couriers) await one.stop()
  const ids = await patiently('a callback that was given up', async () => {
    const { rows } = await pool.query(`select id from callback where exhausted_at is not null order by id`)
    return rows.length > 0 ? rows.map(({ id }) => id) : null
  })
  await orderResend(pool, { merchant: null, ids, state: 'exhausted', filter: {} }, { actor: 'fault test' })
  await courier.start({ FAILPOINT: 'resend-job:after-commit' })
  await deathAt(courier, 'resend-job:after-commit')
  for (const one of couriers) await one.start()
  return {}
}

async function rotate({ deployment }: Scene): Promise<Injected> {
  const shop = deployment.shops[0]!
  shop.answer = () => ({ status: 503 })
  await sleep(badForMs)
  const [key, secret] = [
    JSON.parse(await runCommand(deployment, 'merchant', 'key', 'add', shop.appid, '--json')),
    JSON.parse(await runCommand(deployment, 'merchant', 'secret', 'add', shop.appid, '--json')),
  ]
  shop.keys.push(key.key)
  shop.secrets.push(secret.webhook_secret)
  await sleep(knownWithinMs)
  shop.requestKey = key.key
  await runCommand(deployment, 'merchant', 'key', 'promote', shop.appid, key.id)
  await sleep(knownWithinMs)
  for (const kind of ['key', 'secret']) {
    const listed = JSON.parse(await runCommand(deployment, 'merchant', kind, 'list', shop.appid, '--json'))
    const old = listed.filter(({ id, ends }: { id: string; ends: string | null }) => {
      return ends === null && id !== (kind === 'key' ? key.id : secret.id)
    })
    for (const { id } of old) await runCommand(deployment, 'merchant', kind, 'retire', shop.appid, id)
  }
  await sleep(knownWithinMs)
  // From here on only the new ones are right.
  shop.keys = [key.key]
  shop.secrets = [secret.webhook_secret]
  shop.answer = () => good
  return {}
}
