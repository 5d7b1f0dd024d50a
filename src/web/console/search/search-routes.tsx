/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { type Column, Section, Table } from '../parts/list-parts.tsx'
import { OrderStates } from '../parts/order-state.tsx'
import { href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Id, State, Time, type Tone } from '../parts/value-parts.tsx'
import { type SearchResult, search } from './find-everywhere.ts'
import { lookUpTransfer } from './look-up-transfer.ts'
import { LookedUp } from './looked-up.tsx'
import { type Hit, type HitState, hitPlace } from './search-hit.ts'
import { amountOrdersMax, hitsMax } from './search-store.ts'
import { type SearchWords, searchWords } from './search-words.ts'

export const searchRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/search', who: 'see', handle: showSearch },
]

/** Of the text in a heading. */
const shownMax = 80

async function showSearch(page: Page): Promise<Answer> {
  const words = wordsOf(page, searchWords)
  const text = page.query.text('q')
  if (text === '')
    return {
      title: words.title,
      body: (
        <Section title={words.type}>
          <p>{words.typeText}</p>
        </Section>
      ),
    }
  const scope = scopeOf(page)
  const result = await search(page.context.reads, scope, text)
  if (result.opens) return { goTo: href(page, result.opens.path, result.opens.query) }
  const { txid } = result.searched
  const isUnrecorded = txid !== undefined && result.hits.length === 0
  const answer = isUnrecorded
    ? await lookUpTransfer(page.context.reads, page.context.transactions, scope, txid)
    : null
  const heading = words.found(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{heading}</h1>
        </div>
        {answer && <LookedUp page={page} words={words} answer={answer} />}
        {result.hits.length === 0 && !answer && <Nothing words={words} result={result} />}
        <Hits page={page} words={words} result={result} />
        {result.searched.amount !== undefined && (
          <p class="quiet">{words.amounts(`${amountOrdersMax}`.replace(/\B(?=(\d{3})+$)/g, ' '))}</p>
        )}
      </>
    ),
  }
}

function Nothing(props: { words: SearchWords; result: SearchResult }) {
  const { words, result } = props
  const { wrongAddress, address } = result.searched
  const text = wrongAddress ? words.wrongAddress[wrongAddress] : address ? words.strange : words.nothingText
  return (
    <Section title={words.nothing}>
      <p>{text}</p>
    </Section>
  )
}

const kinds = ['order', 'transfer', 'callback', 'address', 'user', 'quarantine'] as const

function Hits(props: { page: Page; words: SearchWords; result: SearchResult }) {
  const { page, words, result } = props
  return (
    <>
      {kinds.map(kind => {
        const hits = result.hits.filter(hit => hit.kind === kind)
        if (hits.length === 0) return null
        return (
          <Section title={words.kinds[kind]} key={kind}>
            {result.more.includes(kind) && <p>{words.more(hitsMax)}</p>}
            <Table
              caption={words.kinds[kind]}
              columns={columnsOf(page, words, kind)}
              rows={hits}
              empty={null}
            />
          </Section>
        )
      })}
    </>
  )
}

const tones: Record<HitState, Tone> = {
  ...{
    seen: 'grey',
    held: 'amber',
    unclaimed: 'amber',
    rejected: 'red',
    settled_outside: 'grey',
    credited: 'green',
    deposit: 'green',
  },
}

/** A column of one kind's table. */
function column<K extends Hit['kind']>(
  kind: K,
  head: string,
  cell: (hit: Extract<Hit, { kind: K }>) => ComponentChildren,
  align?: 'end',
): Column<Hit> {
  return {
    head,
    ...(align && { align }),
    cell: hit => (hit.kind === kind ? cell(hit as Extract<Hit, { kind: K }>) : null),
  }
}

function columnsOf(page: Page, words: SearchWords, kind: Hit['kind']): Column<Hit>[] {
  const link = (hit: Hit) => href(page, hitPlace(hit).path, hitPlace(hit).query)
  const merchant: Column<Hit> = {
    head: words.merchant,
    cell: hit => ('merchantName' in hit ? hit.merchantName : null),
  }
  const whose = page.merchant ? [] : [merchant]
  switch (kind) {
    case 'order':
      return [
        column('order', words.order, hit => <a href={link(hit)}>{hit.orderid}</a>),
        ...whose,
        column('order', words.user, hit => hit.localusermark),
        column('order', words.created, hit => <Time at={hit.createdAt} />),
        column('order', words.amount, hit => <Amount units={hit.amount} />, 'end'),
        column('order', words.received, hit => <Amount units={hit.received} />, 'end'),
        column('order', words.state, hit => (
          <OrderStates page={page} order={hit} late={false} expired={false} />
        )),
      ]
    case 'transfer':
      return [
        column('transfer', words.transaction, hit => <Id text={hit.txid} short link={link(hit)} />),
        ...whose,
        column('transfer', words.user, hit => hit.localusermark),
        column('transfer', words.time, hit => <Time at={hit.time} />),
        column('transfer', words.amount, hit => <Amount units={hit.amount} />, 'end'),
        column('transfer', words.state, hit => (
          <State tone={tones[hit.state]}>{words.states[hit.state]}</State>
        )),
      ]
    case 'callback':
      return [column('callback', words.key, hit => <Id text={hit.key} link={link(hit)} />), ...whose]
    case 'address':
      return [
        column('address', words.address, hit => <Id text={hit.address} link={link(hit)} />),
        ...whose,
        column('address', words.user, hit => hit.localusermark),
      ]
    case 'user':
      return [column('user', words.user, hit => <a href={link(hit)}>{hit.localusermark}</a>), ...whose]
    case 'quarantine':
      return [
        column('quarantine', words.transaction, hit => <Id text={hit.txid} short link={link(hit)} />),
        column('quarantine', words.reason, hit => hit.reason),
      ]
  }
}
