/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { listHeld, listPending } from '../../../credits/list-waiting.ts'
import { listMarks } from '../../../credits/mark-store.ts'
import { listUnclaimedPage } from '../../../credits/unclaimed-store.ts'
import type { IdPage } from '../../../db/id-page.ts'
import { listDiscrepancies } from '../../../transfers/discrepancy-store.ts'
import { listQuarantined } from '../../../transfers/quarantine-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { can, href, type Page, scopeOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Id, State, Table, Time } from '../parts/ui.tsx'
import { MarkKindText, MoneyState, wordsFor } from './money-parts.tsx'
import { readTransaction, type TransactionPart } from './money-store.ts'

export const moneyListRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/money', who: 'see', handle: showMoney },
]

const lists = ['unclaimed', 'held', 'quarantine', 'discrepancies', 'marks'] as const
type List = (typeof lists)[number]

const pageMax = 50

/** One list: its table, and the id after which the next page begins. */
type Shown = { table: ComponentChildren; next: bigint | null }

async function showMoney(page: Page): Promise<Answer> {
  const txid = page.query.text('txid').replace(/^0x/i, '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(txid)) return showTransaction(page, txid)
  const words = wordsFor(page)
  const asked = lists.find(one => one === page.query.text('list')) ?? 'unclaimed'
  const list = asked === 'discrepancies' && !can(page, 'admin') ? 'unclaimed' : asked
  const after = /^\d{1,18}$/.test(page.query.text('after')) ? BigInt(page.query.text('after')) : null
  const { table, next } = await tables[list](page, { merchantId: scopeOf(page), after, limit: pageMax + 1 })
  return {
    title: words.title,
    notice: words.done[page.query.text('done')],
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <Tabs page={page} list={list} />
        <p class="hint">{words.about[list]}</p>
        <div class="after">{table}</div>
        <Onward page={page} list={list} next={next} hasFirst={after !== null} />
      </>
    ),
  }
}

function Tabs(props: { page: Page; list: List }) {
  const { page, list } = props
  const words = wordsFor(page)
  return (
    <nav aria-label={words.title} class="tabs">
      <ul>
        {lists
          .filter(one => one !== 'discrepancies' || can(page, 'admin'))
          .map(one => (
            <li key={one}>
              <a
                href={href(page, '/money', { list: one === 'unclaimed' ? null : one })}
                aria-current={one === list ? 'page' : undefined}
              >
                {words.lists[one]}
              </a>
            </li>
          ))}
      </ul>
    </nav>
  )
}

/** These lists begin with what has waited longest, so the words of usual pagers do not fit. */
function Onward(props: { page: Page; list: List; next: bigint | null; hasFirst: boolean }) {
  const { page, list, next, hasFirst } = props
  const words = wordsFor(page)
  if (next === null && !hasFirst) return null
  return (
    <p class="pager">
      {hasFirst && (
        <a class="button plain" href={href(page, '/money', { list })}>
          {words.first}
        </a>
      )}
      {next !== null && (
        <a class="button plain" rel="next" href={href(page, '/money', { list, after: `${next}` })}>
          {words.more}
        </a>
      )}
    </p>
  )
}

const tables: Record<List, (page: Page, asked: IdPage) => Promise<Shown>> = {
  async unclaimed(page, asked) {
    const words = wordsFor(page)
    const { shown, next } = cut(await listUnclaimedPage(page.context.reads, asked))
    const table = (
      <Table
        caption={words.lists.unclaimed}
        rows={shown}
        empty={words.empty.unclaimed}
        columns={[
          { head: words.paid, cell: one => <OpenLink page={page} id={one.id} at={one.time} /> },
          { head: words.amount, align: 'end', cell: one => <Amount units={one.amount} /> },
          ...merchantColumn<{ appid: string }>(page),
          { head: words.user, cell: one => one.localusermark || <State tone="amber">{words.nobody}</State> },
          { head: words.address, cell: one => <Id text={one.address} short /> },
          { head: words.from, cell: one => <Id text={one.from} short /> },
          { head: words.txid, cell: one => <Id text={one.txid} short /> },
        ]}
      />
    )
    return { table, next }
  },
  async held(page, asked) {
    const words = wordsFor(page)
    const { reads } = page.context
    const { shown, next } = cut(await listHeld(reads, asked))
    // What waits for proof is not recorded yet; on the first page alone, as it is little.
    const pending =
      asked.after === null ? await listPending(reads, 'waits', { ...asked, limit: pageMax }) : []
    const rows = [
      ...shown.map(one => ({ ...one, path: `/money/transfers/${one.id}`, state: 'held' })),
      ...pending.map(one => ({ ...one, path: `/money/proofs/${one.id}`, state: 'unproved' })),
    ]
    const table = (
      <Table
        caption={words.lists.held}
        rows={rows}
        empty={words.empty.held}
        columns={[
          {
            head: words.since,
            cell: one =>
              one.state === 'held' || can(page, 'admin') ? (
                <a href={href(page, one.path)}>
                  <Time at={one.since} />
                </a>
              ) : (
                <Time at={one.since} />
              ),
          },
          { head: words.amount, align: 'end', cell: one => <Amount units={one.amount} /> },
          { head: words.state, cell: one => <MoneyState page={page} state={one.state} /> },
          ...merchantColumn<{ appid: string }>(page),
          { head: words.user, cell: one => one.localusermark },
          { head: words.txid, cell: one => <Id text={one.txid} short /> },
          { head: words.behind, align: 'end', cell: one => `${one.behind}` },
        ]}
      />
    )
    return { table, next }
  },
  async quarantine(page, asked) {
    const words = wordsFor(page)
    const { shown, next } = cut(await listQuarantined(page.context.reads, asked))
    const table = (
      <Table
        caption={words.lists.quarantine}
        rows={shown}
        empty={words.empty.quarantine}
        columns={[
          {
            head: words.since,
            cell: one => (
              <a
                href={href(
                  page,
                  one.transferId === null ? `/money/logs/${one.id}` : `/money/transfers/${one.transferId}`,
                )}
              >
                <Time at={one.createdAt} />
              </a>
            ),
          },
          { head: words.kind, cell: one => (one.transferId === null ? words.log : words.transfer) },
          { head: words.txid, cell: one => <Id text={one.txid} short /> },
          { head: words.block, align: 'end', cell: one => `${one.height}` },
          { head: words.why, cell: one => one.reason },
        ]}
      />
    )
    return { table, next }
  },
  async discrepancies(page, asked) {
    const words = wordsFor(page)
    const { shown, next } = cut(await listDiscrepancies(page.context.reads, asked))
    const table = (
      <Table
        caption={words.lists.discrepancies}
        rows={shown}
        empty={words.empty.discrepancies}
        columns={[
          {
            head: words.found,
            cell: one => (
              <a href={href(page, `/money/discrepancies/${one.id}`)}>
                <Time at={one.foundAt} />
              </a>
            ),
          },
          { head: words.kind, cell: one => words.discrepancyKinds[one.kind] ?? one.kind },
          { head: words.subject, cell: one => <Id text={one.subject} short /> },
          ...merchantColumn<{ appid: string | null }>(page),
          {
            head: words.acknowledged,
            cell: one =>
              one.acknowledgedAt ? (
                <State tone="grey">{words.acknowledged}</State>
              ) : (
                <State tone="amber">–</State>
              ),
          },
        ]}
      />
    )
    return { table, next }
  },
  async marks(page, asked) {
    const words = wordsFor(page)
    const { shown, next } = cut(await listMarks(page.context.reads, asked))
    const table = (
      <Table
        caption={words.lists.marks}
        rows={shown}
        empty={words.empty.marks}
        columns={[
          {
            head: words.at,
            cell: one => (
              <a
                href={href(
                  page,
                  one.transferId === null
                    ? `/money/orders/${encodeURIComponent(one.ordersn ?? '')}`
                    : `/money/transfers/${one.transferId}`,
                )}
              >
                <Time at={one.createdAt} />
              </a>
            ),
          },
          { head: words.kind, cell: one => <MarkKindText page={page} mark={one} /> },
          { head: words.amount, align: 'end', cell: one => <Amount units={one.amount} /> },
          ...merchantColumn<{ appid: string }>(page),
          { head: words.order, cell: one => one.orderid },
          { head: words.txid, cell: one => one.txid && <Id text={one.txid} short /> },
          { head: words.why, cell: one => one.reason },
          { head: words.who, cell: one => one.madeBy },
        ]}
      />
    )
    return { table, next }
  },
}

/** Cuts off the row that tells that there is a next page. */
function cut<R extends { id: bigint }>(rows: readonly R[]): { shown: R[]; next: bigint | null } {
  const shown = rows.slice(0, pageMax)
  return { shown, next: rows.length > pageMax ? shown.at(-1)!.id : null }
}

/** Whose it is: where all merchants' are shown. */
function merchantColumn<R extends { appid: string | null }>(page: Page) {
  if (page.merchant) return []
  return [{ head: wordsFor(page).merchant, cell: (one: R) => one.appid && <code>{one.appid}</code> }]
}

function OpenLink(props: { page: Page; id: bigint; at: Date }) {
  return (
    <a href={href(props.page, `/money/transfers/${props.id}`)}>
      <Time at={props.at} />
    </a>
  )
}

const partPaths: Record<TransactionPart['kind'], string> = {
  transfer: '/money/transfers',
  proof: '/money/proofs',
  log: '/money/logs',
}

/** What a transaction is in our books. The only part of it is opened at once. */
async function showTransaction(page: Page, txid: string): Promise<Answer> {
  const parts = await readTransaction(page.context.reads, txid, scopeOf(page))
  const path = (part: TransactionPart) => href(page, `${partPaths[part.kind]}/${part.id}`)
  if (parts.length === 1) return { goTo: path(parts[0]!) }
  const words = wordsFor(page)
  return {
    title: words.transactionTitle,
    body: (
      <>
        <div class="title">
          <h1>{words.transactionTitle}</h1>
          <a class="button plain" href={href(page, '/money')}>
            {commonWords(page).back}
          </a>
        </div>
        <p>
          <Id text={txid} />
        </p>
        <Table
          caption={words.transactionTitle}
          rows={parts}
          empty={words.empty.transaction}
          columns={[
            {
              head: words.kind,
              cell: part => (
                <a href={path(part)}>
                  {words[part.kind]} {part.logIndex}
                </a>
              ),
            },
            {
              head: words.amount,
              align: 'end',
              cell: part => part.amount !== null && <Amount units={part.amount} />,
            },
            { head: words.state, cell: part => <MoneyState page={page} state={part.state} /> },
          ]}
        />
      </>
    ),
  }
}
