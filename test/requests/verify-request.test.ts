import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { after, test } from 'node:test'
import type { Merchant, MerchantKey } from '../../src/merchants/merchant.ts'
import type { MerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { type SignatureScheme, signParameters } from '../../src/merchants/signature.ts'
import { verifyRequest } from '../../src/requests/verify-request.ts'

// How long it takes cannot be asserted; how much is hashed can.
const { createHash, createHmac } = crypto
let hmacs = 0
let sha1s = 0
crypto.createHmac = (...given: Parameters<typeof createHmac>) => {
  hmacs++
  return createHmac(...given)
}
crypto.createHash = (...given: Parameters<typeof createHash>) => {
  sha1s++
  return createHash(...given)
}
syncBuiltinESMExports()
after(() => {
  Object.assign(crypto, { createHash, createHmac })
  syncBuiltinESMExports()
})

const key = (id: bigint, scheme: SignatureScheme = 'hmac-sha256'): MerchantKey => ({
  id,
  scheme,
  key: `key ${id}`,
  promoted: id === 1n,
})
const merchants: Record<string, Partial<Merchant>> = {
  shop: { keys: [key(1n)] },
  'old shop': { keys: [key(1n, 'sha1')] },
  'two keys': { keys: [key(1n), key(2n)] },
  'changing over': { keys: [key(1n, 'sha1'), key(2n)] },
  'all keys ended': { keys: [] },
}
const directory = { byAppid: (appid: string) => merchants[appid] } as MerchantDirectory

const nobodysKey = '00000000000000000000000000000000'

/** What came of a request, and how many signatures of each scheme it took. */
function verify(appid: string, signedWith: string, scheme: SignatureScheme = 'hmac-sha256') {
  const parameters = { appid, username: 'u' }
  const sign = signParameters(scheme, 'newAddress', parameters, signedWith)
  hmacs = 0
  sha1s = 0
  let came = 'verified'
  try {
    verifyRequest(directory, 'newAddress', { ...parameters, sign })
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    came = `${code}: ${message}`
  }
  return { came, hmacs, sha1s }
}

test('an unknown appid, a wrong sign and a merchant without a live key are answered alike, for the same work', () => {
  const wrong = verify('shop', 'another key')
  assert.deepEqual(wrong, { came: 'bad_sign: sign: missing or wrong, or appid: unknown', hmacs: 1, sha1s: 1 })
  for (const scheme of ['hmac-sha256', 'sha1'] as const) {
    assert.deepEqual(
      verify('old shop', 'another key', scheme),
      wrong,
      "whichever scheme the merchant's key has",
    )
    assert.deepEqual(verify('changing over', 'another key', scheme), wrong)
    assert.deepEqual(verify('nobody', 'key 1', scheme), wrong)
    assert.deepEqual(verify('nobody', nobodysKey, scheme), wrong, "nobody's key is nobody's")
    assert.deepEqual(verify('all keys ended', nobodysKey, scheme), wrong)
  }
  assert.deepEqual(verify('all keys ended', 'key 1'), wrong)
})

test('every live key is tried, whichever fits', () => {
  assert.deepEqual(verify('shop', 'key 1'), { came: 'verified', hmacs: 1, sha1s: 0 })
  for (const fits of ['key 1', 'key 2'])
    assert.deepEqual(verify('two keys', fits), { came: 'verified', hmacs: 2, sha1s: 0 })
  assert.deepEqual(verify('changing over', 'key 1', 'sha1'), { came: 'verified', hmacs: 1, sha1s: 1 })
  assert.deepEqual(verify('old shop', 'key 1', 'sha1'), { came: 'verified', hmacs: 0, sha1s: 1 })
  assert.equal(verify('two keys', 'key 3').hmacs, 2)
})
