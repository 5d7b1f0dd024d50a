import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { openSecret, type SecretRow, sealSecret } from '../../src/merchants/sealed-secret.ts'

const masterKey = randomBytes(32)
const row: SecretRow = { table: 'merchant_key', merchantId: 7n as MerchantId, purpose: 'hmac-sha256' }
const secret = '3f9c1e7ab2d84455a0c6e1f27d90b8aa'

test('a secret opens in its own row, and nothing of it shows while sealed', () => {
  const sealed = sealSecret(masterKey, row, secret)
  assert.equal(openSecret(masterKey, row, sealed), secret)
  assert.ok(!sealed.includes(secret) && !sealed.includes(Buffer.from(secret, 'hex')))
  assert.notDeepEqual(sealSecret(masterKey, row, secret), sealed, 'sealed twice it looks different')
})

test("moved to another merchant's row, another table or under another scheme it does not open", () => {
  const sealed = sealSecret(masterKey, row, secret)
  const others: SecretRow[] = [
    { ...row, merchantId: 8n as MerchantId },
    { ...row, merchantId: 77n as MerchantId },
    { ...row, table: 'webhook_secret' },
    { ...row, purpose: 'sha1' },
  ]
  for (const other of others) assert.throws(() => openSecret(masterKey, other, sealed))
})

test('under another master key, changed in any byte or cut short it does not open', () => {
  const sealed = sealSecret(masterKey, row, secret)
  assert.throws(() => openSecret(randomBytes(32), row, sealed))
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed)
    changed[i]! ^= 1
    assert.throws(() => openSecret(masterKey, row, changed), `byte ${i}`)
    assert.throws(() => openSecret(masterKey, row, sealed.subarray(0, i)), `cut at ${i}`)
  }
})

test('what is said when it does not open names neither the secret nor the key', () => {
  const sealed = sealSecret(masterKey, row, secret)
  assert.throws(
    () => openSecret(masterKey, { ...row, merchantId: 8n as MerchantId }, sealed),
    (error: Error) => !error.message.includes(secret) && !error.message.includes(masterKey.toString('hex')),
  )
})
