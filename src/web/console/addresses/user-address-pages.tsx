/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { cursorOf, type ListedTransfer, placeOfCursor } from '../../../orders/listed-transfer.ts'
import { readTransferPage } from '../../../orders/transfer-page-store.ts'
import { href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import {
  Amount,
  CopyableId,
  Facts,
  Field,
  Filters,
  Id,
  Section,
  State,
  Table,
  Time,
  type Tone,
} from '../parts/ui.tsx'
import {
  type AddressPlace,
  type ConsoleAddress,
  findConsoleAddress,
  readAddresses,
} from './address-list-store.ts'
import { type AddressWords, addressWords } from './address-words.ts'

export const userAddressRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/addresses', who: 'see', handle: listAddresses },
  { method: 'GET', path: '/addresses/:address', who: 'see', handle: showAddress },
]

const pageMax = 50
const wordsFor = (page: Page): AddressWords => wordsOf(page, addressWords)

async function listAddresses(page: Page): Promise<Answer> {
  const words = wordsFor(page)
  const user = page.query.text('user')
  const after = placeOf(page)
  const found = await readAddresses(page.context.reads, {
    ...{ scope: scopeOf(page), user: user === '' ? null : user.slice(0, 64), after, limit: pageMax + 1 },
  })
  const shown = found.slice(0, pageMax)
  const last = found.length > pageMax ? shown.at(-1)! : null
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
          rows={shown}
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
        {(after || last) && (
          <p class="pager">
            {after && (
              <a class="button plain" href={href(page, '/addresses', { user })}>
                {words.first}
              </a>
            )}
            {last && (
              <a
                class="button plain"
                rel="next"
                href={href(page, '/addresses', { user, after: `${last.id}`, mark: last.localusermark })}
              >
                {words.more}
              </a>
            )}
          </p>
        )}
      </>
    ),
  }
}

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

async function showAddress(page: Page): Promise<Answer> {
  const { reads } = page.context
  const one = await findConsoleAddress(reads, page.params.address!, scopeOf(page))
  if (!one) throw new GatewayError('not_found', 'no such address')
  const after = placeOfCursor(page.query.text('after'))
  const { transfers, seen } = await readTransferPage(reads, one.merchantId, {
    ...{ address: one.address, after, limit: pageMax },
  })
  const shown = transfers.slice(0, pageMax)
  const last = transfers.length > pageMax ? shown.at(-1)! : null
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
          <Transfers page={page} rows={shown} />
        </Section>
        {(after || last) && (
          <p class="pager">
            {after && (
              <a class="button plain" href={href(page, path)}>
                {words.first}
              </a>
            )}
            {last && (
              <a class="button plain" rel="next" href={href(page, path, { after: cursorOf(last) })}>
                {words.more}
              </a>
            )}
          </p>
        )}
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
