import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactAnswer } from '../../../src/callbacks/sending/redact-answer.ts'
import { openTestContext, sendTestCallback } from '../../../src/callbacks/sending/test-callback.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { type Answer, type ReceivedCallback, startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { recordLog } from '../../support/recorded-log.ts'
import { merchantWith } from '../../support/seed-merchant.ts'

const secret = 'aB3+/x9Zk"=&q r'

test('a secret is hidden as it is and as programs write it', () => {
  const html = secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('/', '&#x2F;')
  const forms = [
    secret,
    secret.toUpperCase(),
    encodeURIComponent(secret),
    new URLSearchParams({ a: secret }).toString(),
    JSON.stringify({ a: secret }),
    JSON.stringify({ a: secret }).replaceAll('/', '\\/'),
    JSON.stringify({ a: secret }).replaceAll('&', '\\u0026').replaceAll('+', '\\u002B'),
    html,
    html.replaceAll('+', '&#43;').replaceAll('=', '&equals;'),
  ]
  for (const form of forms) {
    const shown = redactAnswer(`<${form}> and ${form}`, [secret])
    assert.equal(shown.match(/\[hidden\]/g)?.length, 2, shown)
    assert.doesNotMatch(shown, /ab3|x9zk/i)
  }
})

test('what only looks like it stays, and so does a text without secrets', () => {
  const text = 'aB3+/x9Zk and ok $& $1 [hidden'
  assert.equal(redactAnswer(text, [secret, 'ok', '', '$&']), text)
})

test('whatever a secret and the text around it are made of, it is not in the result', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 8, maxLength: 40 }),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      (secret, before, after) => {
        for (const form of [secret, encodeURIComponent(secret)]) {
          const shown = redactAnswer(`${before}${form}${after}`, [secret])
          assert.ok(shown.includes('[hidden]'))
        }
      },
    ),
  )
})

test('an endpoint that returns what it was sent, and its own keys, has none of them kept', async () => {
  const merchant = merchantWith({
    webhookSecrets: [secretOf(), secretOf()],
    keys: [
      { id: 1n, scheme: 'hmac-sha256', key: randomBytes(16).toString('hex'), promoted: true },
      { id: 2n, scheme: 'sha1', key: 'a key/with & signs', promoted: false },
    ],
  })
  const { keys, webhookSecrets } = merchant
  const settings = [...keys.map(({ key }) => key), ...webhookSecrets]
  const echoes: ((request: ReceivedCallback) => Answer)[] = [
    ({ body, headers }) => ({ status: 200, body: JSON.stringify({ body, headers, settings }) }),
    ({ body, headers }) => ({ status: 500, body: `${body}\n${headers['webhook-signature']}\n${settings}` }),
    // The cut of 2 KiB goes through the middle of one.
    ({ headers }) => ({ status: 200, body: `${'x'.repeat(2_030)}${headers['webhook-signature']}` }),
    ({ headers }) => ({
      status: 200,
      body: Buffer.concat([
        Buffer.from([0, 255]),
        Buffer.from(`${settings} ${headers['webhook-signature']}`),
      ]),
    }),
  ]
  for (const echo of echoes) {
    const endpoint = await startMerchantEndpoint(echo)
    const { answer, status } = await sendTest({ ...merchant, callbackUrl: endpoint.url })
    assert.ok(status === 200 || status === 500)
    const [{ headers, body }] = endpoint.requests as [ReceivedCallback]
    const sign = new URLSearchParams(body).get('sign')!
    const signatures = `${headers['webhook-signature']}`.split(' ').map(text => text.slice(3))
    assert.ok(signatures.length === 2 && sign.length === 64)
    for (const one of [sign, ...signatures, ...settings.map(text => text.replace('whsec_', ''))]) {
      assert.ok(!answer!.includes(one), `${one} in ${answer}`)
      // Nor its beginning, up to the cut.
      assert.ok(!answer!.endsWith(one.slice(0, 10)))
    }
    assert.ok(Buffer.byteLength(answer!) <= 2_048)
  }
})

test('a test shows the request as it was received, and what was signed; no key and no secret', async () => {
  for (const scheme of ['hmac-sha256', 'sha1'] as const) {
    for (const callbackFormat of ['form', 'json'] as const) {
      const key = randomBytes(16).toString('hex')
      const endpoint = await startMerchantEndpoint({ status: 200, body: 'success' })
      const merchant = merchantWith({
        callbackFormat,
        callbackUrl: endpoint.url,
        keys: [{ id: 7n, scheme, key, promoted: true }],
      })
      const { request } = await sendTest(merchant)
      const [received] = endpoint.requests
      assert.deepEqual(Object.fromEntries(request!.headers), received!.headers)
      assert.equal(request!.body, received!.body)
      const { text, sign, keyId } = request!.signed
      assert.equal(keyId, 7n)
      const digest =
        scheme === 'sha1'
          ? createHash('sha1').update(text.replace('<key>', key))
          : createHmac('sha256', key).update(text)
      assert.equal(digest.digest('hex').toUpperCase(), sign)
      assert.deepEqual(request!.fields.at(-1), ['sign', sign])
      const bytes = Buffer.from(merchant.webhookSecrets[0]!.slice('whsec_'.length), 'base64')
      const signature = createHmac('sha256', bytes).update(request!.webhookText!).digest('base64')
      assert.equal(received!.headers['webhook-signature'], `v1,${signature}`)
      const shown = JSON.stringify(request, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
      for (const hidden of [key, merchant.webhookSecrets[0]!.slice('whsec_'.length)])
        assert.ok(!shown.includes(hidden))
    }
  }
  const gone = await sendTest(merchantWith({ callbackUrl: 'https://shop.example/', keys: [] }))
  assert.equal(gone.request, null)
  const plain = await startMerchantEndpoint()
  const { request } = await sendTest(merchantWith({ callbackUrl: plain.url, webhookSecrets: [] }))
  assert.equal(request!.webhookText, null)
})

function secretOf(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

async function sendTest(merchant: Merchant) {
  const context = openTestContext({
    config: { callbackAllowedNetworks: ['127.0.0.0/8'] },
    log: recordLog().log,
  })
  try {
    return await sendTestCallback(context, merchant, null)
  } finally {
    await context.agent.destroy()
  }
}
