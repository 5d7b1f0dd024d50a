// npm test: the signature vectors, which are the contract, against what was built.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CallbackError, openGateway, sign, verifyCallback } from 'recharge-gateway-client'

const contract = JSON.parse(readFileSync(new URL('../signature-vectors.json', import.meta.url), 'utf8'))

test('every request and callback is signed as the contract has it', async () => {
  assert.ok(contract.vectors.length > 0)
  for (const { name, for: endpoint, params, sha1, hmac_sha256 } of contract.vectors) {
    const parameters = { ...params, sign: 'X' }
    assert.equal(await sign(endpoint, parameters, contract.key), hmac_sha256.sign, name)
    assert.equal(await sign(endpoint, parameters, contract.key, 'sha1'), sha1.sign, name)
  }
})

test('webhook-signature fits the very bytes, and no others', async () => {
  const { secret, body, ...headers } = contract.standard_webhooks
  const keys = { appid: 'VunTq7Zk2Lm9h1l8', webhookSecret: secret }
  const now = Number(headers['webhook-timestamp'])
  const callback = await verifyCallback(body, headers, keys, now)
  assert.deepEqual([callback.idempotencyKey, callback.amount], [headers['webhook-id'], 30_000n])
  await assert.rejects(verifyCallback(`${body}0`, headers, keys, now), { code: 'bad_signature' })
})

test('a body that a parser took is refused by the client itself', async () => {
  const { secret, body, ...headers } = contract.standard_webhooks
  const keys = { appid: 'VunTq7Zk2Lm9h1l8', webhookSecret: secret }
  const now = Number(headers['webhook-timestamp'])
  for (const parsed of [
    undefined,
    null,
    {},
    Object.fromEntries(new URLSearchParams(body)),
    [],
    1,
    new Blob([body]),
  ]) {
    await assert.rejects(verifyCallback(parsed, headers, keys, now), error => {
      assert.ok(error instanceof CallbackError)
      assert.match(error.message, /^bad_body: pass the raw body/)
      return true
    })
  }
  const bytes = new TextEncoder().encode(body)
  const words = new DataView(bytes.buffer)
  for (const raw of [bytes, Buffer.from(body), bytes.buffer, words]) {
    assert.equal((await verifyCallback(raw, new Headers(headers), keys, now)).amount, 30_000n)
  }
})

test('a float is no amount', async () => {
  const gateway = openGateway({ url: 'http://127.0.0.1:9', appid: 'a', key: 'k' })
  const order = { username: 'u', localusermark: '1', orderid: 'sh-1', amount: 3.5 }
  await assert.rejects(gateway.createOrder(order), TypeError)
})
