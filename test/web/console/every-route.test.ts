import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTransaction } from '../../../src/db/pool.ts'
import { may, roles } from '../../../src/people/permission.ts'
import { confirmTotp, prepareTotp } from '../../../src/people/second-factor-store.ts'
import type { User } from '../../../src/people/user-store.ts'
import { consoleRoutes } from '../../../src/web/console/console-routes.ts'
import type { ConsoleRoute } from '../../../src/web/console/parts/route.ts'
import { openConsoleUnderTest, type TestVisitor, testPassword } from '../../support/console-under-test.ts'
import { codeOf } from '../../support/one-time-codes.ts'
import { seedAddress, seedOrder } from '../../support/seed.ts'
import { seedAttempt, seedCallback } from '../../support/seed-callback.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { seedWaiting } from '../../support/seed-transfer.ts'

// Every route of the console, as everybody. A route that is added is walked without a change here: what `who` and `confirm`
// say of it is what it must answer.

const center = await openConsoleUnderTest()
const { pool, config, visitor, addPerson, signedIn } = center

/** In everything of the merchant's that has a name. Nobody else's page may show it. */
const marker = 'markerzq'
const marked = await seedMerchant(pool, {
  name: `${marker} shop`,
  callbackUrl: `https://${marker}.example/cb`,
})
const other = await seedMerchant(pool, { name: 'the other shop' })
const ids = await seedMarked()
const routes = consoleRoutes()

const people = Object.fromEntries(
  await Promise.all(
    roles.map(async role => [role, await addPerson(`${role}@example.com`, { roles: [[marked, role]] })]),
  ),
) as Record<(typeof roles)[number], User>
const stranger = await addPerson('stranger@example.com', { roles: [[other, 'owner']] })

test('every form is refused without its hidden field, whoever sends it', async () => {
  const visitors = [
    visitor(),
    await halfSignedIn(),
    await signedIn(people.owner),
    await signedIn(center.admin),
  ]
  for (const visit of visitors) {
    for (const route of routes.filter(({ method }) => method === 'POST')) {
      const { status } = await visit.post(`/console${pathOf(route)}`, fields, { csrf: false })
      assert.equal(status, 403, route.path)
    }
  }
})

test('who has not signed in is sent to sign in, and who has given half of it to the other half', async () => {
  for (const [visit, first, to] of [
    [visitor(), '/console/sign-in', '/console/sign-in'],
    [await halfSignedIn(), '/console/sign-in/code', '/console/sign-in/code'],
  ] as const) {
    for (const route of closedTo(to)) {
      await visit.get(first)
      const { status, location } = await ask(visit, route)
      assert.equal(`${status} ${location?.split('?')[0]}`, `303 ${to}`, nameOf(route))
    }
    // The other half is an owner of the merchant. The password alone does not tell whose account it is.
    for (const query of ['', `?merchant=${marked.appid}`]) {
      const { status, text } = await visit.get(`/console/no-such-page${query}`)
      assert.equal(status, 404)
      assert(!text.includes(marker))
    }
  }
})

for (const role of [...roles, 'admin'] as const) {
  test(`what is not for a role answers as if it were not there: ${role}`, async () => {
    const user = role === 'admin' ? center.admin : people[role]
    const visit = await keptIn(user, false)
    for (const route of routes.filter(isForPeople)) {
      const answer = await ask(await visit(), route, role === 'admin' ? `merchant=${marked.appid}` : '')
      const says = `${nameOf(route)}: ${answer.status} ${answer.location ?? ''}`
      if (route.who !== 'signed in' && !may(role, route.who)) assert.equal(answer.status, 404, says)
      else if (route.confirm) assert.match(says, /: 303 \/console\/confirm/)
      else isAnswered(route, answer.status, says)
    }
  })
}

test('with a fresh second factor, what is for owners and admins is answered', async () => {
  for (const user of [people.owner, center.admin]) {
    const visit = await keptIn(user, true)
    const query = user === center.admin ? `merchant=${marked.appid}` : ''
    for (const route of routes.filter(isForPeople)) {
      if (user !== center.admin && route.who === 'admin') continue
      const { status, location } = await ask(await visit(), route, query)
      const says = `${nameOf(route)}: ${status} ${location ?? ''}`
      assert.doesNotMatch(says, /303 \/console\/confirm/)
      isAnswered(route, status, says)
    }
  }
})

test("another merchant's owner sees nothing of a merchant, by any of its ids, and changes nothing of it", async () => {
  const visit = await keptIn(stranger, true)
  const before = await stateOfMarked()
  for (const route of routes) {
    for (const id of route.path.includes(':') ? ids : [ids[0]!]) {
      const { status, text } = await ask(await visit(), route, `q=${id}`, id)
      assert(status < 500, `${nameOf(route)} ${id}: ${status}`)
      assert(!text.toLowerCase().includes(marker), `${nameOf(route)} shows ${id}`)
    }
    if (!isForPeople(route)) continue
    const chosen = await ask(await visit(), route, `merchant=${marked.appid}`)
    assert.equal(chosen.status, 404, `${nameOf(route)} for a merchant that is not theirs`)
  }
  assert.deepEqual(await stateOfMarked(), before)
})

/** A form with something in every field that many forms have. */
const fields = {
  ...{ reason: 'because', note: 'a note', role: 'support', email: 'someone@example.com', name: 'a name' },
  ...{ confirm: 'yes', url: 'https://evil.example/cb', amount: '1', txid: 'ab'.repeat(32), code: '000000' },
}

const nameOf = ({ method, path }: ConsoleRoute) => `${method} ${path}`
const pathOf = ({ path }: ConsoleRoute, id = ids[0]!) => path.replace(/:\w+/g, encodeURIComponent(id))

function ask(visit: TestVisitor, route: ConsoleRoute, query = '', id?: string) {
  const path = `/console${pathOf(route, id)}${query && `?${query}`}`
  return route.method === 'GET' ? visit.get(path) : visit.post(path, fields)
}

/** Not what strangers may use too. Signing out has tests of its own, and would end the walk. */
const isForPeople = (
  route: ConsoleRoute,
): route is ConsoleRoute & { who: Exclude<ConsoleRoute['who'], 'anyone' | 'half'> } =>
  route.who !== 'anyone' && route.who !== 'half'

const closedTo = (to: string) =>
  routes.filter(route => (to === '/console/sign-in' ? route.who !== 'anyone' : isForPeople(route)))

/** What a made-up id names is not there; a page without one is. */
function isAnswered(route: ConsoleRoute, status: number, says: string) {
  assert(status < 500, says)
  if (route.method === 'GET' && !route.path.includes(':')) assert([200, 303].includes(status), says)
}

async function halfSignedIn(): Promise<TestVisitor> {
  const user = await addPerson('half@example.com', { roles: [[marked, 'owner']] })
  await inTransaction(pool, async tx => {
    const prepared = await prepareTotp(tx, config.masterKey, user)
    if (prepared) assert(await confirmTotp(tx, config.masterKey, user.id, codeOf(prepared.secret, -1)))
  })
  const visit = visitor()
  await visit.get('/console/sign-in')
  const { location } = await visit.post('/console/sign-in', { email: user.email, password: testPassword })
  assert.equal(location, '/console/sign-in/code')
  return visit
}

/** Somebody who signs in again where a route has ended the session, and has a page's hidden field at hand. */
async function keptIn(user: User, confirmed: boolean): Promise<() => Promise<TestVisitor>> {
  let visit = await signedIn(user, { confirmed })
  return async () => {
    if ((await visit.get('/console/account')).status !== 200) visit = await signedIn(user, { confirmed })
    else if (confirmed)
      await pool.query(`update console_session set second_factor_at = now() where user_id = $1`, [user.id])
    return visit
  }
}

/** @returns ids that pages have in their addresses, none with the marker in it: pages may show what they were asked for. */
async function seedMarked(): Promise<string[]> {
  const { key, callbackId, addressId, orderId, orderid } = await seedCallback(pool, { merchant: marked })
  await pool.query(`update recharge_order set username = $2, localusermark = $2 where id = $1`, [
    orderId,
    `${marker}-user`,
  ])
  await seedAttempt(pool, { callbackId, status: 500 })
  const unclaimed = await seedAddress(pool, { merchantId: marked.id, localusermark: `${marker}-2` })
  const open = await seedOrder(pool, { addressId: unclaimed.addressId, orderid: `${marker}-open` })
  const transfer = await seedWaiting(pool, { addressId: unclaimed.addressId, reason: 'unclaimed' })
  const member = await addPerson(`${marker}@example.com`, { roles: [[marked, 'support']] })
  const { rows } = await pool.query(`select address from deposit_address where id = $1`, [addressId])
  const all = [
    callbackId,
    key,
    orderId,
    orderid,
    open.orderId,
    addressId,
    unclaimed.addressId,
    rows[0].address,
  ]
  return [...all, unclaimed.address, transfer.transferId, transfer.txid, member.id, marked.id].map(String)
}

/** All rows of the merchant, and its people, as text; not the sums, which the console adds up by itself every some seconds. */
async function stateOfMarked(): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select c.relname as name
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'merchant_id' and not a.attisdropped
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname <> 'money_day'
      order by 1`,
  )
  const all = await Promise.all(
    tables.map(({ name }) =>
      pool.query(`select t::text as row from ${name} t where merchant_id = $1 order by 1`, [marked.id]),
    ),
  )
  const users = await pool.query(
    `select u::text as row from console_user u join membership s on s.user_id = u.id where s.merchant_id = $1 order by 1`,
    [marked.id],
  )
  return [...all, users].flatMap(({ rows }) => rows.map(({ row }) => row))
}
