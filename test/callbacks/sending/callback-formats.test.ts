import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { legacy, usdt } from '../../../src/base/money.ts'
import type { CallbackFacts } from '../../../src/callbacks/outbox/callback.ts'
import { attemptCallback } from '../../../src/callbacks/sending/attempt-callback.ts'
import { createGuardedAgent } from '../../../src/egress/guarded-agent.ts'
import type { Merchant } from '../../../src/merchants/merchant.ts'
import { type ReceivedCallback, startMerchantEndpoint } from '../../support/merchant-endpoint.ts'
import { merchantWith } from '../../support/seed-merchant.ts'

// Callbacks as the merchant receives them, read and verified without our code, as an integrator would from the documentation.

const endpoint = await startMerchantEndpoint()
const allowedNetworks = ['127.0.0.0/8']
const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: 1_000 })
after(() => agent.destroy())

const facts: CallbackFacts = {
  key: 'cb_0123456789abcdef0123456789abcdef',
  orderid: "订单 1&amount=9=%+~'*!()/é",
  ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
  localusermark: 'm/1=2&3%',
  bodyAmount: legacy(30_000n),
  txid: '9f'.repeat(32),
  logIndex: 2,
  transferAmount: usdt(1_000_050n),
  received: usdt(3_000_050n),
  orderAmount: usdt(3_000_000n),
  orderState: 'overpaid',
  late: true,
}
const six = ['orderid', 'localusermark', 'amount', 'appid', 't', 'sign']
const more = ['ordersn', 'callback_id', 'txid', 'log_index', 'amount_usdt', 'received_usdt', 'expected_usdt']
const full = [...six.slice(0, 5), ...more, 'state', 'late', 'sign']

for (const callbackFormat of ['form', 'json'] as const) {
  for (const callbackFields of ['six', 'full'] as const) {
    for (const scheme of ['hmac-sha256', 'sha1'] as const) {
      test(`a ${callbackFormat} callback of ${callbackFields}, ${scheme}, is as documented`, async () => {
        const merchant = merchantWith({
          callbackUrl: endpoint.url,
          callbackFormat,
          callbackFields,
          keys: [newKey(scheme)],
        })
        const request = await send(merchant)
        const fields = readAsMerchant(request)
        assert.deepEqual(Object.keys(fields), callbackFields === 'six' ? six : full)
        assert.equal(fields.orderid, facts.orderid)
        assert.equal(fields.localusermark, facts.localusermark)
        assert.equal(fields.amount, '30000')
        assert.equal(fields.appid, merchant.appid)
        if (callbackFields === 'full') {
          const { amount_usdt, received_usdt, expected_usdt, state, late, log_index } = fields
          const shown = [amount_usdt, received_usdt, expected_usdt, state, late, log_index]
          assert.deepEqual(shown, ['1.00005', '3.00005', '3', 'overpaid', '1', '2'])
        }
        assert.equal(fields.sign, signOf(fields, merchant.keys[0]!))
        assertWebhook(request, merchant.webhookSecrets)
      })
    }
  }
}

test('a promoted key signs from the next attempt on; the other keys sign nothing', async () => {
  const [before, next, retired] = [newKey('sha1'), newKey('hmac-sha256'), newKey('hmac-sha256')]
  const merchant = merchantWith({
    callbackUrl: endpoint.url,
    keys: [before, { ...next, promoted: false }, { ...retired, promoted: false }],
  })
  const first = readAsMerchant(await send(merchant))
  assert.equal(first.sign, signOf(first, before))
  const promoted = { ...merchant, keys: [{ ...before, promoted: false }, next] }
  const second = readAsMerchant(await send(promoted))
  assert.equal(second.sign, signOf(second, next))
})

test('while a secret is replaced both verify; after it is retired it no longer does', async () => {
  const [old, fresh] = [newSecret(), newSecret()]
  const merchant = merchantWith({
    callbackUrl: endpoint.url,
    callbackFormat: 'json',
    webhookSecrets: [old, fresh],
  })
  assertWebhook(await send(merchant), [old, fresh])
  const retired = await send({ ...merchant, webhookSecrets: [fresh] })
  assertWebhook(retired, [fresh])
  assert.throws(() => new Webhook(old).verify(retired.body, headersOf(retired)), /No matching signature/)
})

test('neither the merchant key nor the webhook secret verifies in place of the other', async () => {
  const merchant = merchantWith({ callbackUrl: endpoint.url, callbackFormat: 'json' })
  const request = await send(merchant)
  const [key] = merchant.keys
  const asSecret = `whsec_${Buffer.from(key!.key).toString('base64')}`
  assert.throws(() => new Webhook(asSecret).verify(request.body, headersOf(request)), /No matching signature/)
  const fields = readAsMerchant(request)
  assert.notEqual(fields.sign, signOf(fields, { ...key!, key: merchant.webhookSecrets[0]! }))
})

test('attempts differ in t, sign, webhook-timestamp and webhook-signature, and in nothing else', async () => {
  for (const callbackFormat of ['form', 'json'] as const) {
    const merchant = merchantWith({ callbackUrl: endpoint.url, callbackFormat, callbackFields: 'full' })
    const now = new Date()
    const first = await send(merchant, now)
    const later = await send(merchant, new Date(now.getTime() + 43_200_000))
    const [a, b] = [readAsMerchant(first), readAsMerchant(later)]
    assert.deepEqual(differing(a, b), ['sign', 't'])
    assert.deepEqual(Object.keys(a), Object.keys(b))
    assert.deepEqual(differing(first.headers, later.headers), ['webhook-signature', 'webhook-timestamp'])
    assert.deepEqual([first.method, first.path], [later.method, later.path])
    assert.equal(Number(b.t) - Number(a.t), 43_200)
  }
})

async function send(merchant: Merchant, now = new Date()): Promise<ReceivedCallback> {
  const callback = { notifyUrl: null, facts, now }
  const { outcome } = await attemptCallback(callback, merchant, { agent, allowedNetworks, deadlineMs: 5_000 })
  assert.equal(outcome.kind, 'acknowledged')
  const request = endpoint.requests.at(-1)!
  assert.equal(request.headers['webhook-timestamp'], `${Math.floor(now.getTime() / 1000)}`)
  return request
}

/** Reads a body as PHP's $_POST does, or as JSON. */
function readAsMerchant({ headers, body }: ReceivedCallback): Record<string, string> {
  if (headers['content-type'] === 'application/json') {
    const fields: Record<string, unknown> = JSON.parse(body)
    for (const [name, value] of Object.entries(fields)) assert.equal(typeof value, 'string', name)
    return fields as Record<string, string>
  }
  assert.equal(headers['content-type'], 'application/x-www-form-urlencoded')
  const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
  const pairs = body.split('&').map(pair => pair.split('='))
  return Object.fromEntries(pairs.map(([name, value]) => [decode(name!), decode(value!)]))
}

function signOf(fields: Record<string, string>, { scheme, key }: { scheme: string; key: string }): string {
  const names = Object.keys(fields).filter(name => name !== 'sign')
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (scheme === 'sha1') {
    const text = names.map(name => name + fields[name]).join('') + key
    return createHash('sha1').update(text).digest('hex').toUpperCase()
  }
  const text = `callback?${names.map(name => `${percent(name)}=${percent(fields[name]!)}`).join('&')}`
  return createHmac('sha256', key).update(text).digest('hex').toUpperCase()
}

/** Percent-encodes by RFC 3986, byte by byte. */
function percent(text: string): string {
  const encode = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  const bytes = [...Buffer.from(text)]
  return bytes
    .map(byte =>
      /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : encode(byte),
    )
    .join('')
}

/** Checks that there is one signature for every live secret. The package verifies JSON bodies only. */
function assertWebhook(request: ReceivedCallback, secrets: readonly string[]): void {
  const headers = headersOf(request)
  assert.equal(request.headers['idempotency-key'], facts.key)
  assert.equal(headers['webhook-id'], facts.key)
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${request.body}`
  const signatures = secrets.map(secret => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
  })
  assert.equal(headers['webhook-signature'], signatures.join(' '))
  if (request.headers['content-type'] !== 'application/json') return
  for (const secret of secrets) {
    assert.deepEqual(new Webhook(secret).verify(request.body, headers), JSON.parse(request.body))
  }
}

function headersOf({ headers }: ReceivedCallback): Record<string, string> {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
  return Object.fromEntries(names.map(name => [name, `${headers[name]}`]))
}

function differing(a: object, b: object): string[] {
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  const names = new Set([...left.keys(), ...right.keys()])
  return [...names].filter(name => left.get(name) !== right.get(name)).sort()
}

function newKey(scheme: 'hmac-sha256' | 'sha1'): Merchant['keys'][number] {
  return { id: 1n, scheme, key: randomBytes(16).toString('hex'), promoted: true }
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
