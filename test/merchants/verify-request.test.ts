import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { after, test } from 'node:test'
import type { Merchant, MerchantKey } from '../../src/merchants/merchant.ts'
import type { MerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { signParameters } from '../../src/merchants/signature.ts'
import { verifyRequest } from '../../src/merchants/verify-request.ts'

// How long it takes cannot be asserted; how much is hashed can.
const { createHmac } = crypto
let hashed = 0
crypto.createHmac = (...given: Parameters<typeof createHmac>) => {
  hashed++
  return createHmac(...given)
}
syncBuiltinESMExports()
after(() => {
  crypto.createHmac = createHmac
  syncBuiltinESMExports()
})

const key = (id: bigint): MerchantKey => ({
  id,
  scheme: 'hmac-sha256',
  key: `key ${id}`,
  promoted: id === 1n,
})
const merchants: Record<string, Partial<Merchant>> = {
  shop: { keys: [key(1n)] },
  'two keys': { keys: [key(1n), key(2n)] },
  'all keys ended': { keys: [] },
}
const directory = { byAppid: (appid: string) => merchants[appid] } as MerchantDirectory

/** What came of a request, and how many HMACs it took. */
function verify(appid: string, signedWith: string): { came: unknown; hmacs: number } {
  const parameters = { appid, username: 'u' }
  const sign = signParameters('hmac-sha256', 'newAddress', parameters, signedWith)
  hashed = 0
  try {
    verifyRequest(directory, 'newAddress', { ...parameters, sign })
    return { came: 'verified', hmacs: hashed }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return { came: `${code}: ${message}`, hmacs: hashed }
  }
}

test('an unknown appid, a wrong sign and a merchant without a live key are answered alike, for the same work', () => {
  const wrong = verify('shop', 'another key')
  assert.deepEqual(wrong, { came: 'bad_sign: sign: missing or wrong, or appid: unknown', hmacs: 1 })
  assert.deepEqual(verify('nobody', 'key 1'), wrong)
  assert.deepEqual(verify('all keys ended', 'key 1'), wrong)
  assert.deepEqual(
    verify('all keys ended', '00000000000000000000000000000000'),
    wrong,
    "nobody's key is nobody's",
  )
  assert.deepEqual(verify('nobody', '00000000000000000000000000000000'), wrong)
})

test('every live key is tried, whichever fits', () => {
  assert.deepEqual(verify('shop', 'key 1'), { came: 'verified', hmacs: 1 })
  for (const fits of ['key 1', 'key 2'])
    assert.deepEqual(verify('two keys', fits), { came: 'verified', hmacs: 2 })
  assert.equal(verify('two keys', 'key 3').hmacs, 2)
})
