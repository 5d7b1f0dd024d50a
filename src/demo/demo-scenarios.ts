import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatUsdt, parseUsdt, type UsdtUnits, usdt, wholeLegacyUnits } from '../base/money.ts'
import { realPayments, realTransactions } from '../sandbox/chain/real-transactions.ts'
import type { DemoMerchant } from './demo-merchant.ts'

/** What the scenarios use. All of it is HTTP, except the import, which is an operator's command. */
export interface DemoContext {
  apiUrl: string
  nodeUrl: string
  merchant: DemoMerchant
  /** Where the scenarios' callbacks go, when the merchant's default is another endpoint. */
  notifyUrl: string | null
  importAddress(localusermark: string, address: string): Promise<unknown>
  step(what: string, detail: string): void
}

/** How long the demo waits for a payment's callback. */
const callbackDeadlineMs = 30_000
/** Another contract than USDT's: its transfers must not count. */
const lookalikeToken = 'TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf'

/** Shows the main flow: an address, a signed order, a payment on the chain, a verified callback. */
export async function payOrder(context: DemoContext): Promise<void> {
  const { merchant, apiUrl, step } = context
  const user = { username: 'alice', localusermark: 'user-1' }
  const { address } = await merchant.call(apiUrl, 'newAddress', user)
  step('address', `${address} assigned to ${user.localusermark}`)
  const orderid = await createOrder(context, { ...user, address: `${address}`, amount: '3' })
  const { txid } = await control(context, 'send', { to: address, amount: '3.00005' })
  step('payment', `3.00005 USDT in transaction ${txid}`)
  await expectCallback(context, orderid, usdt(3_000_050n))
  const order = await merchant.call(apiUrl, 'findorder', { orderid })
  assert.equal(order.state, 'overpaid', 'the order is overpaid by 0.00005')
  assert.equal(order.received, '3.00005')
  step('order', `${orderid} is ${order.state}: received ${order.received}, announced ${order.announced}`)
  showProofs(context, order)
}

/**
 * Includes transactions of the main network in sandbox blocks, beside a transaction that pays two users, a failed transfer
 * and a transfer of a lookalike token. Exactly the recorded payments must be credited and called back.
 */
export async function payRealTransactions(context: DemoContext): Promise<void> {
  const { merchant, apiUrl, step } = context
  const expected = new Map<string, UsdtUnits>()
  for (const [n, { to, amountUnits }] of realPayments.entries()) {
    const user = { username: `payee ${n + 1}`, localusermark: `real-${n + 1}` }
    await context.importAddress(user.localusermark, to)
    expected.set(
      await createOrder(context, { ...user, address: to, amount: formatUsdt(amountUnits) }),
      amountUnits,
    )
  }
  const pair = []
  for (const localusermark of ['pair-1', 'pair-2']) {
    const { address } = await merchant.call(apiUrl, 'newAddress', { username: localusermark, localusermark })
    const orderid = await createOrder(context, {
      username: localusermark,
      localusermark,
      address: `${address}`,
      amount: '7',
    })
    expected.set(orderid, usdt(7_000_000n))
    pair.push({ to: address, amount: '7' })
  }
  const { txid: failed } = await control(context, 'send', { ...pair[0]!, fail: 'OUT_OF_TIME' })
  step('payment', `7 USDT, failed with OUT_OF_TIME: transaction ${failed}`)
  const { txid: lookalike } = await control(context, 'send', { ...pair[0]!, token: lookalikeToken })
  step('payment', `7 of a lookalike token: transaction ${lookalike}`)
  const { txid: both } = await control(context, 'send-many', { payments: pair })
  step('payment', `7 USDT to two users at once: transaction ${both}`)
  await control(context, 'include', { transactions: realTransactions })
  for (const { txid, logIndex, amountUnits } of realPayments) {
    step(
      'payment',
      `${formatUsdt(amountUnits)} USDT of the main network: transaction ${txid}, log ${logIndex}`,
    )
  }
  for (const [orderid, units] of expected) await expectCallback(context, orderid, units)
  const seven = merchant.received.filter(({ amount }) => amount === 70_000n)
  assert.equal(seven.length, 2, 'the failed and the lookalike payment cause no callback')
  for (const [orderid, units] of expected) {
    const order = await merchant.call(apiUrl, 'findorder', { orderid })
    assert.equal(parseUsdt(`${order.received}`), units, `${orderid} received exactly what was recorded`)
    showProofs(context, order)
  }
  step(
    'orders',
    `${expected.size} paid exactly as recorded; the failed and the lookalike payment are not credited`,
  )
}

/** Makes an order that nobody has paid yet. @returns the URL of its page. */
export async function createPageOrder({ merchant, apiUrl, notifyUrl }: DemoContext): Promise<string> {
  const { pay_url } = await merchant.call(apiUrl, 'TraderRechargeorder', {
    ...{ username: 'bob', localusermark: 'user-2', address: 'auto', amount: '25' },
    orderid: `demo-page-${randomUUID().slice(0, 8)}`,
    ...(notifyUrl !== null && { notify_url: notifyUrl }),
  })
  return `${pay_url}`
}

/** Prints how it is known that an order's payments happened. */
function showProofs({ step }: DemoContext, order: Record<string, unknown>): void {
  const sentences: Record<string, string> = {
    signed: 'signed: its sender signed recipient and amount, in a block that was verified',
    agreed: 'agreed: two hosts show it',
    alone: "alone: one host's word",
  }
  for (const transfer of order.transfers as { txid: string; amount: string; proof?: string | null }[]) {
    const how = sentences[`${transfer.proof}`]
    if (how) step('proof', `${transfer.amount} USDT in transaction ${transfer.txid} is ${how}`)
  }
}

async function createOrder(context: DemoContext, parameters: Record<string, string>): Promise<string> {
  const orderid = `demo-${randomUUID()}`
  const { ordersn } = await context.merchant.call(context.apiUrl, 'TraderRechargeorder', {
    ...parameters,
    orderid,
    ...(context.notifyUrl !== null && { notify_url: context.notifyUrl }),
  })
  context.step('order', `${orderid} for ${parameters.amount} USDT: ${ordersn}`)
  return orderid
}

/** Waits until the order's callbacks announce all of its payment. @throws Error when they do not, or are invalid. */
async function expectCallback({ merchant }: DemoContext, orderid: string, units: UsdtUnits): Promise<void> {
  const deadline = Date.now() + callbackDeadlineMs
  for (;;) {
    const callbacks = merchant.received.filter(callback => callback.orderid === orderid)
    const faults = callbacks.flatMap(callback => callback.faults)
    if (faults.length > 0) throw new Error(`the callback of ${orderid} does not verify: ${faults.join('; ')}`)
    const announced = callbacks.reduce((sum, callback) => sum + callback.amount, 0n)
    const owed = wholeLegacyUnits(units)
    if (announced === owed) return
    if (announced > owed)
      throw new Error(`${orderid} was announced ${announced}, more than the ${owed} that arrived`)
    if (Date.now() > deadline) {
      throw new Error(`no callback for ${orderid} within ${callbackDeadlineMs / 1000} s of its payment`)
    }
    await sleep(20)
  }
}

/** Calls the chain's control API. @throws Error when it refuses. */
export async function control(
  context: DemoContext,
  path: string,
  body: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${context.nodeUrl}/sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(`the sandbox refused ${path}: ${answer.error}`)
  return answer
}
