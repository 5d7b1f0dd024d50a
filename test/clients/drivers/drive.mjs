// Does what each line of its input says, and answers it with a line: see test/clients/drive.ts.
import { createInterface } from 'node:readline'
import {
  CallbackError,
  GatewayError,
  kindOf,
  openGateway,
  verifyCallback,
  verifyDeposit,
  verifyEvent,
} from 'recharge-gateway-client'

const KEYS = /key|secret/

for await (const line of createInterface({ input: process.stdin })) {
  const [task, ...rest] = line.split('\t')
  console.log(await (task === 'call' ? call(rest) : verify(task, rest)).catch(refusal))
}

async function call([url, appid, key, scheme, retries, timeoutMs, endpoint, ...pairs]) {
  const settings = { url, appid, key, scheme, retries: Number(retries), timeoutMs: Number(timeoutMs) }
  const gateway = openGateway(settings)
  const given = Object.fromEntries(pairs.map(cut))
  switch (endpoint) {
    case 'newAddress':
      return shown((await gateway.newAddress(given)).address)
    case 'finduseraddress': {
      const { data } = await gateway.findUserAddress(given)
      return shown(data.address, data.unclaimed, data.addresses[0].unclaimed)
    }
    case 'TraderRechargeorder': {
      const order = await gateway.createOrder(given)
      return shown(order.ordersn, order.address, order.expires_at)
    }
    case 'findorder': {
      const { state, received, expired, transfers, seen, callbacks } = await gateway.findOrder(given)
      return shown(state, received, expired, transfers[0].block, seen[0].amount, callbacks[0].id)
    }
    case 'orders': {
      const { orders, next } = await gateway.listOrders(given)
      return shown(orders.length, orders[0].orderid, next === null)
    }
    case 'resendcallback': {
      const { resent, skipped } = await gateway.resendCallback(given)
      return shown(resent, skipped)
    }
    case 'testcallback': {
      const { delivered, http_status, error } = await gateway.testCallback(given)
      return shown(delivered, http_status, error === null)
    }
    case 'transfers': {
      const { transfers, seen } = await gateway.listTransfers(given)
      const { state, orderid, reason } = transfers[0]
      return shown(state, orderid, reason === null, seen[0].confirmations)
    }
    case 'statement': {
      const { days, unclaimed } = await gateway.statement(given)
      return shown(days[0].day, days[0].received, unclaimed.amount)
    }
  }
}

async function verify(task, [appid, secrets, keys, scheme, now, base64, ...pairs]) {
  const given = { appid, scheme, webhookSecret: listed(secrets), key: listed(keys) }
  const headers = Object.fromEntries(pairs.map(pair => headerOf(cut(pair))))
  const body = Buffer.from(base64, 'base64')
  const kind = task === 'any' ? kindOf(body) : task
  if (kind === 'event') {
    const { idempotencyKey, event, sentAt, fields } = await verifyEvent(body, headers, given, Number(now))
    return shown(idempotencyKey, event, sentAt, fields.event_txid ?? '-')
  }
  if (kind === 'deposit') {
    const it = await verifyDeposit(body, headers, given, Number(now))
    const { idempotencyKey, localusermark, address, txid, logIndex, amount, amountUsdt, sentAt } = it
    return shown(idempotencyKey, localusermark, address, txid, logIndex, amount, amountUsdt, sentAt)
  }
  const callback = await verifyCallback(body, headers, given, Number(now))
  const { idempotencyKey, orderid, localusermark, amount, amountUsdt, sentAt, isTest, fields } = callback
  return shown(idempotencyKey, orderid, localusermark, amount, amountUsdt, sentAt, isTest, fields.txid ?? '-')
}

function refusal(error) {
  const { code, httpStatus, retryAfter } = error
  if (!(error instanceof CallbackError) && !(error instanceof GatewayError)) {
    return error instanceof TypeError && KEYS.test(error.message) ? 'keys' : `other\t${error}`
  }
  return httpStatus === undefined
    ? `refused\t${code}`
    : `refused\t${code}\t${httpStatus}\t${retryAfter || '-'}\t${error.retryable}`
}

function shown(...values) {
  return ['ok', ...values].join('\t')
}

function listed(text) {
  return text === '' ? [] : text.split(',')
}

/** As node:http gives it. */
function headerOf([name, base64]) {
  return [name, Buffer.from(base64, 'base64').toString('latin1')]
}

function cut(pair) {
  const equals = pair.indexOf('=')
  return [pair.slice(0, equals), pair.slice(equals + 1)]
}
