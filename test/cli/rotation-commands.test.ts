import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { addRotationCommands } from '../../src/cli/rotation-commands.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { testXpub } from '../support/api-under-test.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { cloneDatabase } from '../support/database.ts'

const { pool, url } = await cloneDatabase()
const masterKey = randomBytes(32)
process.env.DATABASE_URL = url
process.env.MASTER_KEY = masterKey.toString('hex')

/** Runs `gateway merchant ...` in this process. @returns what it printed. */
function merchant(t: TestContext, ...args: string[]): Promise<string> {
  return commandInProcess(t, addRotationCommands, ...args)
}

async function shop(): Promise<{ appid: string; key: string; webhookSecret: string }> {
  return addMerchant(pool, masterKey, { name: 'shop', xpub: testXpub, scheme: 'sha1', checkUrl: () => null })
}

test('a key is made and shown once, promoted, and the old one retired', async t => {
  const { appid, key: oldKey } = await shop()
  const added = JSON.parse(await merchant(t, 'key', 'add', appid, '--json'))
  assert.deepEqual(Object.keys(added), ['id', 'sign_type', 'key'])
  assert.equal(added.sign_type, 'hmac-sha256')
  const list = async () => JSON.parse(await merchant(t, 'key', 'list', appid, '--json'))
  const [first, second] = await list()
  assert.deepEqual([first.state, second.state], ['signs callbacks', 'verifies requests'])
  assert.equal(second.id, added.id)
  await assert.rejects(merchant(t, 'key', 'retire', appid, first.id), /promote another one first/)
  assert.match(await merchant(t, 'key', 'promote', appid, added.id), /signs callbacks now/)
  assert.match(await merchant(t, 'key', 'promote', appid, added.id), /signed callbacks already/)
  assert.match(await merchant(t, 'key', 'retire', appid, first.id), /ended at 20/)
  assert.deepEqual(
    (await list()).map(({ state }: { state: string }) => state),
    ['retired', 'signs callbacks'],
  )
  const shown = await merchant(t, 'key', 'list', appid)
  for (const secret of [oldKey, added.key]) assert.ok(!shown.includes(secret))
  const text = await merchant(t, 'key', 'add', appid, '--sign-type', 'sha1')
  assert.match(text, /^key +[0-9a-f]{32}$/m)
  assert.match(text, new RegExp(`gateway merchant key promote ${appid} \\d+$`))
})

test('a webhook secret is made and shown once, and the old one ends at a later time', async t => {
  const { appid, webhookSecret } = await shop()
  const added = JSON.parse(await merchant(t, 'secret', 'add', appid, '--json'))
  assert.match(added.webhook_secret, /^whsec_/)
  const list = async () => JSON.parse(await merchant(t, 'secret', 'list', appid, '--json'))
  const [first, second] = await list()
  const tomorrow = new Date(Math.ceil(Date.now() / 1000) * 1000 + 86_400_000).toISOString()
  assert.equal(
    await merchant(t, 'secret', 'retire', appid, first.id, '--at', tomorrow),
    `webhook secret ${first.id}: ends at ${tomorrow}`,
  )
  assert.equal((await list())[0].ends, tomorrow)
  await assert.rejects(merchant(t, 'secret', 'retire', appid, second.id), /is the last one.*--even-if-last/)
  await merchant(t, 'secret', 'retire', appid, second.id, '--even-if-last')
  assert.deepEqual(
    (await list()).map(({ state }: { state: string }) => state),
    ['signs callbacks', 'retired'],
  )
  const shown = await merchant(t, 'secret', 'list', appid)
  for (const secret of [webhookSecret, added.webhook_secret]) assert.ok(!shown.includes(secret))
})

test('what is named wrongly is said in a sentence', async t => {
  const { appid } = await shop()
  const wrong: [string[], RegExp][] = [
    [['key', 'add', 'nobody'], /no merchant has the appid "nobody"/],
    [['key', 'list', 'nobody'], /no merchant has the appid "nobody"/],
    [['secret', 'list', 'nobody'], /no merchant has the appid "nobody"/],
    [['key', 'add', appid, '--sign-type', 'md5'], /md5/],
    [['key', 'promote', appid, '999999'], /has no key 999999/],
    [['key', 'retire', appid, 'first'], /"first" is not an id/],
    [['key', 'retire', appid, '1', '--at', '2020-01-01'], /--at: a time in the future/],
    [['key', 'retire', appid, '1', '--at', 'soon'], /--at: a time such as/],
    [['key', 'retire', appid], /missing required argument/],
  ]
  for (const [args, said] of wrong) await assert.rejects(merchant(t, ...args), said, args.join(' '))
})
