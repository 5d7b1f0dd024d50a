import assert from 'node:assert/strict'
import { join } from 'node:path'
import type * as TypeScriptClient from '../../clients/typescript/src/recharge-gateway.ts'
import { type MerchantEndpoint, startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { waitUntil } from '../support/wait-until.ts'
import type { Kit } from './kits.ts'
import type { RunningGateway } from './running-gateway.ts'
import { wireAnswers } from './wire-answers.ts'

const user = { username: 'alice', localusermark: '42' }

/** The built package against the gateway itself: what it answers has the fields and kinds that the types say. */
export async function checkRealAnswers(running: RunningGateway, kit: Kit): Promise<void> {
  const path = join(kit.folder, 'node_modules/recharge-gateway-client/dist/recharge-gateway.js')
  const { openGateway, verifyCallback }: typeof TypeScriptClient = await import(path)
  const endpoint = await startMerchantEndpoint()
  const { appid, key, webhookSecret } = await running.addMerchant({ callbackUrl: endpoint.url })
  const gateway = openGateway({ url: `${running.apiUrl}/`, appid, key })
  const orderid = 'typed'
  const base = await gateway.newAddress(user)
  assertShape(wireAnswers.newAddress, base)
  assertShape(wireAnswers.finduseraddress, await gateway.findUserAddress(user))
  const order = { ...user, orderid, amount: '1.5', address: base.address }
  const created = await gateway.createOrder(order)
  assertShape(wireAnswers.TraderRechargeorder, created)
  assert.deepEqual(await gateway.createOrder(order), created)
  await running.pay(base.address, '1.5')
  const found = await waitUntil('the callback is delivered', async () => {
    const { ordersn } = created
    const it = await gateway.findOrder({ ordersn })
    return it.callbacks[0]?.state === 'delivered' ? it : null
  })
  assertShape(wireAnswers.findorder, found)
  const page = await gateway.listOrders({ state: 'paid', limit: 5 })
  assertShape(wireAnswers.orders, page)
  assert.deepEqual(
    page.orders.map(it => [it.orderid, it.received]),
    [[orderid, '1.5']],
  )
  const paid = await gateway.listTransfers({ txid: `0x${found.transfers[0]!.txid.toUpperCase()}` })
  assertShape(wireAnswers.transfers, paid)
  assert.deepEqual(
    paid.transfers.map(it => [it.state, it.orderid, it.amount]),
    [['credited', orderid, '1.5']],
  )
  await assert.rejects(gateway.findOrder({ orderid: 'another' }), {
    code: 'order_not_found',
    httpStatus: 404,
  })
  const again = {
    endpoint,
    keys: { appid, key, webhookSecret },
    verifyCallback,
    idempotencyKey: found.callbacks[0]!.id,
  }
  await checkCallbackAnswers(gateway, orderid, again)
  const nowS = Math.floor(Date.now() / 1000)
  const statement = await gateway.statement({ from: nowS - 3_600, to: nowS + 3_600 })
  assertShape(wireAnswers.statement, statement)
  assert.ok(statement.days.some(({ announced }) => announced === '1.5'))
}

/** A callback that is resent comes under its key again; a sample is verified as one. */
async function checkCallbackAnswers(
  gateway: TypeScriptClient.GatewayClient,
  orderid: string,
  { endpoint, keys, verifyCallback, idempotencyKey }: CallbackCheck,
): Promise<void> {
  const resent = await gateway.resendCallback({ orderid })
  assertShape(wireAnswers.resendcallback, resent)
  assert.deepEqual(resent, { resent: 1, skipped: 0 })
  await waitUntil('the callback once more', () => endpoint.requests[1])
  const tested = await gateway.testCallback()
  assertShape(wireAnswers.testcallback, tested)
  assert.deepEqual([tested.delivered, tested.http_status, tested.error], [true, 200, null])
  const told = await Promise.all(endpoint.requests.map(it => verifyCallback(it.body, it.headers, keys)))
  assert.deepEqual(
    told.map(it => [it.isTest, it.amount, it.isTest || it.idempotencyKey]),
    [
      [false, 15_000n, idempotencyKey],
      [false, 15_000n, idempotencyKey],
      [true, 0n, true],
    ],
  )
}

interface CallbackCheck {
  endpoint: MerchantEndpoint
  keys: TypeScriptClient.CallbackKeys
  verifyCallback: typeof TypeScriptClient.verifyCallback
  idempotencyKey: string
}

/** The same names, and the same kinds under them; where there is null, the type has it too. */
function assertShape(expected: unknown, got: unknown, at = ''): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(got), at)
    for (const item of got) assertShape(expected[0], item, `${at}[]`)
  } else if (typeof expected === 'object' && expected !== null) {
    assert.deepEqual(Object.keys(got as object).sort(), Object.keys(expected).sort(), at)
    for (const [name, value] of Object.entries(expected)) {
      assertShape(value, (got as Record<string, unknown>)[name], `${at}.${name}`)
    }
  } else if (expected !== null && got !== null) {
    assert.equal(typeof got, typeof expected, at)
  }
}
