import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { inTransaction } from '../../src/db/pool.ts'
import { changeMember, removeAdmin } from '../../src/people/change-member.ts'
import { invitePerson, makeNewLink } from '../../src/people/invite-person.ts'
import type { Role } from '../../src/people/permission.ts'
import { takeWithPassword } from '../../src/people/take-invitation.ts'
import { ensureUser, setAdmin, setPassword, setRole, type User } from '../../src/people/user-store.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

const { pool } = await cloneDatabase()
const shop = await seedMerchant(pool, { name: 'shop' })
const asOf = { merchantId: shop.id, appid: shop.appid }

const person = (email: string, role?: Role): Promise<User> =>
  inTransaction(pool, async tx => {
    const user = await ensureUser(tx, email)
    await setPassword(tx, user.id, { password: 'a hash', name: email.split('@')[0]! })
    if (role) await setRole(tx, user.id, shop.id, role)
    else await setAdmin(tx, user.id, true)
    return user
  })
const root = await person('root@example.com')
const ada = await person('ada@shop.example', 'owner')
const bo = await person('bo@shop.example', 'owner')
const byAda = { userId: ada.id, actor: 'Ada <ada@shop.example>' }

beforeEach(async () => {
  await pool.query('delete from notice')
})

/** What is told: the kind, and to whom by mail; the operator is told once. */
async function told() {
  const { rows } = await pool.query(
    `select kind, array_agg(recipient order by recipient) filter (where channel = 'mail') as mails,
            count(*) filter (where channel = 'webhook')::int as webhooks, string_agg(text, ' ') as text
       from notice
      group by kind
      order by min(id)`,
  )
  return rows as { kind: string; mails: string[]; webhooks: number; text: string }[]
}

test('owners are told of an invitation and of who took it up; the link is in no message', async () => {
  const to = { ...asOf, role: 'support' } as const
  const { token } = await invitePerson(pool, 'cy@shop.example', to, byAda)
  const [invited] = await told()
  assert.deepEqual([invited!.kind, invited!.webhooks], ['user_invited', 1])
  assert.deepEqual(invited!.mails, ['ada@shop.example', 'bo@shop.example'])
  assert.match(invited!.text, /cy@shop\.example was invited: support of merchant/)
  assert(!invited!.text.includes(token!))
  assert(await takeWithPassword(pool, token!, { name: 'Cy', hash: 'a hash' }))
  const joined = (await told()).at(-1)!
  assert.equal(joined.kind, 'user_changed')
  assert.deepEqual(joined.mails, ['ada@shop.example', 'bo@shop.example', 'cy@shop.example'])
})

test('an owner who is one no more is told of it, and so are the others', async () => {
  assert.equal(
    await changeMember(pool, byAda, {
      userId: bo.id,
      merchant: { id: shop.id, appid: shop.appid },
      role: null,
    }),
    'done',
  )
  const [removed] = await told()
  assert.deepEqual([removed!.kind, removed!.webhooks], ['user_changed', 1])
  assert.deepEqual(removed!.mails, ['ada@shop.example', 'bo@shop.example'])
  assert.match(removed!.text, /no member of merchant .* any more.*By: Ada/s)
})

test('a change that is not made is not told of', async () => {
  const merchant = { id: shop.id, appid: shop.appid }
  assert.equal(await changeMember(pool, byAda, { userId: ada.id, merchant, role: null }), 'own')
  assert.equal(await changeMember(pool, byAda, { userId: root.id, merchant, role: 'owner' }), 'unknown')
  assert.deepEqual(await told(), [])
})

test('admins are told of admins', async () => {
  const { token } = await invitePerson(
    pool,
    'dee@example.com',
    { admin: true },
    { actor: 'command line root' },
  )
  const userId = await takeWithPassword(pool, token!, { name: 'Dee', hash: 'a hash' })
  assert.equal(await removeAdmin(pool, { userId: root.id, actor: 'Root' }, userId!), 'done')
  const [invited, changed] = await told()
  assert.deepEqual([invited!.kind, invited!.mails], ['user_invited', ['root@example.com']])
  assert.equal(changed!.webhooks, 2)
  assert.deepEqual(changed!.mails, [
    'dee@example.com',
    'dee@example.com',
    'root@example.com',
    'root@example.com',
  ])
  assert.match(changed!.text, /no admin of the gateway any more/)
})

test('a password that was set by a reset link is told to the person and to the owners', async () => {
  const eve = await person('eve@shop.example', 'finance')
  const token = await makeNewLink(pool, eve, { actor: 'Root', factors: false })
  assert(await takeWithPassword(pool, token, { name: 'Eve', hash: 'another hash' }))
  const [reset] = (await told()).filter(({ kind }) => kind === 'signed_in_by_link')
  assert.equal(reset!.webhooks, 1)
  assert.deepEqual(reset!.mails, ['ada@shop.example', 'eve@shop.example'])
})
