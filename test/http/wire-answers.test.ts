import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { errorCodes } from '../../src/base/errors.ts'
import { callbackBody } from '../../src/callbacks/sending/callback-body.ts'
import { merchantEndpoints } from '../../src/http/app.ts'
import { answerSchema } from '../../src/http/body/envelope.ts'
import { exampleOf } from '../../src/http/docs/api-example.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { seedCallback } from '../support/seed-callback.ts'
import { seedSeen } from '../support/seed-transfer.ts'
import { stamp } from '../support/signed-request.ts'
import { shownCallback } from './shown-callback.ts'

// One literal answer for each endpoint: the contract integrators wrote their code to. Fields may be added, never removed,
// renamed or given another type.
type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
const wire: Record<string, Json> = JSON.parse(
  await readFile(new URL('wire-answers.json', import.meta.url), 'utf8'),
)
const endpoint = await startMerchantEndpoint()
const api = await openApiUnderTest({ callbackAllowedNetworks: ['127.0.0.0/8'] })
const merchant = await api.addMerchant({ callbackUrl: endpoint.url })
const user = { username: 'a123456', localusermark: '1' }

/** Fails where something of the contract is missing or of another type. An empty list or null says nothing of what may stand there. */
function heldTo(contract: Json, given: Json | undefined, where: string): void {
  if (given === null || contract === null) return
  assert.equal(kindOf(given), kindOf(contract), where)
  if (Array.isArray(contract)) {
    for (const one of given as Json[]) if (contract.length > 0) heldTo(contract[0]!, one, `${where}[]`)
  } else if (typeof contract === 'object') {
    const names = Object.keys(given as object)
    for (const [name, value] of Object.entries(contract)) {
      assert.ok(names.includes(name), `${where}.${name} is missing`)
      heldTo(value, (given as Record<string, Json>)[name], `${where}.${name}`)
    }
  }
}

function kindOf(value: Json | undefined): string {
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

test('the answers the documentation shows are those of the contract, to the letter of their names and types', () => {
  for (const { name, data } of merchantEndpoints(api.options)) {
    heldTo(wire[name]!, exampleOf(answerSchema(data), true) as Json, name)
  }
})

test('every endpoint answers what the contract says, with an order that was paid, called back and is being paid again', async () => {
  const { address } = (await api.ask(merchant, 'newAddress', user)).data
  const directory = api.merchants.byAppid(merchant.appid)!
  const { orderid, addressId } = await seedCallback(api.pool, { merchant: directory, orderid: 'sh-paid' })
  await seedSeen(api.pool, { addressId, height: 2 })
  await api.pool.query(`update callback set last_status = 500`)
  const now = Math.floor(Date.now() / 1000)
  const asked: Record<string, Record<string, string>> = {
    newAddress: user,
    finduseraddress: user,
    TraderRechargeorder: { ...user, address, orderid: 'sh-1', amount: '3' },
    findorder: { orderid },
    orders: {},
    resendcallback: { orderid, ...stamp() },
    testcallback: stamp(),
    statement: { from: String(now - 86_400), to: String(now + 60) },
    transfers: {},
  }
  for (const { name } of merchantEndpoints(api.options)) {
    const answer = await api.ask(merchant, name, asked[name]!)
    assert.equal(answer.status, 1, answer.text)
    const body = JSON.parse(answer.text)
    heldTo(wire[name]!, body, name)
    if (name === 'findorder') {
      for (const part of ['transfers', 'seen', 'callbacks']) assert.equal(body.data[part].length, 1, part)
      assert.equal(kindOf(body.data.callbacks[0].last_status), 'integer')
      assert.equal(kindOf(body.data.callbacks[0].next_at), 'integer')
    }
    if (name === 'transfers')
      for (const part of ['transfers', 'seen']) assert.equal(body.data[part].length, 1, part)
    if (name === 'orders') assert.equal(body.data.orders.length, 2)
  }
})

test('a refusal is what the contract says, and its code and sentence are those of the table', async () => {
  const answer = await api.ask(merchant, 'TraderRechargeorder', {
    ...user,
    address: 'auto',
    orderid: 'sh-2',
    amount: '1.0000001',
  })
  assert.deepEqual(JSON.parse(answer.text), wire.failure)
  assert.equal(errorCodes.bad_amount.example, (wire.failure as { err: string }).err)
})

test('callbacks have the fields of the contract, in its order, all of them text', () => {
  const key = { scheme: 'hmac-sha256' as const, key: 'k' }
  const bodyOf = (callbackFields: 'six' | 'full', callbackFormat: 'form' | 'json') =>
    callbackBody(
      shownCallback,
      { appid: 'VunTq7Zk2Lm9h1l8', callbackFields, callbackFormat },
      key,
      1662299959,
    ).text
  const full = JSON.parse(bodyOf('full', 'json'))
  assert.deepEqual({ ...full, sign: '…' }, wire['callback, json, full'])
  assert.deepEqual(Object.keys(full), Object.keys(wire['callback, json, full'] as object))
  assert.equal(bodyOf('six', 'form').replace(/sign=.*/, 'sign=…'), wire['callback, form, six fields'])
})
