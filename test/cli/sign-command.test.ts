import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { signParameters } from '../../src/merchants/signature.ts'
import { testXpub } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'

const key = '3f9c1e7ab2d84455a0c6e1f27d90b8aa'
const program = fileURLToPath(new URL('../../src/gateway.ts', import.meta.url))

function sign(args: string[], input = '', env: Record<string, string> = {}) {
  const { PATH, HOME } = process.env
  const run = spawnSync(process.execPath, ['--import', 'tsx', program, 'sign', ...args], {
    input,
    encoding: 'utf8',
    env: { PATH, HOME, ...env },
  })
  return { status: run.status, out: run.stdout, err: run.stderr }
}

test('the key comes from standard input, and text and sign are those of the published example', () => {
  const given = ['newAddress', 'username=a123456', 'localusermark=1', 'appid=VunTq7Zk2Lm9h1l8']
  const hmac = sign(given, `${key}\n`)
  assert.equal(
    hmac.out,
    `sign_type  hmac-sha256
text       newAddress?appid=VunTq7Zk2Lm9h1l8&localusermark=1&username=a123456
sign       AD440776A63CC107691C7359A0361E599D8256ADDBE41835E4C8571641A90845
`,
  )
  const sha1 = sign([...given, '--sign-type', 'sha1', '--json'], key)
  assert.deepEqual(JSON.parse(sha1.out), {
    sign_type: 'sha1',
    text: 'appidVunTq7Zk2Lm9h1l8localusermark1usernamea123456<key>',
    sign: 'EC1754A81D3A7ECB47243357EE1296059E2631E2',
  })
  assert.ok(!`${hmac.out}${hmac.err}${sha1.out}${sha1.err}`.includes(key))
})

test("with an appid the merchant's own key signs, and is not shown", async () => {
  const { pool, url } = await cloneDatabase()
  const masterKey = randomBytes(32)
  const added = await addMerchant(pool, masterKey, {
    name: 'shop',
    xpub: testXpub,
    scheme: 'sha1',
    checkUrl: () => null,
  })
  const env = { DATABASE_URL: url, MASTER_KEY: masterKey.toString('hex') }
  const { out, err } = sign(['orders', 'limit=1', '--appid', added.appid], '', env)
  const expected = signParameters('sha1', 'orders', { appid: added.appid, limit: '1' }, added.key)
  assert.equal(out, `sign_type  sha1\ntext       appid${added.appid}limit1<key>\nsign       ${expected}\n`)
  assert.ok(!`${out}${err}`.includes(added.key))
  const other = sign(['orders', '--appid', added.appid, '--sign-type', 'hmac-sha256'], '', env)
  assert.equal(other.status, 2)
  assert.match(other.err, /no live key of hmac-sha256/)
  assert.equal(sign(['orders', '--appid', 'nobody'], '', env).status, 2)
})

test('without a key, or with what is no parameter, nothing is signed, and nothing that may be a key is repeated', () => {
  for (const [args, input] of [
    [['newAddress', 'a=1'], ''],
    [['newAddress', key], key],
    [['newAddress', 'a=1', 'a=2'], key],
    [['new address'], key],
    [['newAddress', '--key', key], ''],
  ] as const) {
    const { status, out, err } = sign([...args], input)
    assert.equal(status, 2, err)
    assert.equal(out, '')
    assert.ok(!err.includes(key))
  }
})
