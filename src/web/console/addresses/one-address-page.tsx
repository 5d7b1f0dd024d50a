/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { formatUsdt } from '../../../base/money.ts'
import {
  cursorOf,
  type ListedTransfer,
  placeOfCursor,
  type SeenTransfer,
  type TransferPlace,
} from '../../../orders/listed-transfer.ts'
import { readTransferPage } from '../../../orders/transfer-page-store.ts'
import {
  type FileColumns,
  FileForm,
  fileOfList,
  filePageMax,
  type ListPage,
  timeColumns,
} from '../parts/csv-list.tsx'
import { Facts, Pager, Section, Table } from '../parts/list-parts.tsx'
import { href, type Page, scopeOf } from '../parts/page.ts'
import type { Answer } from '../parts/route.ts'
import { Amount, CopyableId, Id, State, Time, type Tone } from '../parts/value-parts.tsx'
import { zoneOf } from '../parts/zones.ts'
import { Received, wordsFor } from './address-list-page.tsx'
import { type ConsoleAddress, findConsoleAddress } from './address-list-store.ts'

const pageMax = 50

const tones: Record<ListedTransfer['state'], Tone> = {
  credited: 'green',
  deposit: 'green',
  unclaimed: 'amber',
  held: 'amber',
  rejected: 'grey',
  settled_outside: 'grey',
}

/** @throws GatewayError not_found for what is no address, or another merchant's. */
async function addressOf(page: Page): Promise<ConsoleAddress> {
  const one = await findConsoleAddress(page.context.reads, page.params.address!, scopeOf(page))
  if (!one) throw new GatewayError('not_found', 'no such address')
  return one
}

async function readTransfers(
  page: Page,
  { merchantId, address }: ConsoleAddress,
  after: TransferPlace | null,
  limit: number,
): Promise<ListPage<ListedTransfer, TransferPlace> & { seen: SeenTransfer[] }> {
  const filter = { address, after, limit }
  const { transfers, seen } = await readTransferPage(page.context.reads, merchantId, filter)
  const rows = transfers.slice(0, limit)
  return { rows, seen, next: transfers.length > limit ? rows.at(-1)! : null }
}

/** Exports all transfers to an address, newest first, with the columns of `gateway export transfers` where it has them. */
export async function exportTransfers(page: Page): Promise<Answer> {
  const one = await addressOf(page)
  const columns: FileColumns<ListedTransfer> = {
    ...timeColumns('paid', zoneOf(page.query.text('zone'), page.locale), row => row.time),
    appid: () => one.appid,
    localusermark: row => row.localusermark,
    address: row => row.address,
    from_address: row => row.from,
    amount_usdt: row => formatUsdt(row.amount),
    state: row => row.state,
    orderid: row => row.orderid,
    txid: row => row.txid,
    log_index: row => row.logIndex,
    block_height: row => row.height,
  }
  return fileOfList('transfers.csv', columns, (after: TransferPlace | null) =>
    readTransfers(page, one, after, filePageMax),
  )
}

export async function showAddress(page: Page): Promise<Answer> {
  const one = await addressOf(page)
  const after = placeOfCursor(page.query.text('after'))
  const { rows, next, seen } = await readTransfers(page, one, after, pageMax)
  const words = wordsFor(page)
  const path = `/addresses/${one.address}`
  return {
    title: words.address,
    body: (
      <>
        <div class="title">
          <h1>{words.address}</h1>
          {one.localusermark !== '' && (
            <span class="actions">
              <a class="button plain" href={href(page, '/orders', { user: one.localusermark })}>
                {words.ordersOfUser}
              </a>
              <a class="button plain" href={href(page, '/addresses', { user: one.localusermark })}>
                {words.addressesOfUser}
              </a>
            </span>
          )}
        </div>
        <dl class="figures">
          <div>
            <dt>{words.received}</dt>
            <dd>
              <Received page={page} one={one} />
            </dd>
          </div>
          <div>
            <dt>{words.unclaimed}</dt>
            <dd>
              <Amount units={one.unclaimed} />
            </dd>
          </div>
        </dl>
        <Section title={words.facts}>
          <AddressFacts page={page} one={one} />
        </Section>
        {seen.length > 0 && (
          <Section title={words.seen}>
            <Table
              caption={words.seen}
              rows={seen}
              empty=""
              columns={[
                { head: words.txid, cell: row => <Id text={row.txid} short /> },
                { head: words.amount, align: 'end', cell: row => <Amount units={row.amount} /> },
                { head: words.confirmations, align: 'end', cell: row => `${row.confirmations}` },
              ]}
            />
          </Section>
        )}
        <Section title={words.transfers}>
          <Transfers page={page} rows={rows} />
        </Section>
        <Pager
          {...{ page, forward: true }}
          next={next && href(page, path, { after: cursorOf(next) })}
          first={after && href(page, path)}
        />
        <FileForm page={page} path={`${path}/transfers.csv`} />
      </>
    ),
  }
}

function AddressFacts(props: { page: Page; one: ConsoleAddress }) {
  const { page, one } = props
  const words = wordsFor(page)
  const rows = [
    [words.address, <CopyableId page={page} text={one.address} />],
    [words.user, one.localusermark],
    [words.username, one.username],
    [words.merchant, page.merchant ? null : one.appid],
    [words.kind, words.kinds[one.kind]],
    [words.order, one.orderid],
    [words.created, <Time at={one.createdAt} />],
  ] as const
  return <Facts rows={rows.filter(([, value]) => value !== null && value !== '')} />
}

function Transfers(props: { page: Page; rows: readonly ListedTransfer[] }) {
  const { page, rows } = props
  const words = wordsFor(page)
  return (
    <Table
      caption={words.transfers}
      rows={rows}
      empty={words.noTransfers}
      columns={[
        { head: words.paid, cell: one => <Time at={one.time} /> },
        { head: words.amount, align: 'end', cell: one => <Amount units={one.amount} /> },
        { head: words.state, cell: one => <State tone={tones[one.state]}>{words.states[one.state]}</State> },
        { head: words.order, cell: one => one.orderid },
        { head: words.from, cell: one => <Id text={one.from} short /> },
        {
          head: words.txid,
          cell: one => <Id text={one.txid} short link={href(page, '/money', { txid: one.txid })} />,
        },
      ]}
    />
  )
}
