import assert from 'node:assert/strict'
import { test } from 'node:test'
import { legacy } from '../../../src/base/money.ts'
import { callbackBody } from '../../../src/callbacks/sending/callback-body.ts'
import { signParameters } from '../../../src/merchants/signature.ts'
import { shownCallback } from '../../http/shown-callback.ts'
import vectors from './callback-vectors.json' with { type: 'json' }

const key = { scheme: 'hmac-sha256' as const, key: vectors.callback.key }

const merchant = {
  appid: 'VunTq7Zk2Lm9h1l8',
  callbackFields: 'six' as const,
  callbackFormat: 'form' as const,
}

test('by default a callback has exactly six fields, form-encoded, the signature last', () => {
  const body = callbackBody(shownCallback, merchant, key, 1662299959)
  assert.equal(body.contentType, 'application/x-www-form-urlencoded')
  assert.match(
    body.text,
    /^orderid=sh-1&localusermark=1&amount=30000&appid=VunTq7Zk2Lm9h1l8&t=1662299959&sign=[0-9A-F]{64}$/,
  )
})

test('the full JSON callback has the published fields in their order, all of them text', () => {
  const full = { ...merchant, callbackFields: 'full' as const, callbackFormat: 'json' as const }
  const body = callbackBody(shownCallback, full, key, 1662299959)
  assert.equal(body.contentType, 'application/json')
  const { sign, ...fields } = JSON.parse(body.text)
  assert.deepEqual(Object.entries(fields), [
    ['orderid', 'sh-1'],
    ['localusermark', '1'],
    ['amount', '30000'],
    ['appid', 'VunTq7Zk2Lm9h1l8'],
    ['t', '1662299959'],
    ['ordersn', 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2'],
    ['callback_id', 'cb_0123456789abcdef0123456789abcdef'],
    ['txid', '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'],
    ['log_index', '0'],
    ['amount_usdt', '3.00005'],
    ['received_usdt', '3.00005'],
    ['expected_usdt', '3'],
    ['state', 'overpaid'],
    ['late', '0'],
  ])
  assert.equal(sign, signParameters('hmac-sha256', 'callback', fields, key.key))
})

test('a list sends the fields it names beside the six, in the published order, and the sign covers them', () => {
  const chosen = { ...merchant, callbackFields: 'callback_id,state' }
  const fields = Object.fromEntries(
    new URLSearchParams(callbackBody(shownCallback, chosen, key, 1662299959).text),
  )
  assert.deepEqual(Object.entries(fields).slice(5, -1), [
    ['callback_id', 'cb_0123456789abcdef0123456789abcdef'],
    ['state', 'overpaid'],
  ])
  assert.equal(fields.sign, signParameters('hmac-sha256', 'callback', fields, key.key))
  const forged = { ...fields, state: 'paid' }
  assert.notEqual(fields.sign, signParameters('hmac-sha256', 'callback', forged, key.key))
})

test('a late transfer says so', () => {
  const full = { ...merchant, callbackFields: 'full' as const, callbackFormat: 'json' as const }
  const body = callbackBody({ ...shownCallback, late: true }, full, key, 1662299959)
  assert.equal(JSON.parse(body.text).late, '1')
})

test('both schemes sign a callback as published', () => {
  const { params, sha1, hmac_sha256 } = vectors.callback
  const vectorFacts = {
    ...shownCallback,
    orderid: params.orderid,
    localusermark: params.localusermark,
    bodyAmount: legacy(BigInt(params.amount)),
  }
  for (const [scheme, sign] of [
    ['sha1', sha1],
    ['hmac-sha256', hmac_sha256],
  ] as const) {
    const body = callbackBody(vectorFacts, merchant, { scheme, key: key.key }, Number(params.t))
    assert.equal(new URLSearchParams(body.text).get('sign'), sign, scheme)
  }
})

test('characters that a form has to encode arrive unchanged', () => {
  const orderid = "订单 1&amount=9=%+~'*"
  const body = callbackBody({ ...shownCallback, orderid }, merchant, key, 1662299959)
  const fields = Object.fromEntries(new URLSearchParams(body.text))
  assert.equal(fields.orderid, orderid)
  assert.equal(fields.amount, '30000')
  assert.equal(fields.sign, signParameters('hmac-sha256', 'callback', fields, key.key))
})
