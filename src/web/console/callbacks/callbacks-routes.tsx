/** @jsxRuntime automatic @jsxImportSource preact */
import { fromLegacyUnits } from '../../../base/money.ts'
import { listResendJobs } from '../../../callbacks/outbox/resend-job-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { fileOfList } from '../parts/csv-list.tsx'
import { Choice, Field } from '../parts/field-parts.tsx'
import { Filters } from '../parts/form-parts.tsx'
import { type Column, Pager, Table } from '../parts/list-parts.tsx'
import { href, hrefWith, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Count, durationText, Id, Time } from '../parts/value-parts.tsx'
import { zoneOf, zones } from '../parts/zones.ts'
import { CallbackStateTag } from './attempt-parts.tsx'
import { callbackColumns, readCallbackFile } from './callback-file.ts'
import { type CallbackFilter, callbackLists, readPlace } from './callback-filter.ts'
import { type ConsoleCallback, readCallbackPage } from './callback-list-store.ts'
import { callbackRoutes } from './callback-page-routes.tsx'
import { testRoutes } from './callback-test-routes.tsx'
import { callbacksWords } from './callbacks-words.ts'
import { OriginTable, percentText, readShownOrigins, type ShownOrigins } from './origin-table.tsx'
import { type FilterTexts, filterNames, readFilter } from './read-filter.ts'
import { canResend } from './resend-many.ts'
import { ResendProgress, resendManyRoutes } from './resend-routes.tsx'

export const callbacksRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/callbacks', who: 'see', handle: showCallbacks },
  { method: 'GET', path: '/callbacks.csv', who: 'see', handle: exportCallbacks },
  { method: 'GET', path: '/callbacks/origins', who: 'see', handle: showOrigins },
  ...resendManyRoutes,
  ...testRoutes,
  ...callbackRoutes,
]

const perPage = 50

async function showCallbacks(page: Page): Promise<Answer> {
  const { reads } = page.context
  const words = wordsOf(page, callbacksWords)
  const { filter, texts } = await readFilter(page)
  const shown = await readCallbackPage(reads, filter, readPlace(page.query.text('after')), perPage)
  const origins = await readShownOrigins(page)
  const link = (changed: Record<string, string | null>) => hrefWith(page, '/callbacks', filterNames, changed)
  const [lastResend] = await listResendJobs(reads, scopeOf(page), 1)
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
          <span class="actions">
            <a class="button plain" href={href(page, '/callbacks.csv', { ...texts })} download>
              {commonWords(page).csv}
            </a>
            <a class="button plain" href={href(page, '/callbacks/origins')}>
              {words.origins}
            </a>
            <a class="button plain" href={href(page, '/callbacks/resends')}>
              {words.resends}
            </a>
            <a class="button plain" href={href(page, '/callbacks/test')}>
              {words.sendTest}
            </a>
          </span>
        </div>
        {lastResend?.endedAt === null && (
          <p class="notice">
            <a href={href(page, '/callbacks/resends')}>{words.resendRunning}</a>{' '}
            <ResendProgress page={page} job={lastResend} />
          </p>
        )}
        <Figures page={page} origins={origins} />
        <nav class="lists" aria-label={words.listsLabel}>
          {callbackLists.map(list => (
            <a href={link({ list })} aria-current={list === filter.list ? 'true' : undefined} key={list}>
              {words.lists[list]}
            </a>
          ))}
        </nav>
        <FilterForm page={page} filter={filter} texts={texts} />
        {canResend(filter) && shown.callbacks.length > 0 && (
          <p class="actions">
            <a class="button plain" href={hrefWith(page, '/callbacks/resend', filterNames, {})}>
              {words.resendMany}
            </a>
          </p>
        )}
        {shown.stopped && <p class="notice">{words.stopped}</p>}
        <Table
          caption={`${words.title}: ${words.lists[filter.list]}`}
          columns={columnsOf(page, filter)}
          rows={shown.callbacks}
          empty={words.empty[filter.list]}
        />
        <Pager
          page={page}
          next={shown.next && link({ after: shown.next })}
          first={page.query.has('after') ? link({}) : null}
        />
      </>
    ),
  }
}

function Figures(props: { page: Page; origins: ShownOrigins }) {
  const { page, origins } = props
  const words = wordsOf(page, callbacksWords)
  const { oldestDueAt, failing, rates } = origins
  const waited = oldestDueAt && Math.max(page.now.getTime() - oldestDueAt.getTime(), 0)
  const figures = [
    [words.oldestDue, waited === null ? words.nothingDue : durationText(waited)],
    [words.failingOrigins, <Count value={failing} />],
    [words.delivery, percentText(rates.share)],
    [words.attempts24, <Count value={rates.attempts} />],
  ] as const
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function FilterForm(props: { page: Page; filter: CallbackFilter; texts: FilterTexts }) {
  const { page, filter, texts } = props
  const words = wordsOf(page, callbacksWords)
  return (
    <Filters page={page} path="/callbacks" isSet={Boolean(texts.origin || texts.from || texts.to)}>
      <input type="hidden" name="list" value={filter.list} />
      <Field label={words.filterOrigin} name="origin" value={filter.origin ?? ''} hint={words.originHint} />
      {(filter.list === 'all' || filter.list === 'delivered') && (
        <>
          <Field label={words.filterFrom} name="from" type="date" value={texts.from} />
          <Field label={words.filterTo} name="to" type="date" value={texts.to} />
        </>
      )}
      <Choice
        label={commonWords(page).zone}
        name="zone"
        value={texts.zone}
        options={zones.map(zone => [zone, zone] as const)}
      />
    </Filters>
  )
}

function columnsOf(page: Page, filter: CallbackFilter): Column<ConsoleCallback>[] {
  const words = wordsOf(page, callbacksWords)
  return [
    { head: words.key, cell: one => <Id text={one.key} short link={href(page, `/callbacks/${one.key}`)} /> },
    {
      head: words.order,
      cell: one =>
        one.ordersn === null ? (
          words.deposit
        ) : (
          <a href={href(page, `/orders/${one.ordersn}`)}>{one.orderid}</a>
        ),
    },
    ...(filter.merchantId === null
      ? [{ head: words.merchant, cell: (one: ConsoleCallback) => one.appid }]
      : []),
    { head: words.amount, align: 'end', cell: one => <Amount units={fromLegacyUnits(one.bodyAmount)} /> },
    { head: words.state, cell: one => <CallbackStateTag page={page} {...one} /> },
    { head: words.attempts, align: 'end', cell: one => <Count value={one.attempts} /> },
    { head: words.lastStatus, align: 'end', cell: one => one.lastStatus ?? '–' },
    { head: words.origin, cell: one => one.origin },
    { head: words.createdAt, cell: one => <Time at={one.createdAt} /> },
    { head: words.dueAt, cell: one => <Time at={one.dueAt} /> },
  ]
}

/** Exports the callbacks that the filter shows, in the order of the list. */
async function exportCallbacks(page: Page): Promise<Answer> {
  const { filter } = await readFilter(page)
  const zone = zoneOf(page.query.text('zone'), page.locale)
  return fileOfList('callbacks.csv', callbackColumns(zone), readCallbackFile(page.context.reads, filter))
}

async function showOrigins(page: Page): Promise<Answer> {
  const words = wordsOf(page, callbacksWords)
  const shown = await readShownOrigins(page)
  return {
    title: words.origins,
    body: (
      <>
        <div class="title">
          <h1>{words.origins}</h1>
          <a class="button plain" href={href(page, '/callbacks')}>
            {words.title}
          </a>
        </div>
        <p class="lead">{words.originsText}</p>
        {shown.more && <p class="lead">{words.moreOrigins}</p>}
        <OriginTable page={page} shown={shown} />
      </>
    ),
  }
}
