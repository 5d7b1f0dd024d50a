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
import { href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import {
  Amount,
  CopyableId,
  Facts,
  Field,
  Filters,
  Id,
  Pager,
  Section,
  State,
  Table,
  Time,
  type Tone,
} from '../parts/ui.tsx'
import { zoneOf } from '../parts/zones.ts'
import {
  type AddressPlace,
  type ConsoleAddress,
  findConsoleAddress,
  readAddresses,
} from './address-list-store.ts'
import { type AddressWords, addressWords } from './address-words.ts'

export const userAddressRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/addresses', who: 'see', handle: listAddresses },
  { method: 'GET', path: '/addresses.csv', who: 'see', handle: exportAddresses },
  { method: 'GET', path: '/addresses/:address', who: 'see', handle: showAddress },
  { method: 'GET', path: '/addresses/:address/transfers.csv', who: 'see', handle: exportTransfers },
]

const pageMax = 50
/** Addresses that are read at once for a file: what arrived at each is added up. */
const fileMax = 100
const wordsFor = (page: Page): AddressWords => wordsOf(page, addressWords)

async function listAddresses(page: Page): Promise<Answer> {
  const words = wordsFor(page)
  const user = page.query.text('user')
  const after = placeOf(page)
  const { rows, next } = await readList(page, after, pageMax)
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <p class="hint">{words.about}</p>
        <div class="after">
          <Filters page={page} path="/addresses">
            <Field label={words.user} name="user" value={user} hint={words.userHint} maxLength={64} />
          </Filters>
        </div>
        <Table
          caption={words.title}
          rows={rows}
          empty={user === '' ? words.empty : words.emptyUser}
          columns={[
            {
              head: words.address,
              cell: one => <Id text={one.address} link={href(page, `/addresses/${one.address}`)} />,
            },
            { head: words.user, cell: one => <User page={page} one={one} /> },
            ...(page.merchant
              ? []
              : [{ head: words.merchant, cell: (one: ConsoleAddress) => <code>{one.appid}</code> }]),
            { head: words.kind, cell: one => words.kinds[one.kind] },
            { head: words.received, align: 'end', cell: one => <Received page={page} one={one} /> },
            {
              head: words.unclaimed,
              align: 'end',
              cell: one => (one.unclaimed === 0n ? '–' : <Amount units={one.unclaimed} />),
            },
            { head: words.created, cell: one => <Time at={one.createdAt} /> },
          ]}
        />
        <Pager
          {...{ page, forward: true }}
          next={next && href(page, '/addresses', { user, ...placeQuery(next) })}
          first={after && href(page, '/addresses', { user })}
        />
        <FileForm page={page} path="/addresses.csv" query={{ user }} />
      </>
    ),
  }
}

/** Reads a page of the addresses that the query asks for. */
async function readList(
  page: Page,
  after: AddressPlace | null,
  limit: number,
): Promise<ListPage<ConsoleAddress, AddressPlace>> {
  const user = page.query.text('user')
  const found = await readAddresses(page.context.reads, {
    ...{ scope: scopeOf(page), user: user === '' ? null : user.slice(0, 64), after, limit: limit + 1 },
  })
  const rows = found.slice(0, limit)
  return { rows, next: found.length > limit ? rows.at(-1)! : null }
}

/** Exports all addresses that the query asks for, in the order of the list. */
async function exportAddresses(page: Page): Promise<Answer> {
  const zone = zoneOf(page.query.text('zone'), page.locale)
  const columns: FileColumns<ConsoleAddress> = {
    address: one => one.address,
    appid: one => one.appid,
    localusermark: one => one.localusermark,
    username: one => one.username,
    kind: one => one.kind,
    orderid: one => one.orderid,
    received_usdt: one => formatUsdt(one.received),
    // Not all that arrived there was added up.
    received_at_least: one => one.isPartial,
    unclaimed_usdt: one => formatUsdt(one.unclaimed),
    ...timeColumns('assigned', zone, one => one.createdAt),
  }
  return fileOfList('addresses.csv', columns, (after: AddressPlace | null) => readList(page, after, fileMax))
}

const placeQuery = ({ id, localusermark }: AddressPlace) => ({ after: `${id}`, mark: localusermark })

function placeOf(page: Page): AddressPlace | null {
  const id = page.query.text('after')
  if (!/^\d{1,18}$/.test(id)) return null
  return { id: BigInt(id), localusermark: page.query.text('mark').slice(0, 64) }
}

function User(props: { page: Page; one: ConsoleAddress }) {
  const { localusermark: user, username } = props.one
  if (user === '') return <span class="quiet">–</span>
  return (
    <>
      <a href={href(props.page, '/addresses', { user })}>{user}</a>
      {username !== user && <span class="hint"> {username}</span>}
    </>
  )
}

function Received(props: { page: Page; one: ConsoleAddress }) {
  const { received, isPartial } = props.one
  return (
    <>
      {isPartial && <span class="hint">{wordsFor(props.page).atLeast} </span>}
      <Amount units={received} />
    </>
  )
}

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
async function exportTransfers(page: Page): Promise<Answer> {
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

async function showAddress(page: Page): Promise<Answer> {
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
