import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTransaction } from '../../../src/db/pool.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { changeMember } from '../../../src/people/change-member.ts'
import { purgeInvitations } from '../../../src/people/invitation-store.ts'
import { disablePerson, type Invited, invitePerson, makeNewLink } from '../../../src/people/invite-person.ts'
import type { Role } from '../../../src/people/permission.ts'
import {
  membershipsOf,
  purgeInvited,
  setRole,
  type User,
  userByEmail,
} from '../../../src/people/user-store.ts'
import { openConsoleUnderTest, type TestAnswer, testPassword } from '../../support/console-under-test.ts'
import { seedMerchant } from '../../support/seed-merchant.ts'
import { waitUntil } from '../../support/wait-until.ts'

const center = await openConsoleUnderTest()
const { pool, visitor, addPerson, signedIn } = center
const [shop, rival] = [
  await seedMerchant(pool, { name: 'shop' }),
  await seedMerchant(pool, { name: 'rival' }),
]
const owner = await addPerson('owner@example.com', { roles: [[shop, 'owner']] })
const rivalOwner = await addPerson('rival@example.com', { roles: [[rival, 'owner']] })

const linkIn = ({ text }: TestAnswer) =>
  /https:\/\/pay\.example(\/console\/invitation\/[\w-]{43})/.exec(text)?.[1]
const chosen = { name: 'Somebody', password: testPassword, again: testPassword }

async function rolesOf(email: string): Promise<string[]> {
  const user = await userByEmail(pool, email)
  const memberships = user ? await membershipsOf(pool, user.id) : []
  return memberships.map(({ merchantName, role }) => `${merchantName} ${role}`)
}

/** Invites without the pages. */
async function linkFor(email: string, merchant: Merchant, role: Role): Promise<string> {
  const to: Invited = { merchantId: merchant.id, appid: merchant.appid, role }
  const { token } = await invitePerson(pool, email, to, { actor: 'test' })
  return `/console/invitation/${token}`
}

test('an owner invites by a link that is shown once; rights come when it is taken up', async () => {
  const visit = await signedIn(owner, { confirmed: true })
  await visit.get('/console/people/new')
  assert.equal((await visit.post('/console/people/new', { email: 'x', role: 'support' })).status, 400)
  const shown = await visit.post('/console/people/new', { email: 'New@example.com', role: 'finance' })
  const link = linkIn(shown)!
  const list = await visit.get('/console/people')
  assert.match(list.text, /new@example\.com/)
  assert(!list.text.includes(link))
  assert.deepEqual(await rolesOf('new@example.com'), [])
  const joining = visitor()
  await joining.get(link)
  assert.equal((await joining.post(link, chosen)).location, '/console')
  assert.deepEqual(await rolesOf('new@example.com'), ['shop finance'])
  const again = await visit.post('/console/people/new', { email: 'new@example.com', role: 'owner' })
  assert.equal(again.status, 400, 'who is a member gets another role by their page')
  assert.deepEqual(await rolesOf('new@example.com'), ['shop finance'])
})

test('an account that exists joins only by its own sign-in and the link together', async () => {
  // Whoever made it may not be the person whose mail address it is.
  const user = await addPerson('exists@example.com', { roles: [[rival, 'support']] })
  const link = await linkFor(user.email, shop, 'developer')
  assert.deepEqual(await rolesOf(user.email), ['rival support'])
  const nobody = visitor()
  const { text } = await nobody.get(link)
  assert.doesNotMatch(text, /name="password"/)
  await nobody.post(link, chosen)
  const other = await signedIn(rivalOwner)
  await other.get(link)
  await other.post(link, chosen)
  assert.deepEqual(await rolesOf(user.email), ['rival support'])
  assert.deepEqual(await rolesOf(rivalOwner.email), ['rival owner'])
  const own = await signedIn(user)
  await own.get(link)
  assert.equal((await own.post(link)).location, `/console?merchant=${shop.appid}`)
  assert.deepEqual(await rolesOf(user.email), ['rival support', 'shop developer'])
  await own.get('/console/account')
  assert.equal((await own.post(link)).status, 404, 'once')
})

test('of two links for somebody without a password, the first sets it and the second needs it', async () => {
  const email = 'both@example.com'
  const [first, second] = [await linkFor(email, shop, 'support'), await linkFor(email, rival, 'owner')]
  const takers = await Promise.all(
    [first, second].map(async link => {
      const visit = visitor()
      await visit.get(link)
      return { visit, link }
    }),
  )
  const answers = await Promise.all(takers.map(({ visit, link }) => visit.post(link, chosen)))
  assert.equal(answers.filter(({ location }) => location === '/console').length, 1)
  assert.equal((await rolesOf(email)).length, 1)
})

test('a link for who is locked out is made by an owner only for who is nowhere else', async () => {
  const [here, both] = [
    await addPerson('here@example.com', { roles: [[shop, 'support']] }),
    await addPerson('elsewhere@example.com', {
      roles: [
        [shop, 'support'],
        [rival, 'owner'],
      ],
    }),
  ]
  const root = await addPerson('root2@example.com', { admin: true, roles: [[shop, 'support']] })
  const visit = await signedIn(owner, { confirmed: true })
  const ask = async (user: User) => {
    await visit.get(`/console/people/${user.id}`)
    return visit.post(`/console/people/${user.id}/link`, { factors: 'yes' })
  }
  const elsewhere = await signedIn(both)
  for (const user of [both, root]) {
    const refused = await ask(user)
    assert.equal(refused.status, 400, user.email)
    assert.equal(linkIn(refused), undefined)
  }
  assert.equal((await elsewhere.get('/console/account')).status, 200, 'nothing of theirs has ended')
  assert.equal((await ask(rivalOwner)).status, 404)
  const link = linkIn(await ask(here))!
  const back = visitor()
  await back.get(link)
  assert.equal((await back.post(link, chosen)).status, 303)
  const admin = await signedIn(center.admin, { confirmed: true })
  const path = `/console/people/${both.id}`
  await admin.get(`${path}?merchant=${shop.appid}`)
  assert(linkIn(await admin.post(`${path}/link?merchant=${shop.appid}`)))
})

test('who joins another merchant takes the links away that set their password', async () => {
  const user = await addPerson('joins@example.com', { roles: [[shop, 'support']] })
  const token = await makeNewLink(pool, user, { actor: 'test', factors: false, onlyOf: shop.id })
  const link = await linkFor(user.email, rival, 'owner')
  const visit = await signedIn(user)
  await visit.get(link)
  assert.equal((await visit.post(link)).status, 303)
  assert.equal((await visitor().get(`/console/invitation/${token}`)).status, 404)
  await assert.rejects(makeNewLink(pool, user, { actor: 'test', factors: false, onlyOf: shop.id }))
})

test('nobody changes their own role, removes themselves or makes a link for themselves', async () => {
  for (const [user, query] of [
    [owner, ''],
    [center.admin, ''],
  ] as const) {
    const visit = await signedIn(user, { confirmed: true })
    const path = `/console/people/${user.id}`
    await visit.get(path + query)
    for (const action of ['remove', 'link'])
      assert.equal((await visit.post(`${path}/${action}`)).status, 400, `${user.email} ${action}`)
  }
  const visit = await signedIn(owner, { confirmed: true })
  await visit.get(`/console/people/${owner.id}`)
  assert.equal((await visit.post(`/console/people/${owner.id}/role`, { role: 'support' })).status, 400)
  assert.deepEqual(await rolesOf(owner.email), ['shop owner'])
})

test('the last owner stays, also when two remove each other at once', async () => {
  const admin = await signedIn(center.admin, { confirmed: true })
  const query = `?merchant=${rival.appid}`
  await pool.query(`delete from membership where merchant_id = $1 and user_id <> $2`, [
    rival.id,
    rivalOwner.id,
  ])
  await admin.get(`/console/people/${rivalOwner.id}${query}`)
  for (const [action, form] of [
    ['remove', {}],
    ['role', { role: 'support' }],
  ] as const) {
    const answer = await admin.post(`/console/people/${rivalOwner.id}/${action}${query}`, form)
    assert.equal(answer.status, 400)
  }
  const second = await addPerson('second@example.com', { roles: [[rival, 'owner']] })
  // A disabled owner answers for nothing.
  await pool.query(`update console_user set disabled_at = now() where id = $1`, [second.id])
  const merchant = { id: rival.id, appid: rival.appid }
  const byAdmin = { userId: center.admin.id, actor: 'test' }
  const change = { userId: rivalOwner.id, merchant, role: null }
  assert.equal(await changeMember(pool, byAdmin, change), 'last')
  await pool.query(`update console_user set disabled_at = null where id = $1`, [second.id])
  const results = await Promise.allSettled([
    changeMember(pool, { userId: second.id, actor: 'test' }, change),
    changeMember(pool, { userId: rivalOwner.id, actor: 'test' }, { ...change, userId: second.id }),
  ])
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  const { rows } = await pool.query(`select from membership where merchant_id = $1 and role = 'owner'`, [
    rival.id,
  ])
  assert.equal(rows.length, 1)
  await inTransaction(pool, tx => setRole(tx, rivalOwner.id, rival.id, 'owner'))
})

test('who loses their rights while they act does nothing by them, and of two admins who disable each other one stays', async () => {
  const former = await addPerson('former@example.com', { roles: [[shop, 'owner']] })
  const member = await addPerson('member-of-former@example.com', { roles: [[shop, 'support']] })
  const by = { userId: former.id, actor: 'Former <former@example.com>' }
  const to: Invited = { merchantId: shop.id, appid: shop.appid, role: 'owner' }
  const merchant = { id: shop.id, appid: shop.appid }
  const acts = () => [
    invitePerson(pool, 'friend@example.com', to, by),
    makeNewLink(pool, member, { ...by, factors: true, onlyOf: shop.id }),
    changeMember(pool, by, { userId: member.id, merchant, role: 'owner' }),
  ]
  for (const done of await Promise.allSettled(acts())) assert.equal(done.status, 'fulfilled')
  await changeMember(pool, by, { userId: member.id, merchant, role: 'support' })
  // Their page was read before, and their role is taken while they press its buttons.
  const { acted } = await inTransaction(pool, async tx => {
    await tx.query(`select from membership where merchant_id = $1 order by user_id for update`, [shop.id])
    await tx.query(`select from console_user where id = $1 for no key update`, [former.id])
    const acted = Promise.allSettled([
      ...acts(),
      disablePerson(pool, member, true, by),
      invitePerson(pool, 'friend@example.com', { admin: true }, by),
    ])
    await waitUntil('they wait', async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rows.length >= 4
    })
    await tx.query(`delete from membership where user_id = $1`, [former.id])
    return { acted }
  })
  for (const done of await acted) assert.equal(done.status, 'rejected')
  assert.deepEqual(await rolesOf(member.email), ['shop support'])

  const [one, two] = [
    await addPerson('one@example.com', { admin: true }),
    await addPerson('two@example.com', { admin: true }),
  ]
  const results = await Promise.allSettled([
    disablePerson(pool, one, true, { userId: two.id, actor: 'Two' }),
    disablePerson(pool, two, true, { userId: one.id, actor: 'One' }),
  ])
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('an owner who is removed leaves no link behind, and an old invitation raises nobody', async () => {
  const leaving = await addPerson('leaving@example.com', { roles: [[shop, 'owner']] })
  const theirs = await signedIn(leaving, { confirmed: true })
  await theirs.get('/console/people/new')
  const link = linkIn(
    await theirs.post('/console/people/new', { email: 'alias@example.com', role: 'owner' }),
  )!
  const visit = await signedIn(owner, { confirmed: true })
  await visit.get(`/console/people/${leaving.id}`)
  const { location } = await visit.post(`/console/people/${leaving.id}/remove`)
  assert.match(location!, /done=removed/)
  assert.equal((await visitor().get(link)).status, 404)
  assert.equal((await theirs.get('/console/people')).status, 404)
  // Invited as an owner, and a member by another way before the link was opened.
  const slow = await addPerson('slow@example.com')
  const old = await linkFor(slow.email, shop, 'owner')
  await inTransaction(pool, tx => setRole(tx, slow.id, shop.id, 'support'))
  const one = await signedIn(slow)
  await one.get(old)
  await one.post(old)
  assert.deepEqual(await rolesOf(slow.email), ['shop support'])
})

test('a link that has not counted for a month is kept no longer, nor who never came by it', async () => {
  const kept = await linkFor('kept@example.com', shop, 'support')
  await linkFor('late@example.com', shop, 'support')
  await pool.query(
    `update invitation set expires_at = now() - interval '32 days' where user_id = (select id from console_user where email = 'late@example.com')`,
  )
  await pool.query(`update console_user set created_at = now() - interval '32 days'`)
  const joined = await rolesOf(owner.email)
  await purgeInvitations(pool)
  await purgeInvited(pool)
  assert.equal(await userByEmail(pool, 'late@example.com'), null)
  assert.deepEqual(await rolesOf(owner.email), joined)
  const { rows } = await pool.query(
    `select email from invitation i join console_user u on u.id = i.user_id where email in ('kept@example.com', 'late@example.com')`,
  )
  assert.deepEqual(rows, [{ email: 'kept@example.com' }])
  assert.equal((await visitor().get(kept)).status, 200)
})

test('an invitation is withdrawn by its own merchant alone', async () => {
  const link = await linkFor('unsure@example.com', shop, 'support')
  const { rows } = await pool.query<{ id: string }>(
    `select encode(token_hash, 'hex') as id from invitation i join console_user u on u.id = i.user_id where email = 'unsure@example.com'`,
  )
  const path = `/console/people/invitations/${rows[0]!.id}`
  const stranger = await signedIn(rivalOwner, { confirmed: true })
  assert.equal((await stranger.get(path)).status, 404)
  await stranger.get('/console/people')
  assert.equal((await stranger.post(`${path}/withdraw`)).status, 404)
  const visit = await signedIn(owner, { confirmed: true })
  await visit.get(path)
  assert.equal((await visit.post(`${path}/withdraw`)).status, 303)
  assert.equal((await visitor().get(link)).status, 404)
})

test('admins invite admins, remove them, and disable people', async () => {
  const visit = await signedIn(center.admin, { confirmed: true })
  await visit.get('/console/people/new')
  const link = linkIn(await visit.post('/console/people/new', { email: 'third@example.com' }))!
  const third = visitor()
  await third.get(link)
  await third.post(link, chosen)
  assert.match((await third.get('/console/people')).text, /root@example\.com/)
  const { id } = (await userByEmail(pool, 'third@example.com'))!
  await visit.get(`/console/people/${id}`)
  assert.match((await visit.post(`/console/people/${id}/remove`)).location!, /done=removed/)
  assert.equal((await third.get('/console/people')).status, 404)

  const member = await addPerson('member@example.com', { roles: [[shop, 'support']] })
  const theirs = await signedIn(member)
  const byOwner = await signedIn(owner, { confirmed: true })
  await byOwner.get('/console/people')
  assert.equal((await byOwner.post(`/console/people/${member.id}/disable`)).status, 404)
  const path = `/console/people/${member.id}`
  await visit.get(`${path}?merchant=${shop.appid}`)
  const to: Invited = { merchantId: shop.id, appid: shop.appid, role: 'owner' }
  const left = await invitePerson(pool, 'left@example.com', to, { actor: 'Member <member@example.com>' })
  assert.equal((await visit.post(`${path}/disable?merchant=${shop.appid}`)).status, 303)
  assert.equal((await theirs.get('/console/account')).status, 303)
  assert.equal((await visitor().get(`/console/invitation/${left.token}`)).status, 404)
})
