import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { webhookHeaders } from '../../../src/callbacks/sending/webhook-signature.ts'
import vectors from './callback-vectors.json' with { type: 'json' }

const vector = vectors.standard_webhooks

test('the headers are those of the published vector', () => {
  const timestamp = Number(vector['webhook-timestamp'])
  assert.deepEqual(webhookHeaders([vector.secret], vector['webhook-id'], timestamp, vector.body), {
    'webhook-id': vector['webhook-id'],
    'webhook-timestamp': vector['webhook-timestamp'],
    'webhook-signature': vector['webhook-signature'],
  })
})

test('the standardwebhooks package verifies a JSON body under every live secret, and under no other', () => {
  const secrets = [newSecret(), newSecret()]
  const body = JSON.stringify({ orderid: '订单-1', amount: '30000' })
  const headers = webhookHeaders(secrets, 'cb_1', Math.floor(Date.now() / 1000), body)
  for (const secret of secrets) {
    assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body))
  }
  assert.throws(() => new Webhook(newSecret()).verify(body, headers), /No matching signature/)
  assert.throws(() => new Webhook(secrets[0]!).verify(`${body} `, headers), /No matching signature/)
})

test('without a live secret there is no signature header', () => {
  assert.deepEqual(Object.keys(webhookHeaders([], 'cb_1', 1, 'x')), ['webhook-id', 'webhook-timestamp'])
})

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
