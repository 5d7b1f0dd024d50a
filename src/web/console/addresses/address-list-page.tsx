/** @jsxRuntime automatic @jsxImportSource preact */
import { formatUsdt } from '../../../base/money.ts'
import { type FileColumns, FileForm, fileOfList, type ListPage, timeColumns } from '../parts/csv-list.tsx'
import { Field } from '../parts/field-parts.tsx'
import { Filters } from '../parts/form-parts.tsx'
import { Pager, Table } from '../parts/list-parts.tsx'
import { href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer } from '../parts/route.ts'
import { Amount, Id, Time } from '../parts/value-parts.tsx'
import { zoneOf } from '../parts/zones.ts'
import { type AddressPlace, type ConsoleAddress, readAddresses } from './address-list-store.ts'
import { type AddressWords, addressWords } from './address-words.ts'

const pageMax = 50
/** Addresses that are read at once for a file: what arrived at each is added up. */
const fileMax = 100
export const wordsFor = (page: Page): AddressWords => wordsOf(page, addressWords)

export async function listAddresses(page: Page): Promise<Answer> {
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
export async function exportAddresses(page: Page): Promise<Answer> {
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

/** What arrived at an address. */
export function Received(props: { page: Page; one: ConsoleAddress }) {
  const { received, isPartial } = props.one
  return (
    <>
      {isPartial && <span class="hint">{wordsFor(props.page).atLeast} </span>}
      <Amount units={received} />
    </>
  )
}
