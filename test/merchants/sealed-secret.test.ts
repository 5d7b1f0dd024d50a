import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { openSecret, type SecretRow, sealSecret } from '../../src/merchants/sealed-secret.ts'

const masterKey = randomBytes(32)
const row: SecretRow = { table: 'merchant_key', id: 3n, merchantId: 7n as MerchantId, purpose: 'hmac-sha256' }
const secret = '3f9c1e7ab2d84455a0c6e1f27d90b8aa'

test('a secret opens in its own row, and nothing of it shows while sealed', () => {
  const sealed = sealSecret(masterKey, row, secret, 2)
  assert.equal(openSecret(masterKey, row, sealed), secret)
  assert.ok(!sealed.includes(secret) && !sealed.includes(Buffer.from(secret, 'hex')))
  assert.notDeepEqual(sealSecret(masterKey, row, secret, 2), sealed, 'sealed twice it looks different')
})

test("moved to another merchant's row, another table or under another scheme it does not open", () => {
  const sealed = sealSecret(masterKey, row, secret, 2)
  const others: SecretRow[] = [
    { ...row, merchantId: 8n as MerchantId },
    { ...row, merchantId: 77n as MerchantId },
    { ...row, table: 'webhook_secret' },
    { ...row, id: 4n },
    { ...row, purpose: 'sha1' },
  ]
  for (const other of others) assert.throws(() => openSecret(masterKey, other, sealed))
})

test('under another master key, changed in any byte or cut short it does not open', () => {
  const sealed = sealSecret(masterKey, row, secret, 2)
  assert.throws(() => openSecret(randomBytes(32), row, sealed))
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed)
    changed[i]! ^= 1
    assert.throws(() => openSecret(masterKey, row, changed), `byte ${i}`)
    assert.throws(() => openSecret(masterKey, row, sealed.subarray(0, i)), `cut at ${i}`)
  }
})

test('what is said when it does not open names neither the secret nor the key', () => {
  const sealed = sealSecret(masterKey, row, secret, 2)
  assert.throws(
    () => openSecret(masterKey, { ...row, merchantId: 8n as MerchantId }, sealed),
    (error: Error) => !error.message.includes(secret) && !error.message.includes(masterKey.toString('hex')),
  )
})

test('of the old version a secret still opens, also in another row of its merchant', () => {
  const sealed = sealSecret(masterKey, row, secret, 1)
  assert.equal(openSecret(masterKey, row, sealed), secret)
  assert.equal(openSecret(masterKey, { ...row, id: 4n }, sealed), secret)
  assert.throws(() => openSecret(masterKey, { ...row, merchantId: 8n as MerchantId }, sealed))
})

test('a secret of one version does not open as the other, whatever its first byte is made to say', () => {
  for (const [from, to] of [
    [1, 2],
    [2, 1],
    [2, 3],
  ] as const) {
    const sealed = sealSecret(masterKey, row, secret, from)
    sealed[0] = to
    assert.throws(() => openSecret(masterKey, row, sealed))
  }
})
