import type { MerchantId, OrderId } from '../../../base/ids.ts'
import type { UsdtUnits } from '../../../base/money.ts'
import { exportedOrdersQuery } from '../../../db/export-queries.ts'
import { type Queryable, rows } from '../../../db/pool.ts'
import type { OrderState } from '../../../orders/order.ts'
import type { OrderListFilter, OrderPlace } from './order-filter.ts'

// An order is listed by an index that has the page's rows first: by its ids, its user or its state, else by its time. What no
// index tells (an amount, being late, a second filter) is checked on the rows that come so, at most `scanMax` of them for one
// page: a rare amount among a million orders then takes several pages, and none takes long. Of all merchants, an index is read
// merchant by merchant where that gives the page, else all orders by their id.

/** An order as a list shows it. */
export interface ListedOrder {
  id: OrderId
  ordersn: string
  orderid: string
  localusermark: string
  merchantName: string
  amount: UsdtUnits
  received: UsdtUnits
  createdAt: Date
  /** Its window has ended, by block time. */
  expired: boolean
  late: boolean
  place: OrderPlace
}

export interface OrderPage {
  orders: ListedOrder[]
  /** Where the next page begins; null after the last. */
  next: OrderPlace | null
  /** Reading stopped there before the page was full: so many orders were looked at. */
  looked: number | null
}

/** Orders that are looked at for one page. */
export const scanMax = 5_000

/** Reads a page of orders, newest first. @param scope one merchant's; null: all merchants'. */
export async function readOrderPage(
  db: Queryable,
  scope: MerchantId | null,
  filter: OrderListFilter,
  { before, limit }: { before: OrderPlace | null; limit: number },
): Promise<OrderPage> {
  const { source, scan, order } = sourceOf(scope, filter, before, limit + 1)
  const page = statement(bind => {
    const from = scan
      ? `(select * from (${scan(bind)}) o where ${allOf(checksOf(scope, filter, bind))}) o`
      : source!(bind)
    return `${listed(from)} order by ${order} limit ${limit + 1}`
  })
  const found = await rows<Omit<ListedOrder, 'place'> & { micros: bigint }>(db, page)
  const orders = found.map(
    ({ micros, ...order }): ListedOrder => ({ ...order, place: { micros, id: order.id } }),
  )
  if (orders.length > limit)
    return { orders: orders.slice(0, limit), next: orders[limit - 1]!.place, looked: null }
  if (!scan) return { orders, next: null, looked: null }
  const end = statement(
    bind => `select ${micros} as micros, o.id from (${scan(bind)}) o offset ${scanMax - 1} limit 1`,
  )
  const [stopped] = await rows<OrderPlace>(db, end)
  return { orders, next: stopped ?? null, looked: stopped ? scanMax : null }
}

/** Adds a parameter to a statement. @returns how it is written there. */
type Bind = (value: unknown, type: string) => string

/** Writes a statement whose parameters are those that it binds. */
function statement(write: (bind: Bind) => string): { text: string; values: unknown[] } {
  const values: unknown[] = []
  const text = write((value, type) => `$${values.push(value)}::${type}`)
  return { text, values }
}

const micros = '(extract(epoch from o.created_at) * 1000000)::bigint'
// Not `exists`, for which the planner may read all credits at once.
const isLate = 'coalesce((select true from credit where order_id = o.id and late limit 1), false)'
const newestFirst = 'o.created_at desc, o.id desc'
const highestFirst = 'o.id desc'

/** @param from orders `o`. */
function listed(from: string): string {
  return `
    select o.id, o.ordersn, o.orderid, o.localusermark, m.name as "merchantName", o.amount, o.received,
           o.created_at as "createdAt", coalesce(k.block_time > o.expires_at, false) as expired, ${isLate} as late,
           ${micros} as micros
      from ${from}
      join merchant m on m.id = o.merchant_id
      left join chain_cursor k on true`
}

interface Source {
  /** The rows of the page, and no others. */
  source?: (bind: Bind) => string
  /** Or rows in the page's order of which those are left out that do not pass the checks. */
  scan?: (bind: Bind) => string
  order: string
}

/** Chooses where the rows come from. @param count of the rows that are wanted. */
function sourceOf(
  scope: MerchantId | null,
  filter: OrderListFilter,
  before: OrderPlace | null,
  count: number,
): Source {
  const { order, from, to } = filter
  if (order !== null)
    return { source: bind => namedOrders(scope, filter, before, order, bind), order: newestFirst }
  const isScan = hasChecks(filter)
  const size = isScan ? scanMax : count
  const indexed = (merchant: string, bind: Bind) => `
      select * from recharge_order o
       where ${allOf([merchant, ...indexedOf(filter, bind), ...timesOf(filter, bind), ...afterOf(before, bind)])}
       order by ${newestFirst}
       limit ${size}`
  if (scope !== null) {
    const own = (bind: Bind) => indexed(`o.merchant_id = ${bind(scope, 'bigint')}`, bind)
    return isScan
      ? { scan: own, order: newestFirst }
      : { source: bind => `(${own(bind)}) o`, order: newestFirst }
  }
  if (!isScan && (filter.localusermark !== null || filter.state !== null)) {
    return {
      source: bind =>
        `(select o.* from merchant m cross join lateral (${indexed('o.merchant_id = m.id', bind)}) o) o`,
      order: newestFirst,
    }
  }
  // Ids are given in the order of time, but for seconds.
  const byId = (bind: Bind) => {
    const bounds = [
      from && `o.id >= ${boundary('min', '>=', `${bind(from, 'timestamptz')} - interval '1 minute'`)}`,
      to && `o.id <= ${boundary('max', '<', `${bind(to, 'timestamptz')} + interval '1 minute'`)}`,
      before && `o.id < ${bind(before.id, 'bigint')}`,
    ]
    const isAll = !isScan && !from && !to
    return `select * from recharge_order o where ${allOf(bounds)} order by ${highestFirst} limit ${isAll ? count : scanMax}`
  }
  return isScan || from || to
    ? { scan: byId, order: highestFirst }
    : { source: bind => `(${byId(bind)}) o`, order: highestFirst }
}

/** Finds the orders of an id. In two look-ups: an `or` over a merchant's id and ours could use neither index for all merchants. */
function namedOrders(
  scope: MerchantId | null,
  filter: OrderListFilter,
  before: OrderPlace | null,
  order: string,
  bind: Bind,
): string {
  const id = bind(/^cz-/i.test(order) ? order.toLowerCase() : order, 'text')
  const own = scope === null ? 'true' : `m.id = ${bind(scope, 'bigint')}`
  const { state } = filter
  const conditions = [
    ...[...indexedOf(filter, bind), ...timesOf(filter, bind), ...afterOf(before, bind)],
    ...[...amountOf(filter, bind), state === 'late' && isLate],
  ]
  return `(
    select * from (
      select o.* from merchant m
       cross join lateral (select * from recharge_order where merchant_id = m.id and orderid = ${id} limit 1) o
       where ${own}
       union all
      select o.* from recharge_order o join merchant m on m.id = o.merchant_id
       where o.ordersn = ${id} and o.orderid <> ${id} and ${own}
    ) o
     where ${allOf(conditions)}) o`
}

/** Whether there are conditions that no index has. */
function hasChecks({ state, localusermark, amount }: OrderListFilter): boolean {
  return amount !== null || state === 'late' || (state !== null && localusermark !== null)
}

/** What is checked on the rows of a scan. */
function checksOf(scope: MerchantId | null, filter: OrderListFilter, bind: Bind) {
  const { state, localusermark } = filter
  const byState = state === null || state === 'late' ? null : sums[state]
  // Of one merchant, the scan's index has the user, or else the state, and the time.
  const indexed = scope === null ? [...userOf(filter, bind), ...timesOf(filter, bind), byState] : []
  const second = scope !== null && localusermark !== null ? byState : null
  return [...indexed, second, ...amountOf(filter, bind), state === 'late' && isLate]
}

/** The condition that an index of a merchant's orders has, besides the time. */
function indexedOf(filter: OrderListFilter, bind: Bind) {
  const { state, localusermark } = filter
  if (localusermark !== null) return userOf(filter, bind)
  return state === null || state === 'late' ? [] : [sums[state]]
}

function userOf({ localusermark }: OrderListFilter, bind: Bind) {
  return localusermark === null ? [] : [`o.localusermark = ${bind(localusermark, 'text')}`]
}

function timesOf({ from, to }: OrderListFilter, bind: Bind) {
  return [
    from && `o.created_at >= ${bind(from, 'timestamptz')}`,
    to && `o.created_at < ${bind(to, 'timestamptz')}`,
  ]
}

function amountOf({ amount }: OrderListFilter, bind: Bind) {
  if (amount === null) return []
  const units = bind(amount, 'bigint')
  return [`(o.amount = ${units} or o.received = ${units})`]
}

function afterOf(before: OrderPlace | null, bind: Bind) {
  if (!before) return []
  const time = `'epoch'::timestamptz + ${bind(before.micros, 'bigint')} * interval '1 microsecond'`
  return [`(o.created_at, o.id) < (${time}, ${bind(before.id, 'bigint')})`]
}

function allOf(conditions: readonly (string | null | false)[]): string {
  return conditions.filter(Boolean).join(' and ') || 'true'
}

/** As the partial indexes of a merchant's pages have it. */
const sums: Record<OrderState, string> = {
  pending: 'o.received = 0',
  underpaid: 'o.received > 0 and o.received < o.amount',
  paid: 'o.received = o.amount',
  overpaid: 'o.received > o.amount',
}

/** The first, or last, id of a time over all merchants, by a look-up for each. The caller leaves a minute: clocks may be set. */
function boundary(end: 'min' | 'max', compared: '>=' | '<', time: string): string {
  const order = end === 'min' ? 'created_at, id' : 'created_at desc, id desc'
  return `(
    select ${end}(e.id) from merchant m
     cross join lateral (
       select id from recharge_order where merchant_id = m.id and created_at ${compared} ${time} order by ${order} limit 1
     ) e)`
}

const exported = exportedOrdersQuery()

/** The columns of an exported order. */
export const orderColumns: readonly string[] = exported.columns

/** Reads orders as the command line exports them. @returns the cells of each, in the order of the ids. */
export async function readOrderCells(
  db: Queryable,
  ids: readonly OrderId[],
  zone: string,
): Promise<string[][]> {
  const found = await rows<Record<string, string | boolean | null>>(db, exported.query, [ids, zone])
  return found.map(row => orderColumns.map(column => `${row[column] ?? ''}`))
}
