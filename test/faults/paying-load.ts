import { setTimeout as sleep } from 'node:timers/promises'
import { formatUsdt } from '../../src/base/money.ts'
import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { signed, stamp } from '../support/signed-request.ts'
import type { Shop } from './shop.ts'

/** An order as its merchant knows it, and what its payer has sent. */
export interface PaidOrder {
  shop: Shop
  orderid: string
  begunAt: number
  /** What the gateway answered, once; null until it has. */
  answered: { ordersn: string; address: string } | null
  /** Base units, in as many payments. */
  paidUnits: bigint
  payments: number
  /** All that belongs to it has been sent. */
  through: boolean
}

/** Orders that come in and are paid, one after the other, whatever happens to the gateway. */
export interface PayingLoad {
  orders: readonly PaidOrder[]
  /** What no fault may lead to: another answer to the same question, a refusal of a right request. */
  wrong: readonly string[]
  /** Answers of the API that said "later", and how long the longest answer of any kind took. */
  later: number
  slowestMs: number
  /** Of these no further orders come. */
  leftOut: Set<Shop>
  /** Begins one more order: at an address of its own, with these payments, unless the plan says otherwise. */
  begin(shop: Shop, plan: Partial<OrderPlan> & Pick<OrderPlan, 'parts'>): void
  /** Begins no further order; resolves when those begun are through. */
  stop(): Promise<void>
}

export interface LoadTarget {
  apiUrl: string
  sandboxUrl: string
  shops: readonly Shop[]
}

/** A merchant's client gives up a request and makes it again. */
const requestTimeoutMs = 9_000
const againMs = 250

/** @param everyMs from one order to the next. */
export function startPayingLoad(target: LoadTarget, random: SeededRandom, everyMs: number): PayingLoad {
  const orders: PaidOrder[] = []
  const leftOut = new Set<Shop>()
  const load = { orders, leftOut, wrong: [] as string[], later: 0, slowestMs: 0, stopped: false }
  const inHand: Promise<void>[] = []
  const begin = (shop: Shop, plan: OrderPlan) => {
    const none = { answered: null, paidUnits: 0n, payments: 0, through: false }
    const order: PaidOrder = { shop, orderid: `order-${orders.length}`, begunAt: Date.now(), ...none }
    orders.push(order)
    inHand.push(bringThrough(target, load, order, plan))
  }
  const running = (async () => {
    while (!load.stopped) {
      // Decided here, in order: what a seed means must not depend on which answer comes first.
      await room(orders)
      const shop = random.pick(target.shops)
      if (!leftOut.has(shop)) begin(shop, planOf(random, orders.length))
      await sleep(everyMs * (0.5 + random.next()))
    }
  })()
  return Object.assign(load, {
    begin: (shop: Shop, plan: Partial<OrderPlan> & Pick<OrderPlan, 'parts'>) =>
      begin(shop, { user: 'user-1', address: 'own', asksTwice: false, paidBefore: 0n, ...plan }),
    stop: async () => {
      load.stopped = true
      await running
      await Promise.all(inHand)
    },
  })
}

/** What becomes of one order. */
export interface OrderPlan {
  user: string
  /** An address for this order alone, the user's own, or one that was imported for the user. */
  address: 'own' | "user's" | (string & {})
  asksTwice: boolean
  /** Of each payment, base units. */
  parts: bigint[]
  /** What has been paid there before there was an order. */
  paidBefore: bigint
}

function planOf(random: SeededRandom, n: number): OrderPlan {
  const own = random.chance(0.75)
  // Amounts tell the orders at a user's address apart. At an own address also dust, which is carried to the next payment.
  const amount = 1_000_000n + BigInt(n) * 100n
  const dusty = () => BigInt(random.whole(1, 3_000_000))
  return {
    user: `user-${random.whole(1, 8)}`,
    address: own ? 'own' : "user's",
    asksTwice: random.chance(0.3),
    paidBefore: 0n,
    parts: own && random.chance(0.4) ? [dusty(), dusty(), 100n + dusty()] : [amount],
  }
}

/** Orders on their way at the most: what a slow machine cannot carry is not piled up for it. */
const openMax = 60

async function room(orders: readonly PaidOrder[]): Promise<void> {
  // The latest are the open ones, or nearly.
  while (orders.slice(-2 * openMax).filter(order => !isSettled(order)).length >= openMax) await sleep(20)
}

type Books = { wrong: string[]; later: number; slowestMs: number }

async function bringThrough(
  target: LoadTarget,
  books: Books,
  order: PaidOrder,
  { user, address: kind, asksTwice, parts, paidBefore }: OrderPlan,
): Promise<void> {
  try {
    const names = { username: user, localusermark: user }
    const base = async () => (await ask(target, books, order.shop, 'newAddress', names)).address!
    const address = kind === 'own' ? 'auto' : kind === "user's" ? await base() : kind
    const amount = formatUsdt(parts[0] ?? paidBefore)
    const wanted = { ...names, address, orderid: order.orderid, amount }
    const { ordersn, address: at } = await ask(target, books, order.shop, 'TraderRechargeorder', wanted)
    order.answered = { ordersn: ordersn!, address: at! }
    if (asksTwice) {
      const again = await ask(target, books, order.shop, 'TraderRechargeorder', wanted)
      if (again.ordersn !== ordersn || again.address !== at)
        books.wrong.push(`${order.orderid}: asked again, ${again.ordersn} instead of ${ordersn}`)
    }
    order.paidUnits += paidBefore
    for (const units of parts) {
      await pay(target, at!, units)
      order.paidUnits += units
      order.payments++
    }
  } catch (error) {
    books.wrong.push(`${order.orderid}: ${(error as Error).message}`)
  }
  order.through = true
}

/** Asks until there is an answer, as a merchant does: no connection, a timeout, a 5xx and a 429 all mean "again". */
async function ask(
  { apiUrl }: LoadTarget,
  books: Books,
  shop: Shop,
  endpoint: string,
  parameters: Record<string, string>,
): Promise<Record<string, string>> {
  const caller = { appid: shop.appid, key: shop.requestKey, scheme: 'hmac-sha256' as const }
  for (const giveUpAt = Date.now() + 180_000; Date.now() < giveUpAt; await sleep(againMs)) {
    const body = new URLSearchParams(signed(caller, endpoint, { ...parameters, ...stamp() }))
    const askedAt = performance.now()
    const reply = await fetch(`${apiUrl}/api/merchant/${endpoint}`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
      .then(async response => ({ status: response.status, answer: JSON.parse(await response.text()) }))
      .catch(() => null) // No answer, or half of one.
    books.slowestMs = Math.max(books.slowestMs, performance.now() - askedAt)
    if (reply?.answer.status === 1) return reply.answer.data
    if (reply && reply.status < 500 && reply.status !== 429)
      throw new Error(`${endpoint} refused: ${reply.status} ${reply.answer.code}: ${reply.answer.err}`)
    if (reply) books.later++
  }
  throw new Error(`${endpoint}: no answer within 3 minutes`)
}

/** Pays on the chain. */
export async function pay(
  { sandboxUrl }: Pick<LoadTarget, 'sandboxUrl'>,
  to: string,
  units: bigint,
): Promise<void> {
  await tellSandbox(sandboxUrl, 'send', { to, amount: formatUsdt(units) })
}

/** Posts to the sandbox's control API. @throws Error with its sentence when it refuses. */
export async function tellSandbox(sandboxUrl: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${sandboxUrl}/sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`sandbox ${path}: ${await response.text()}`)
  return response.json()
}

/** What the merchant must have booked for an order: floor(received / 100), in 1/10000 USDT. */
export function owedFor(order: PaidOrder): bigint {
  return order.paidUnits / 100n
}

/** Whether its merchant has booked all that was paid for it. */
export function isSettled(order: PaidOrder): boolean {
  return order.through && (order.shop.booked.get(order.orderid) ?? 0n) === owedFor(order)
}
