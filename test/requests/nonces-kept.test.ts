import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Redis } from 'ioredis'
import { buildApp } from '../../src/http/app.ts'
import { form, openApiUnderTest, readAnswer } from '../support/api-under-test.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { formBody, signed, stamp } from '../support/signed-request.ts'

const user = { username: 'u', localusermark: '1' }

test('a nonce stays used after a restart, on another replica and with Redis flushed', {
  skip: noRedis,
}, async () => {
  const redis = await startRedis()
  const api = await openApiUnderTest({
    redisUrl: redis.url,
    rateLimitPerMinute: 1_000,
    callbackAllowedNetworks: [],
  })
  const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  await api.ask(merchant, 'TraderRechargeorder', { ...user, address: 'auto', orderid: 'sh-1', amount: '3' })
  const [usual, once] = [stamp(), stamp()]
  const requests = {
    first: ['newAddress', { ...user, ...usual }],
    otherwise: ['newAddress', { ...user, ...usual, username: 'other' }],
    resend: ['resendcallback', { orderid: 'sh-1', ...once }],
  } as const
  const askOf = (app: typeof api.app) => async (name: keyof typeof requests) => {
    const [endpoint, parameters] = requests[name]
    const payload = formBody(signed(merchant, endpoint, parameters))
    const headers = { 'content-type': form }
    return readAnswer(
      await app.inject({ method: 'POST', url: `/api/merchant/${endpoint}`, headers, payload }),
    )
  }
  const ask = askOf(api.app)
  const first = await ask('first')
  assert.equal(first.status, 1)
  assert.equal((await ask('resend')).status, 1)
  await flush(redis.url)
  const replica = await buildApp(api.options)
  after(() => replica.close())
  for (const asked of [ask, askOf(replica)]) {
    assert.deepEqual((await asked('first')).data, first.data, 'the same request is a retry')
    assert.equal((await asked('otherwise')).code, 'nonce_reused')
    assert.equal((await asked('resend')).code, 'nonce_reused', 'there even the same')
  }
})

/** Empties a Redis that has something in it. */
async function flush(url: string): Promise<void> {
  const client = new Redis(url)
  try {
    assert.ok((await client.dbsize()) > 0, 'there is something to flush')
    await client.flushall()
  } finally {
    client.disconnect()
  }
}
