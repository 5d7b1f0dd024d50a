import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { legacy, usdt } from '../../src/base/money.ts'
import type { CallbackFacts } from '../../src/callbacks/outbox/callback.ts'
import { callbackBody } from '../../src/callbacks/sending/callback-body.ts'
import { webhookHeaders } from '../../src/callbacks/sending/webhook-signature.ts'
import type { MerchantCredentials } from '../../src/demo/demo-merchant.ts'
import { freePort } from '../../src/demo/embedded-database.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { waitUntil } from '../support/wait-until.ts'
import { callLine, drive, verifyLine } from './drive.ts'
import type { Kit } from './kits.ts'
import { type Receiver, startReceiver } from './receiver.ts'
import type { RunningGateway } from './running-gateway.ts'

const run = promisify(execFile)
const user = { username: 'alice', localusermark: '42' }

/** The README's programs as they are: the receiver is started, the order made, paid and looked at again. */
export async function payAnOrder(
  running: RunningGateway,
  kit: Kit,
  callbacks: { format: 'form' | 'json'; fields: 'six' | 'full' },
): Promise<void> {
  const port = await freePort()
  const merchant = await running.addMerchant({ callbackUrl: `http://127.0.0.1:${port}/`, ...callbacks })
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    GATEWAY_URL: running.apiUrl,
    APPID: merchant.appid,
    MERCHANT_KEY: merchant.key,
    WEBHOOK_SECRET: merchant.webhookSecret,
    PORT: `${port}`,
  }
  const receiver = await startReceiver(kit.receive(port), { cwd: kit.folder, env, port })
  try {
    const orderid = `${kit.name}-${callbacks.format}`
    const [program, ...args] = kit.order
    const order = async () => {
      const { stdout } = await run(program!, [...args, orderid, '3'], { cwd: kit.folder, env })
      return stdout.trimEnd().split('\n')
    }
    const [first, state] = await order()
    const address = /^pay 3 USDT to (T\w{33})$/.exec(first!)?.[1]
    assert.ok(address, first)
    assert.equal(state, `${orderid} is pending: received 0 of 3 USDT`)
    await running.pay(address, '3.00005')
    const credit = `credited 3 USDT for ${orderid} to user 42`
    await waitUntil(`${kit.name}: ${credit}`, () => receiver.output().includes(credit))
    assert.deepEqual(await order(), [first, `${orderid} is overpaid: received 3.00005 of 3 USDT`])
    await checkReceiver(receiver, merchant, callbacks, port)
  } finally {
    await receiver.stop()
  }
}

const facts: Omit<CallbackFacts, 'key' | 'orderid'> = {
  ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
  localusermark: '42',
  bodyAmount: legacy(45_000n),
  txid: 'ab'.repeat(32),
  logIndex: 0,
  transferAmount: usdt(4_500_000n),
  received: usdt(4_500_000n),
  orderAmount: usdt(4_500_000n),
  orderState: 'paid',
  late: false,
}

/** What comes twice is credited once, a sample not at all, and a forgery is refused. */
async function checkReceiver(
  receiver: Receiver,
  { appid, key, webhookSecret }: MerchantCredentials,
  { format, fields }: { format: 'form' | 'json'; fields: 'six' | 'full' },
  port: number,
): Promise<void> {
  // What was credited outlives the program where it is kept in files, so each run has keys of its own.
  const run = randomBytes(12).toString('hex')
  const send = async (
    orderid: string,
    changes: Partial<CallbackFacts> = {},
    forge = (body: string) => body,
  ) => {
    const at = Math.floor(Date.now() / 1000)
    const merchant = { appid, callbackFields: fields, callbackFormat: format }
    const told = { ...facts, key: `cb_${run}_${orderid}`, orderid, ...changes }
    const { contentType, text } = callbackBody(told, merchant, { scheme: 'hmac-sha256', key }, at)
    const headers = {
      'content-type': contentType,
      'idempotency-key': told.key,
      ...webhookHeaders([webhookSecret], told.key, at, text),
    }
    return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: forge(text) })).status
  }
  assert.equal(await send('twice'), 200)
  assert.equal(await send('twice'), 200)
  assert.equal(await send('sample', { bodyAmount: legacy(0n) }), 200)
  assert.equal(await send('forged', {}, body => body.replace('45000', '95000')), 400)
  // The last one, so that whatever was said of those before has been said.
  assert.equal(await send('last'), 200)
  const credited = (orderid: string) => `credited 4.5 USDT for ${orderid} to user 42`
  await waitUntil('the last credit', () => receiver.output().includes(credited('last')))
  const credits = receiver.output().match(/credited \S+ USDT for (?:twice|sample|forged|last) .*/g)
  assert.deepEqual(credits, [credited('twice'), credited('last')])
}

/** The whole way under a sha1 key, whose refusals come with 200; the callback's bytes are verified as they arrived. */
export async function payBySha1(running: RunningGateway, kit: Kit): Promise<void> {
  const endpoint = await startMerchantEndpoint()
  const merchant = await running.addMerchant({ callbackUrl: endpoint.url, scheme: 'sha1' })
  const settings = { scheme: 'sha1', retries: 2, timeoutMs: 10_000 } as const
  const ask = async (name: string, parameters: Record<string, string>) => {
    const call = { ...settings, url: running.apiUrl, key: merchant.key, endpoint: name, parameters }
    const [answer] = await drive(kit, [callLine(merchant.appid, call)])
    return answer!.split('\t')
  }
  const orderid = `${kit.name}-sha1`
  const [made, , address] = await ask('TraderRechargeorder', { ...user, orderid, amount: '2' })
  assert.equal(made, 'ok')
  const conflict = await ask('TraderRechargeorder', { ...user, orderid, amount: '3' })
  assert.deepEqual(conflict, ['refused', 'orderid_conflict', '200', '-', 'false'])
  await running.pay(address!, '2')
  const callback = await waitUntil('the callback', () => endpoint.requests[0])
  const { headers, body } = callback
  const given = {
    secrets: [merchant.webhookSecret],
    keys: [merchant.key],
    scheme: 'sha1',
    now: Math.floor(callback.at / 1000),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `${value}`])),
    body,
  } as const
  const [verified] = await drive(kit, [verifyLine(merchant.appid, given)])
  const t = headers['webhook-timestamp']
  assert.equal(verified, `ok\t${headers['idempotency-key']}\t${orderid}\t42\t20000\t2\t${t}\tfalse\t-`)
}
