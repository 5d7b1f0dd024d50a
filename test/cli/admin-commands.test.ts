import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { addAdminCommands } from '../../src/cli/admin-commands.ts'
import { inTransaction } from '../../src/db/pool.ts'
import { invited } from '../../src/people/invitation-store.ts'
import { takeAsUser, takeWithPassword } from '../../src/people/take-invitation.ts'
import { ensureUser, setPassword, userByEmail } from '../../src/people/user-store.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { cloneDatabase } from '../support/database.ts'

const { pool, url } = await cloneDatabase()
process.env.DATABASE_URL = url
process.env.MASTER_KEY = randomBytes(32).toString('hex')
process.env.CONSOLE_URL = 'https://center.example'

const admin = (t: TestContext, ...args: string[]) => commandInProcess(t, addAdminCommands, 'admin', ...args)

/** The link's token. It stands alone on its line, and is the only URL. */
function tokenIn(printed: string): string {
  assert.equal(printed.match(/https?:/g)?.length, 1)
  return /^https:\/\/center\.example\/console\/invitation\/([\w-]{43})$/m.exec(printed)![1]!
}

test('who is added is an admin once the link is taken up', async t => {
  const token = tokenIn(await admin(t, 'add', 'Ada@example.com', '--by', 'alice'))
  assert.match(await admin(t, 'list'), /ada@example\.com .*invited/)
  assert.equal((await userByEmail(pool, 'ada@example.com'))!.admin, false)
  assert.notEqual(await takeWithPassword(pool, token, { name: 'Ada', hash: 'hash' }), null)
  const added = (await userByEmail(pool, 'ada@example.com'))!
  assert.deepEqual([added.admin, added.hasPassword], [true, true])
  assert.match(await admin(t, 'list'), /ada@example\.com .*active/)
  assert.match(await admin(t, 'add', 'ada@example.com'), /is an admin already/)
  const { rows } = await pool.query(`select actor, action from audit_event where action = 'person.invited'`)
  assert.deepEqual(rows, [{ actor: 'command line alice', action: 'person.invited' }])
})

test('an account that exists becomes an admin by its own sign-in and the link, not by a new password', async t => {
  const user = await inTransaction(pool, async tx => {
    const made = await ensureUser(tx, 'exists@example.com')
    await setPassword(tx, made.id, { password: 'hash', name: 'Somebody' })
    return made
  })
  const token = tokenIn(await admin(t, 'add', user.email))
  assert.equal(await takeWithPassword(pool, token, { name: 'Thief', hash: 'other' }), null)
  assert.equal((await userByEmail(pool, user.email))!.admin, false)
  assert.equal(await takeAsUser(pool, token, user.id), true)
  assert.equal((await userByEmail(pool, user.email))!.admin, true)
})

test('a link for who is locked out sets a password; who is disabled has none', async t => {
  const token = tokenIn(await admin(t, 'link', 'exists@example.com', '--lost-factor'))
  assert.equal((await invited(pool, token))!.rights, null)
  await admin(t, 'disable', 'exists@example.com')
  assert.equal(await invited(pool, token), null)
  assert.match(await admin(t, 'list'), /exists@example\.com .*disabled/)
  await admin(t, 'enable', 'exists@example.com')
  assert.match(await admin(t, 'list'), /exists@example\.com .*active/)
  await assert.rejects(admin(t, 'link', 'nobody@example.com'), /nobody uses the console/)
})
