import { Agent } from 'undici'
import { legacy, usdt } from '../../src/base/money.ts'
import { callbackBody } from '../../src/callbacks/sending/callback-body.ts'
import { webhookHeaders } from '../../src/callbacks/sending/webhook-signature.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'

// A child process of the bench: what a courier is held against. It posts callbacks that it has signed beforehand, as many
// in flight as a courier has slots, reads each answer, and does nothing else.

const concurrency = Number(process.argv[2])
const agent = new Agent({ pipelining: 1, keepAliveTimeout: 30_000 })
let prepared: { origin: string; path: string; headers: Record<string, string>; body: string }[] = []
let rounds = 0

process.on('message', async (question: { kind: string; count?: number; merchants?: Merchant[] }) => {
  if (question.kind === 'prepare') prepared = prepare(question.merchants!, question.count!)
  else await post()
  process.send!({})
})
process.send!({})

function prepare(merchants: readonly Merchant[], count: number): typeof prepared {
  rounds++
  return Array.from({ length: count }, (_, n) => {
    const merchant = merchants[n % merchants.length]!
    const callbackId = `cb_${(rounds * 1e9 + n).toString(16).padStart(32, '0')}`
    const timestamp = Math.floor(Date.now() / 1000)
    const body = callbackBody(factsOf(callbackId, n), merchant, merchant.keys[0]!, timestamp)
    const { origin, pathname } = new URL(merchant.callbackUrl!)
    return {
      origin,
      path: pathname,
      headers: {
        accept: '*/*',
        'content-type': body.contentType,
        'user-agent': 'recharge-gateway',
        'idempotency-key': callbackId,
        ...webhookHeaders(merchant.webhookSecrets, callbackId, timestamp, body.text),
      },
      body: body.text,
    }
  })
}

function factsOf(key: string, n: number) {
  return {
    key,
    orderid: `sh-${n.toString(16).padStart(16, '0')}`,
    ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
    localusermark: '1',
    bodyAmount: legacy(30_000n),
    txid: '0'.repeat(64),
    logIndex: 0,
    transferAmount: usdt(3_000_000n),
    received: usdt(3_000_000n),
    orderAmount: usdt(3_000_000n),
    orderState: 'paid' as const,
    late: false,
  }
}

async function post(): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < prepared.length) {
        const response = await agent.request({ method: 'POST', ...prepared[next++]! })
        const answer = await response.body.text()
        if (response.statusCode !== 200 || answer !== 'success')
          throw new Error(`answered ${response.statusCode}`)
      }
    }),
  )
}
