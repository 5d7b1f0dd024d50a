/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError, UsageError } from '../../../base/errors.ts'
import { settleHeld } from '../../../callbacks/leasing/pause-store.ts'
import { readMoneyOfMerchants } from '../../../credits/money-day-store.ts'
import { disableMerchant, enableMerchant } from '../../../merchants/disable-merchant.ts'
import { nameProblems } from '../../../merchants/merchant-name.ts'
import { renameMerchant } from '../../../merchants/rename-merchant.ts'
import { commonWords } from '../parts/common-words.ts'
import { Field, ReasonField, Tick } from '../parts/field-parts.tsx'
import { Filters, Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Pager, Section, Table } from '../parts/list-parts.tsx'
import { authorOfPage, consolePath, href, hrefWith, type Page, wordsOf } from '../parts/page.ts'
import { PartOf, readPart, valueIn } from '../parts/read-part.tsx'
import { readReason } from '../parts/read-reason.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, CopyableId, Count, durationText, Id, State, Time } from '../parts/value-parts.tsx'
import { addOne, showAdd } from './add-merchant-page.tsx'
import {
  exhaustedMax,
  findNamed,
  listMerchantRows,
  type MerchantFacts,
  type MerchantRow,
  ordersMax,
  readMerchantFacts,
  readUnderWay,
  type UnderWay,
  underWayMax,
} from './merchants-store.ts'
import { type MerchantsWords, merchantsWords } from './merchants-words.ts'

const confirm = true as const

export const merchantsRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/merchants', who: 'admin', handle: showMerchants },
  { method: 'GET', path: '/merchants/add', who: 'admin', confirm, handle: async page => showAdd(page) },
  { method: 'POST', path: '/merchants/add', who: 'admin', confirm, handle: addOne },
  { method: 'GET', path: '/merchants/of/:appid', who: 'admin', confirm, handle: page => showChange(page) },
  { method: 'POST', path: '/merchants/of/:appid/name', who: 'admin', confirm, handle: rename },
  { method: 'POST', path: '/merchants/of/:appid/state', who: 'admin', confirm, handle: switchOne },
]

const pageMax = 50
const dayMs = 86_400_000

async function showMerchants(page: Page): Promise<Answer> {
  const words = wordsOf(page, merchantsWords)
  const { reads } = page.context
  const text = page.query.text('find').slice(0, 100)
  const before = /^\d{1,18}$/.test(page.query.text('before')) ? BigInt(page.query.text('before')) : null
  const from = new Date(Math.floor(page.now.getTime() / dayMs) * dayMs - 29 * dayMs)
  const [found, sums] = await Promise.all([
    listMerchantRows(reads, { text, before, limit: pageMax + 1 }),
    readPart(page, () => readMoneyOfMerchants(reads, from)),
  ])
  const shown = found.slice(0, pageMax)
  const received = new Map(valueIn(sums)?.map(sum => [sum.merchantId, sum.received]))
  const link = (changed: Record<string, string | null>) => hrefWith(page, '/merchants', ['find'], changed)
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
          <a class="button" href={href(page, '/merchants/add')}>
            {words.add}
          </a>
        </div>
        <Filters page={page} path="/merchants">
          <Field label={words.find} name="find" type="search" value={text} maxLength={100} />
        </Filters>
        <Table
          caption={words.title}
          columns={[
            {
              head: words.name,
              cell: one => <a href={pagesOf(one)}>{one.name}</a>,
            },
            { head: words.appid, cell: ({ appid }) => <Id text={appid} /> },
            { head: words.state, cell: one => <MerchantState words={words} merchant={one} /> },
            {
              head: words.orders,
              align: 'end',
              cell: ({ orders }) => <UpTo words={words} n={orders} max={ordersMax} />,
            },
            {
              head: words.received,
              align: 'end',
              cell: ({ id }) => (valueIn(sums) ? <Amount units={received.get(id) ?? 0n} /> : '–'),
            },
            { head: words.exhausted, align: 'end', cell: one => <Exhausted words={words} merchant={one} /> },
            {
              head: words.oldestDue,
              align: 'end',
              cell: ({ oldestDueAt }) =>
                oldestDueAt ? durationText(Math.max(0, page.now.getTime() - oldestDueAt.getTime())) : '–',
            },
            { head: words.members, align: 'end', cell: ({ members }) => <Count value={members} /> },
            { head: words.added, cell: ({ createdAt }) => <Time at={createdAt} /> },
            {
              head: words.change,
              cell: one => (
                <a
                  href={href(page, `/merchants/of/${one.appid}`)}
                  aria-label={`${words.change}: ${one.name}`}
                >
                  {words.change}
                </a>
              ),
            },
          ]}
          rows={shown}
          empty={
            text === '' ? (
              <>
                <p>{words.noneYet}</p>
                <p>
                  <a class="button" href={href(page, '/merchants/add')}>
                    {words.add}
                  </a>
                </p>
              </>
            ) : (
              words.none
            )
          }
        />
        <Pager
          page={page}
          next={found.length > pageMax ? link({ before: `${shown.at(-1)!.id}` }) : null}
          first={before === null ? null : link({ before: null })}
        />
      </>
    ),
  }
}

/** Chooses the merchant: its pages are about it. */
export function pagesOf({ appid }: { appid: string }, path = '', query: Record<string, string> = {}): string {
  return `${consolePath}${path}?${new URLSearchParams({ merchant: appid, ...query })}`
}

function MerchantState(props: { words: MerchantsWords; merchant: { disabledAt: Date | null } }) {
  const { words, merchant } = props
  return merchant.disabledAt ? (
    <State tone="red">{words.disabled}</State>
  ) : (
    <State tone="green">{words.enabled}</State>
  )
}

function Exhausted(props: { words: MerchantsWords; merchant: MerchantRow }) {
  const { exhausted } = props.merchant
  if (exhausted === 0) return <Count value={0} />
  return (
    <a href={pagesOf(props.merchant, '/callbacks', { list: 'exhausted' })}>
      <UpTo words={props.words} n={exhausted} max={exhaustedMax} />
    </a>
  )
}

/** A number that was counted up to a limit. */
function UpTo(props: { words: MerchantsWords; n: number; max: number }) {
  const { words, n, max } = props
  return n > max ? <span>{words.more(max)}</span> : <Count value={n} />
}

async function merchantFacts(page: Page): Promise<MerchantFacts> {
  const found = await readMerchantFacts(page.context.reads, page.params.appid!)
  if (!found) throw new GatewayError('not_found', 'no such merchant')
  return found
}

type ChangeErrors = Partial<Record<'name' | 'again' | 'reason', string>>

async function showChange(page: Page, errors: ChangeErrors = {}): Promise<Answer> {
  const words = wordsOf(page, merchantsWords)
  const merchant = await merchantFacts(page)
  const underWay = await readPart(page, () => readUnderWay(page.context.reads, merchant.id))
  const path = `/merchants/of/${merchant.appid}`
  const next = merchant.disabledAt ? 'enable' : 'disable'
  const done = page.query.text('done')
  return {
    title: words.changeTitle,
    status: Object.keys(errors).length > 0 ? 400 : 200,
    notice: Object.hasOwn(words.done, done) ? words.done[done as keyof typeof words.done] : undefined,
    body: (
      <>
        <div class="title">
          <h1>{merchant.name}</h1>
          <a class="button plain" href={pagesOf(merchant)}>
            {words.goOn}
          </a>
        </div>
        <div class="columns">
          <Section title={words.facts}>
            <Facts
              rows={[
                [words.appid, <CopyableId page={page} text={merchant.appid} key="appid" />],
                [words.state, <MerchantState words={words} merchant={merchant} key="state" />],
                [words.callbacks, merchant.callbackUrl ?? '–'],
                [words.depositsAre, merchant.deposits ? commonWords(page).yes : commonWords(page).no],
                [words.xpub, <Id text={merchant.xpub} key="xpub" />],
                [words.nextIndex, <Count value={merchant.nextIndex} key="index" />],
                [words.added, <Time at={merchant.createdAt} key="added" />],
              ]}
            />
          </Section>
          <Section title={words.rename}>
            <p>{words.renameText}</p>
            <Form page={page} action={href(page, `${path}/name`)}>
              <Field
                {...{ label: words.name, name: 'name', error: errors.name, maxLength: 100, required: true }}
                value={page.form.has('name') ? page.form.text('name') : merchant.name}
              />
              {errors.again && <Tick label={words.renameAgain} name="again" checked={false} />}
              <Submit>{words.rename}</Submit>
            </Form>
          </Section>
          <Section title={words[next]}>
            <ul class="steps">
              {words[`${next}Texts`].map(text => (
                <li key={text}>{text}</li>
              ))}
            </ul>
            <PartOf page={page} part={underWay}>
              {found => <UnderWayFacts words={words} merchant={merchant} underWay={found} />}
            </PartOf>
            <Form page={page} action={href(page, `${path}/state`)} ask={words.ask[next]}>
              <input type="hidden" name="to" value={next} />
              <ReasonField page={page} error={errors.reason} value={page.form.text('reason')} />
              <Submit>{words[next]}</Submit>
            </Form>
          </Section>
        </div>
      </>
    ),
  }
}

/** What the switch concerns at this moment, each with its list. */
function UnderWayFacts(props: { words: MerchantsWords; merchant: MerchantFacts; underWay: UnderWay }) {
  const { words, merchant, underWay } = props
  const row = (name: string, n: number, link: string) =>
    [
      name,
      <a href={link} key={link}>
        <UpTo words={words} n={n} max={underWayMax} />
      </a>,
    ] as const
  const { openOrders, due, inFlight, held } = underWay
  return (
    <Facts
      rows={[
        row(words.openOrders, openOrders, pagesOf(merchant, '/orders')),
        row(words.due, due, pagesOf(merchant, '/callbacks', { list: 'due' })),
        row(words.inFlight, inFlight, pagesOf(merchant, '/callbacks', { list: 'in_flight' })),
        row(words.held, held, pagesOf(merchant, '/callbacks', { list: 'held' })),
      ]}
    />
  )
}

async function rename(page: Page): Promise<Answer> {
  const words = wordsOf(page, merchantsWords)
  const { appid } = await merchantFacts(page)
  const name = page.form.text('name')
  const again = page.form.has('again')
  if (nameProblems(name).length > 0) return showChange(page, { name: words.nameWrong })
  const namesake = again ? null : await findNamed(page.context.pool, name, appid)
  if (namesake) return showChange(page, { name: words.namesake(namesake), again: 'yes' })
  const changed = await renameMerchant(page.context.pool, appid, name, { again, ...authorOfPage(page) })
  return { goTo: href(page, `/merchants/of/${appid}`, { done: changed ? 'renamed' : 'same' }) }
}

async function switchOne(page: Page): Promise<Answer> {
  const { appid } = await merchantFacts(page)
  const to = page.form.text('to')
  if (to !== 'disable' && to !== 'enable') throw new UsageError('to must be disable or enable')
  const disable = to === 'disable'
  const reason = readReason(page)
  if (reason === null) return showChange(page, { reason: commonWords(page).reasonHint })
  const author = authorOfPage(page, reason)
  // Doing what is done already is no mistake: two people may have pressed.
  await (disable ? disableMerchant : enableMerchant)(page.context.pool, appid, settleHeld, author)
  return { goTo: href(page, `/merchants/of/${appid}`, { done: disable ? 'disabled' : 'enabled' }) }
}
