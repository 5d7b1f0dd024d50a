import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countRows, followChain, openApiUnderTest } from '../support/api-under-test.ts'
import { stamp } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

test('nothing is handed out before it is watched: 503 not_ready until there is a cursor', async () => {
  const api = await openApiUnderTest({ watched: false })
  const merchant = await api.addMerchant({ scheme: 'sha1' })
  const user = { username: 'u', localusermark: '1' }
  const before = await countRows(api.pool)
  for (const endpoint of ['newAddress', 'finduseraddress', 'TraderRechargeorder', 'findorder']) {
    const answer = await api.ask(merchant, endpoint, { ...user, ...stamp() })
    // always_200 or not: whatever stands between us must see that it failed.
    assert.deepEqual([answer.httpStatus, answer.code, answer.status], [503, 'not_ready', 0], endpoint)
    assert.match(String(answer.headers['retry-after']), /^\d+$/)
  }
  assert.deepEqual(await countRows(api.pool), before)
  assert.equal((await api.ask({ ...merchant, key: 'x' }, 'newAddress', user)).code, 'bad_sign')
  assert.equal((await api.app.inject('/healthz')).statusCode, 200)
  assert.equal((await api.app.inject('/readyz')).statusCode, 503)
  await followChain(api.pool)
  await waitUntil('it is ready', async () => (await api.app.inject('/readyz')).statusCode === 200)
  assert.equal((await api.ask(merchant, 'newAddress', user)).status, 1)
})
