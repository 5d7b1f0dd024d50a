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
let looks = 0
let appears: Partial<Merchant> | undefined
const directory = {
  byAppid: (appid: string) => merchants[appid],
  lookForChanges: async () => {
    looks++
    if (appears) merchants['new shop'] = appears
  },
} as MerchantDirectory

const nobodysKey = '00000000000000000000000000000000'

/** What came of a request, and how many signatures of each scheme it took. */
async function verify(
  appid: string,
  signedWith: string,
  scheme: SignatureScheme = 'hmac-sha256',
  showText = false,
) {
  const parameters = { appid, username: 'u' }
  const sign = signParameters(scheme, 'newAddress', parameters, signedWith)
  hmacs = 0
  sha1s = 0
  let came = 'verified'
  try {
    await verifyRequest(directory, 'newAddress', { ...parameters, sign }, { showText })
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    came = `${code}: ${message}`
  }
  return { came, hmacs, sha1s }
}

test('an unknown appid, a wrong sign and a merchant without a live key are answered alike, for the same work', async () => {
  const wrong = await verify('shop', 'another key')
  assert.deepEqual(wrong, { came: 'bad_sign: sign: missing or wrong, or appid: unknown', hmacs: 1, sha1s: 1 })
  for (const scheme of ['hmac-sha256', 'sha1'] as const) {
    assert.deepEqual(
      await verify('old shop', 'another key', scheme),
      wrong,
      "whichever scheme the merchant's key has",
    )
    assert.deepEqual(await verify('changing over', 'another key', scheme), wrong)
    assert.deepEqual(await verify('nobody', 'key 1', scheme), wrong)
    assert.deepEqual(await verify('nobody', nobodysKey, scheme), wrong, "nobody's key is nobody's")
    assert.deepEqual(await verify('all keys ended', nobodysKey, scheme), wrong)
  }
  assert.deepEqual(await verify('all keys ended', 'key 1'), wrong)
})

test('every live key is tried, whichever fits', async () => {
  assert.deepEqual(await verify('shop', 'key 1'), { came: 'verified', hmacs: 1, sha1s: 0 })
  for (const fits of ['key 1', 'key 2'])
    assert.deepEqual(await verify('two keys', fits), { came: 'verified', hmacs: 2, sha1s: 0 })
  assert.deepEqual(await verify('changing over', 'key 1', 'sha1'), { came: 'verified', hmacs: 1, sha1s: 1 })
  assert.deepEqual(await verify('old shop', 'key 1', 'sha1'), { came: 'verified', hmacs: 0, sha1s: 1 })
  assert.equal((await verify('two keys', 'key 3')).hmacs, 2)
})

test('a key that appeared meanwhile is found by one look; a right sign needs none', async () => {
  looks = 0
  assert.equal((await verify('shop', 'key 1')).came, 'verified')
  assert.equal(looks, 0)
  appears = { keys: [key(9n)] }
  assert.equal((await verify('new shop', 'key 9')).came, 'verified')
  assert.equal(looks, 1)
  assert.match((await verify('new shop', 'key 1')).came, /^bad_sign/)
})

test('where it is wanted, a refusal shows what is signed, the same for an unknown appid and whatever the keys are', async () => {
  const shown = async (appid: string, signedWith: string, scheme?: SignatureScheme) =>
    (await verify(appid, signedWith, scheme, true)).came
      .replaceAll(encodeURIComponent(appid), '<appid>')
      .replaceAll(appid, '<appid>')
  const unknown = await shown('nobody', 'key 1')
  assert.equal(
    unknown,
    'bad_sign: sign: missing or wrong, or appid: unknown; what is signed here, by hmac-sha256: newAddress?appid=<appid>&username=u; by sha1: appid<appid>usernameu<key>',
  )
  for (const appid of ['shop', 'old shop', 'changing over', 'all keys ended'])
    for (const scheme of ['hmac-sha256', 'sha1'] as const)
      assert.equal(await shown(appid, 'another key', scheme), unknown)
})
