/** @jsxRuntime automatic @jsxImportSource preact */
import { commonWords } from '../parts/common-words.ts'
import { filePageMax, rowsOfPages } from '../parts/csv-list.tsx'
import { Choice, Field } from '../parts/field-parts.tsx'
import { Filters } from '../parts/form-parts.tsx'
import { type Column, Pager, Table } from '../parts/list-parts.tsx'
import { OrderStates, orderStateWords } from '../parts/order-state.tsx'
import { href, hrefWith, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Time } from '../parts/value-parts.tsx'
import { zones } from '../parts/zones.ts'
import {
  formatOrderPlace,
  type ListedState,
  listedStates,
  type OrderListFilter,
  type OrderPlace,
  orderFilterNames,
  type ReadOrderFilter,
  readOrderFilter,
  readOrderPlace,
} from './order-filter.ts'
import {
  type ListedOrder,
  type OrderPage,
  orderColumns,
  readOrderCells,
  readOrderPage,
  scanMax,
} from './order-list-store.ts'
import { type OrderListWords, orderListWords } from './order-list-words.ts'

export const orderListRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/orders', who: 'see', handle: showOrders },
  { method: 'GET', path: '/orders.csv', who: 'see', handle: exportOrders },
]

const pageSize = 50

const none: OrderPage = { orders: [], next: null, looked: null }

async function showOrders(page: Page): Promise<Answer> {
  const { reads } = page.context
  const words = wordsOf(page, orderListWords)
  const read = await readOrderFilter(reads, page.query, page.locale)
  const isWrong = read.wrong.length > 0
  const before = readOrderPlace(page.query.text('before'))
  const found = isWrong
    ? none
    : await readOrderPage(reads, scopeOf(page), read.filter, { before, limit: pageSize })
  const link = (changed: Record<string, string | null>) =>
    hrefWith(page, '/orders', orderFilterNames, changed)
  return {
    ...{ title: words.title, status: isWrong ? 400 : 200, problem: isWrong ? words.problem : undefined },
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
          {!isWrong && (
            <a
              class="button plain"
              href={hrefWith(page, '/orders.csv', orderFilterNames, { zone: read.zone })}
              download
            >
              {commonWords(page).csv}
            </a>
          )}
        </div>
        <OrderFilters page={page} words={words} read={read} />
        {(found.orders.length > 0 || found.looked === null) && (
          <Table
            caption={words.title}
            columns={columnsOf(page, words)}
            rows={found.orders}
            empty={isFiltered(read.filter) || before || isWrong ? words.none : words.noneYet}
          />
        )}
        {found.looked !== null && (
          <p class="notice">{words.looked(`${scanMax}`.replace(/\B(?=(\d{3})+$)/g, ' '))}</p>
        )}
        <Pager
          page={page}
          next={found.next && link({ before: formatOrderPlace(found.next) })}
          first={before && link({})}
        />
      </>
    ),
  }
}

function isFiltered(filter: OrderListFilter): boolean {
  return Object.values(filter).some(value => value !== null)
}

function OrderFilters(props: { page: Page; words: OrderListWords; read: ReadOrderFilter }) {
  const { page, words, read } = props
  const { any } = commonWords(page)
  const { states } = wordsOf(page, orderStateWords)
  const nameOf = (state: ListedState) => (state === 'late' ? words.paidLate : states[state])
  const typed = (name: string) => page.query.text(name)
  const error = (name: ReadOrderFilter['wrong'][number]) =>
    read.wrong.includes(name) ? words.wrong[name] : undefined
  return (
    <Filters page={page} path="/orders" isSet={isFiltered(read.filter) || read.wrong.length > 0}>
      <Choice
        label={words.state}
        name="state"
        value={typed('state')}
        error={error('state')}
        options={[['', any], ...listedStates.map(state => [state, nameOf(state)] as const)]}
      />
      <Field label={words.order} name="order" value={typed('order')} maxLength={64} hint={words.orderHint} />
      <Field label={words.user} name="user" value={typed('user')} maxLength={64} />
      <Field
        label={words.amountField}
        name="amount"
        value={typed('amount')}
        error={error('amount')}
        inputMode="decimal"
        maxLength={40}
      />
      <Field label={words.from} name="from" type="date" value={typed('from')} error={error('from')} />
      <Field label={words.to} name="to" type="date" value={typed('to')} error={error('to')} />
      <Choice
        label={words.zone}
        name="zone"
        value={read.zone}
        options={zones.map(zone => [zone, zone] as const)}
      />
    </Filters>
  )
}

function columnsOf(page: Page, words: OrderListWords): Column<ListedOrder>[] {
  const ofMerchant: Column<ListedOrder> = { head: words.merchant, cell: order => order.merchantName }
  return [
    { head: words.created, cell: order => <Time at={order.createdAt} /> },
    ...(page.merchant ? [] : [ofMerchant]),
    {
      head: words.order,
      cell: order => <a href={href(page, `/orders/${encodeURIComponent(order.ordersn)}`)}>{order.orderid}</a>,
    },
    { head: words.user, cell: order => order.localusermark },
    { head: words.amount, align: 'end', cell: order => <Amount units={order.amount} /> },
    { head: words.received, align: 'end', cell: order => <Amount units={order.received} /> },
    {
      head: words.state,
      cell: order => <OrderStates page={page} order={order} late={order.late} expired={order.expired} />,
    },
  ]
}

/** Exports all orders that the filter shows, in the order of the list, with the columns of `gateway export orders`. */
async function exportOrders(page: Page): Promise<Answer> {
  const { filter, zone, wrong } = await readOrderFilter(page.context.reads, page.query, page.locale)
  if (wrong.length > 0) return { goTo: hrefWith(page, '/orders', orderFilterNames, {}) }
  return { csv: 'orders.csv', header: orderColumns, rows: filteredRows(page, filter, zone) }
}

/** Reads the rows page by page. An order that was created meanwhile is not among them. */
function filteredRows(page: Page, filter: OrderListFilter, zone: string): AsyncGenerator<readonly string[]> {
  const { reads } = page.context
  const scope = scopeOf(page)
  return rowsOfPages(async (before: OrderPlace | null) => {
    const { orders, next } = await readOrderPage(reads, scope, filter, { before, limit: filePageMax })
    const rows = await readOrderCells(
      reads,
      orders.map(({ id }) => id),
      zone,
    )
    return { rows, next }
  })
}
