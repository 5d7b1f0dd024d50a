import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { inTransaction } from '../../src/db/pool.ts'
import { insertKey } from '../../src/merchants/key-store.ts'
import { insertMerchant } from '../../src/merchants/merchant-store.ts'
import { form, json, openApiUnderTest } from '../support/api-under-test.ts'
import { formBody } from '../support/signed-request.ts'

// The published vectors as requests to the app: what the merchant of the vectors sends is let in, byte for byte.
const file = new URL('../merchants/signature-vectors.json', import.meta.url)
const { key, vectors } = JSON.parse(await readFile(file, 'utf8'))
const clock = { now: () => new Date(1662299838_000) }
const api = await openApiUnderTest({ clock })
const counter = await api.addMerchant()
await inTransaction(api.pool, async tx => {
  const { addressCounterId } = api.merchants.byAppid(counter.appid)!
  const appid = 'VunTq7Zk2Lm9h1l8'
  const merchant = { appid, name: 'of the vectors', addressCounterId, callbackUrl: null, always200: false }
  const merchantId = await insertMerchant(tx, merchant)
  for (const scheme of ['hmac-sha256', 'sha1'] as const) {
    await insertKey(tx, api.masterKey, { merchantId, scheme, key, promoted: scheme !== 'sha1' })
  }
})
await api.merchants.refresh()

for (const vector of vectors) {
  for (const { sign } of [vector.sha1, vector.hmac_sha256]) {
    test(`${vector.name}: ${sign.length === 40 ? 'sha1' : 'hmac-sha256'}, by form and by JSON`, async () => {
      const body = { ...vector.params, sign }
      const byForm = await api.post(vector.for, formBody(body), form)
      const byJson = await api.post(vector.for, JSON.stringify(body), json)
      // A callback is no request: there is no such endpoint.
      const expected = vector.for === 'callback' ? ['not_found'] : [undefined, ...codesAfterTheSign]
      assert.ok(expected.includes(byForm.code), byForm.text)
      assert.equal(byJson.code, byForm.code)
      const forged = await api.post(vector.for, formBody({ ...body, sign: `${sign.slice(0, -1)}x` }))
      assert.equal(forged.code, vector.for === 'callback' ? 'not_found' : 'bad_sign')
    })
  }
}

/** What the vectors' requests are refused with once their sign is verified: this database has none of their data. */
const codesAfterTheSign = [
  'address_not_assigned',
  'notify_url_required',
  'user_not_found',
  'order_not_found',
  // The vector's two signs share a nonce; whichever comes second has it reused.
  'nonce_reused',
]
