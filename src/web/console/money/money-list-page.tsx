/** @jsxRuntime automatic @jsxImportSource preact */
import { readTxid } from '../../../credits/mark.ts'
import { commonWords } from '../parts/common-words.ts'
import { FileForm, fileOfList, filePageMax } from '../parts/csv-list.tsx'
import { Pager, Table } from '../parts/list-parts.tsx'
import { can, href, type Page, scopeOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Id } from '../parts/value-parts.tsx'
import { zoneOf } from '../parts/zones.ts'
import { type MoneyList, type MoneyListName, moneyLists } from './money-lists.tsx'
import { MoneyState, wordsFor } from './money-parts.tsx'
import { readTransaction, type TransactionPart } from './money-store.ts'

export const moneyListRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/money', who: 'see', handle: showMoney },
  { method: 'GET', path: '/money.csv', who: 'see', handle: async page => exportMoney(page) },
]

const pageMax = 50

/** The lists that the viewer may see. */
function listsFor(page: Page): MoneyListName[] {
  const names = Object.keys(moneyLists) as MoneyListName[]
  return names.filter(name => name !== 'discrepancies' || can(page, 'admin'))
}

function listOf(page: Page): MoneyListName {
  return listsFor(page).find(one => one === page.query.text('list')) ?? 'unclaimed'
}

async function showMoney(page: Page): Promise<Answer> {
  const txid = readTxid(page.query.text('txid'))
  if (txid !== undefined) return showTransaction(page, txid)
  const words = wordsFor(page)
  const list = listOf(page)
  const after = page.query.text('after')
  const { table, next } = await readTable(page, list, after)
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
        <Pager
          {...{ page, forward: true }}
          next={next && href(page, '/money', { list, after: next })}
          first={after === '' ? null : href(page, '/money', { list })}
        />
        <FileForm page={page} path="/money.csv" query={{ list }} />
      </>
    ),
  }
}

async function readTable(page: Page, name: MoneyListName, after: string) {
  const { read, columns } = moneyLists[name] as MoneyList<unknown>
  const { rows, next } = await read(page, after, pageMax)
  const words = wordsFor(page)
  const table = (
    <Table caption={words.lists[name]} rows={rows} empty={words.empty[name]} columns={columns(page)} />
  )
  return { table, next }
}

/** Exports the whole of a list, in its order. */
function exportMoney(page: Page): Answer {
  const name = listOf(page)
  const { read, file } = moneyLists[name] as MoneyList<unknown>
  const columns = file(zoneOf(page.query.text('zone'), page.locale))
  return fileOfList<unknown, string>(`${name}.csv`, columns, after => read(page, after ?? '', filePageMax))
}

function Tabs(props: { page: Page; list: MoneyListName }) {
  const { page, list } = props
  const words = wordsFor(page)
  return (
    <nav aria-label={words.title} class="tabs">
      <ul>
        {listsFor(page).map(one => (
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
