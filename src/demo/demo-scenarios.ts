import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatUsdt, parseUsdt, usdt, wholeLegacyUnits } from '../base/money.ts'
import { realPayments, realTransactions } from '../sandbox/chain/real-transactions.ts'
import type { DemoMerchant } from './demo-merchant.ts'

/** What the scenarios act on, all of it over HTTP but for the import, which is the operator's command. */
export interface DemoWorld {
  apiUrl: string
  nodeUrl: string
  merchant: DemoMerchant
  importAddress(localusermark: string, address: string): Promise<unknown>
  step(what: string, detail: string): void
}

/** How long a payment may take to come back as a callback before the demo calls it lost. */
const callbackDeadlineMs = 30_000
/** A token by the same name under another contract: the first of sandbox money that must not count. */
const lookalikeToken = 'TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf'

/** The main job: an address, a signed order, a payment on chain, a verified callback. */
export async function payOrder(world: DemoWorld): Promise<void> {
  const { merchant, apiUrl, step } = world
  const user = { username: 'alice', localusermark: 'user-1' }
  const { address } = await merchant.call(apiUrl, 'newAddress', user)
  step('address', `${address} assigned to ${user.localusermark}`)
  const orderid = await createOrder(world, { ...user, address: `${address}`, amount: '3' })
  const { txid } = await control(world, 'send', { to: address, amount: '3.00005' })
  step('payment', `3.00005 USDT in transaction ${txid}`)
  await expectCallback(world, orderid, 3_000_050n)
  const order = await merchant.call(apiUrl, 'findorder', { orderid })
  assert.equal(order.state, 'overpaid', 'the order is overpaid by 0.00005')
  assert.equal(order.received, '3.00005')
  step('order', `${orderid} is ${order.state}: received ${order.received}, announced ${order.announced}`)
}

/**
 * Transactions that happened on the main network, put into sandbox blocks among made-up ones: a transaction that pays
 * two users at once, a failed transfer and a lookalike token. Exactly what was recorded is credited and called back.
 */
export async function payRealTransactions(world: DemoWorld): Promise<void> {
  const { merchant, apiUrl, step } = world
  const expected = new Map<string, bigint>()
  for (const [n, { to, amountUnits }] of realPayments.entries()) {
    const user = { username: `payee ${n + 1}`, localusermark: `real-${n + 1}` }
    await world.importAddress(user.localusermark, to)
    expected.set(
      await createOrder(world, { ...user, address: to, amount: formatUsdt(amountUnits) }),
      amountUnits,
    )
  }
  const pair = []
  for (const localusermark of ['pair-1', 'pair-2']) {
    const { address } = await merchant.call(apiUrl, 'newAddress', { username: localusermark, localusermark })
    const orderid = await createOrder(world, {
      username: localusermark,
      localusermark,
      address: `${address}`,
      amount: '7',
    })
    expected.set(orderid, 7_000_000n)
    pair.push({ to: address, amount: '7' })
  }
  const { txid: failed } = await control(world, 'send', { ...pair[0]!, fail: 'OUT_OF_TIME' })
  step('payment', `7 USDT that fail, out of time: transaction ${failed}`)
  const { txid: lookalike } = await control(world, 'send', { ...pair[0]!, token: lookalikeToken })
  step('payment', `7 of a lookalike token: transaction ${lookalike}`)
  const { txid: both } = await control(world, 'send-many', { payments: pair })
  step('payment', `7 USDT to two users at once: transaction ${both}`)
  await control(world, 'include', { transactions: realTransactions })
  for (const { txid, logIndex, amountUnits } of realPayments) {
    step(
      'payment',
      `${formatUsdt(amountUnits)} USDT of the main network: transaction ${txid}, log ${logIndex}`,
    )
  }
  for (const [orderid, units] of expected) await expectCallback(world, orderid, units)
  const seven = merchant.received.filter(({ amount }) => amount === 70_000n)
  assert.equal(seven.length, 2, 'the failed and the lookalike payments are called back to nobody')
  for (const [orderid, units] of expected) {
    const order = await merchant.call(apiUrl, 'findorder', { orderid })
    assert.equal(parseUsdt(`${order.received}`), units, `${orderid} received exactly what was recorded`)
  }
  step(
    'orders',
    `${expected.size} paid exactly as recorded; the failed and the lookalike payments credited to nobody`,
  )
}

async function createOrder(world: DemoWorld, parameters: Record<string, string>): Promise<string> {
  const orderid = `demo-${randomUUID()}`
  const { ordersn } = await world.merchant.call(world.apiUrl, 'TraderRechargeorder', {
    ...parameters,
    orderid,
  })
  world.step('order', `${orderid} for ${parameters.amount} USDT: ${ordersn}`)
  return orderid
}

/** Waits for the order's callback and checks what it announces. */
async function expectCallback({ merchant }: DemoWorld, orderid: string, units: bigint): Promise<void> {
  const deadline = Date.now() + callbackDeadlineMs
  for (;;) {
    const callbacks = merchant.received.filter(callback => callback.orderid === orderid)
    const faults = callbacks.flatMap(callback => callback.faults)
    if (faults.length > 0) throw new Error(`the callback of ${orderid} does not verify: ${faults.join('; ')}`)
    const announced = callbacks.reduce((sum, callback) => sum + callback.amount, 0n)
    const owed = wholeLegacyUnits(usdt(units))
    if (announced === owed) return
    if (announced > owed)
      throw new Error(`${orderid} was announced ${announced}, more than the ${owed} that arrived`)
    if (Date.now() > deadline) {
      throw new Error(`no callback for ${orderid} within ${callbackDeadlineMs / 1000} s of its payment`)
    }
    await sleep(20)
  }
}

async function control(world: DemoWorld, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${world.nodeUrl}/sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(`the sandbox refused ${path}: ${answer.error}`)
  return answer
}
