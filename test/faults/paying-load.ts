import { setTimeout as sleep } from 'node:timers/promises'
import { formatUsdt } from '../../src/base/money.ts'
import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { askGateway } from './ask-gateway.ts'
import type { Shop } from './shop.ts'

/** An order as its merchant knows it, and what its payer has sent. */
export interface PaidOrder {
  shop: Shop
  orderid: string
  begunAt: number
  /** Whom its address is for: a user, or this order alone. */
  holder: string
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
  begin(shop: Shop, plan: Partial<OrderPlan> & Pick<OrderPlan, 'parts'>): PaidOrder
  /** Begins no further order; resolves when those begun are through. */
  stop(): Promise<void>
}

export interface LoadTarget {
  apiUrl: string
  sandboxUrl: string
  shops: readonly Shop[]
  /** The contract that payments go through. */
  through?: string | undefined
}

/** After this a merchant's client makes a request again. */
const againMs = 250

/** @param everyMs from one order to the next. */
export function startPayingLoad(target: LoadTarget, random: SeededRandom, everyMs: number): PayingLoad {
  const orders: PaidOrder[] = []
  const leftOut = new Set<Shop>()
  const load = { orders, leftOut, wrong: [] as string[], later: 0, slowestMs: 0, stopped: false }
  const inHand: Promise<void>[] = []
  /** Those that a row begins itself hold nobody up. */
  const flow: PaidOrder[] = []
  const begin = (shop: Shop, plan: OrderPlan) => {
    const none = { answered: null, paidUnits: 0n, payments: 0, through: false }
    const orderid = `order-${orders.length}`
    const holder = `${shop.appid} ${plan.address === 'own' ? `order ${orderid}` : `user ${plan.user}`}`
    const order: PaidOrder = { shop, orderid, holder, begunAt: Date.now(), ...none }
    orders.push(order)
    inHand.push(bringThrough(target, load, order, plan))
    return order
  }
  const running = (async () => {
    while (!load.stopped) {
      // Decided here, in order: what a seed means must not depend on which answer comes first.
      await room(flow)
      const shop = random.pick(target.shops)
      if (!leftOut.has(shop)) flow.push(begin(shop, planOf(random, orders.length)))
      await sleep(everyMs * (0.5 + random.next()))
    }
  })()
  return Object.assign(load, {
    begin: (shop: Shop, plan: Partial<OrderPlan> & Pick<OrderPlan, 'parts'>): PaidOrder =>
      begin(shop, { ...plainPlan, user: 'user-1', address: 'own', asksTwice: false, ...plan }),
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
  /** Where its callbacks go; null: to the shop's own URL. */
  notifyUrl: string | null
  /** Nothing is paid before it resolves. */
  paidAfter: Promise<unknown> | null
}

const plainPlan = { paidBefore: 0n, notifyUrl: null, paidAfter: null }

function planOf(random: SeededRandom, n: number): OrderPlan {
  const own = random.chance(0.75)
  // Amounts tell the orders at a user's address apart. At an own address also dust, which is carried to the next payment.
  const amount = 1_000_000n + BigInt(n) * 100n
  const dusty = () => BigInt(random.whole(1, 3_000_000))
  return {
    user: `user-${random.whole(1, 8)}`,
    address: own ? 'own' : "user's",
    asksTwice: random.chance(0.3),
    ...plainPlan,
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
  { user, address: kind, asksTwice, parts, paidBefore, notifyUrl, paidAfter }: OrderPlan,
): Promise<void> {
  try {
    const names = { username: user, localusermark: user }
    const base = async () => (await ask(target, books, order.shop, 'newAddress', names)).address!
    const address = kind === 'own' ? 'auto' : kind === "user's" ? await base() : kind
    const amount = formatUsdt(parts[0] ?? paidBefore)
    const notify: Record<string, string> = notifyUrl === null ? {} : { notify_url: notifyUrl }
    const wanted = { ...names, ...notify, address, orderid: order.orderid, amount }
    const { ordersn, address: at } = await ask(target, books, order.shop, 'TraderRechargeorder', wanted)
    order.answered = { ordersn: ordersn!, address: at! }
    if (asksTwice) {
      const again = await ask(target, books, order.shop, 'TraderRechargeorder', wanted)
      if (again.ordersn !== ordersn || again.address !== at)
        books.wrong.push(`${order.orderid}: asked again, ${again.ordersn} instead of ${ordersn}`)
    }
    order.paidUnits += paidBefore
    await paidAfter
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
  target: LoadTarget,
  books: Books,
  shop: Shop,
  endpoint: string,
  parameters: Record<string, string>,
): Promise<Record<string, string>> {
  for (const giveUpAt = Date.now() + 180_000; Date.now() < giveUpAt; await sleep(againMs)) {
    const askedAt = performance.now()
    const reply = await askGateway(target, shop, endpoint, parameters)
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
  { sandboxUrl, through }: Pick<LoadTarget, 'sandboxUrl' | 'through'>,
  to: string,
  units: bigint,
): Promise<void> {
  await tellSandbox(sandboxUrl, 'send', { to, amount: formatUsdt(units), ...(through && { through }) })
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
