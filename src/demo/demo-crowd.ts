import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatUsdt, type UsdtUnits, usdt } from '../base/money.ts'
import { control, type DemoContext } from './demo-scenarios.ts'

/** The ids of these orders begin like this, by which the demo keeps from printing a line for each. */
export const crowdPrefix = 'shop-'

const orders = 300
const users = 60
/** So many that they are there within a minute, and few enough that a laptop does not notice. */
const perSecond = 8
/** The endpoint that fails does so for this time. */
const failsForMs = 60_000

/** What happens to an order: of twenty, so many. */
const kinds = {
  exact: 9,
  endpointFails: 3,
  partial: 2,
  inTwoParts: 1,
  over: 1,
  late: 1,
  unclaimed: 1,
  unpaid: 2,
} as const
type Kind = keyof typeof kinds

const everyKind = Object.entries(kinds).flatMap(([kind, n]) => Array<Kind>(n).fill(kind as Kind))

/**
 * Makes orders of every kind, and payments to addresses without an order, by the API and the chain, until there are as many
 * as a shop has on a day. One endpoint fails for a minute and recovers.
 * @throws Error when one of the steps is refused, and the signal's reason.
 */
export async function makeCrowd(context: DemoContext, signal: AbortSignal): Promise<void> {
  const failing = await startFailingEndpoint(context.merchant.callbackUrl)
  signal.addEventListener('abort', failing.close, { once: true })
  for (let n = 0; n < orders; n++) {
    signal.throwIfAborted()
    // Seven and twenty have no common divisor, so that the kinds come mixed.
    const kind = everyKind[(n * 7) % everyKind.length]!
    await makeOne(context, n, kind, kind === 'endpointFails' ? failing.url : context.merchant.callbackUrl)
    await sleep(1_000 / perSecond, undefined, { signal })
  }
}

async function makeOne(context: DemoContext, n: number, kind: Kind, notifyUrl: string): Promise<void> {
  const { merchant, apiUrl } = context
  const buyer = 1 + ((n * 37) % users)
  const user = { username: `Customer ${buyer}`, localusermark: `customer-${buyer}` }
  const amount = usdt(BigInt(1 + ((n * 131) % 400)) * 500_000n)
  const pay = (to: unknown, units: UsdtUnits) => control(context, 'send', { to, amount: formatUsdt(units) })
  if (kind === 'unclaimed') {
    const stranger = { username: `Visitor ${n}`, localusermark: `visitor-${n}` }
    const { address } = await merchant.call(apiUrl, 'newAddress', stranger)
    await pay(address, amount)
    return
  }
  const { address, pay_url } = await merchant.call(apiUrl, 'TraderRechargeorder', {
    ...{ ...user, address: 'auto', amount: formatUsdt(amount), notify_url: notifyUrl },
    orderid: `${crowdPrefix}${1_001 + n}`,
  })
  const half = usdt(amount / 2n)
  switch (kind) {
    case 'exact':
    case 'endpointFails':
      await pay(address, amount)
      break
    case 'partial':
      await pay(address, half)
      break
    case 'inTwoParts':
      await pay(address, half)
      await pay(address, usdt(amount - half))
      break
    case 'over':
      await pay(address, usdt(amount + 250_000n))
      break
    case 'late':
      await payLate(`${pay_url}`)
      break
    case 'unpaid':
      break
  }
}

/** Presses the button of the payer's page that ends the order's window and pays then. */
async function payLate(payUrl: string): Promise<void> {
  const response = await fetch(`${payUrl}/sandbox`, {
    ...{ method: 'POST', body: new URLSearchParams({ what: 'late' }), redirect: 'manual' },
  })
  if (response.status !== 303) throw new Error(`the page refused to pay late: ${response.status}`)
}

/** An endpoint at an origin of its own. It fails for a time; then it passes callbacks on to the merchant's. */
async function startFailingEndpoint(target: string): Promise<{ url: string; close(): void }> {
  const recoversAt = performance.now() + failsForMs
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (performance.now() < recoversAt) {
      response.writeHead(503).end('the database of the shop is being moved')
      return
    }
    const headers = Object.entries(request.headers).filter(([name]) =>
      /^(content-type|webhook-|idempotency-)/.test(name),
    )
    const answer = await fetch(target, {
      ...{ method: 'POST', headers: headers as [string, string][], body: Buffer.concat(chunks) },
    }).catch(() => null)
    response.writeHead(answer?.status ?? 502).end(await answer?.text())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
