/** @jsxRuntime automatic @jsxImportSource preact */
import { checkTrail, readTrailEnd } from '../../../audit/trail-checks.ts'
import type { ListedAuditEvent } from '../../../db/list-audit-events.ts'
import { commonWords } from '../parts/common-words.ts'
import { type FileColumns, FileForm, fileOfList, filePageMax, timeColumns } from '../parts/csv-list.tsx'
import { Field } from '../parts/field-parts.tsx'
import { Filters } from '../parts/form-parts.tsx'
import { Facts, Pager, Section, Table } from '../parts/list-parts.tsx'
import { href, hrefWith, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute, CsvAnswer } from '../parts/route.ts'
import { CopyableId, State, Time } from '../parts/value-parts.tsx'
import { zoneOf } from '../parts/zones.ts'
import { readEvents, readFilters, type ShownEvent, withFits } from './audit-view.ts'
import { type AuditWords, auditWords } from './audit-words.ts'

export const auditRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/audit', who: 'audit', handle: showAudit },
  { method: 'GET', path: '/audit.csv', who: 'audit', handle: downloadAudit },
  { method: 'GET', path: '/audit/chain', who: 'admin', handle: showChain },
]

const filterNames = ['actor', 'action', 'from', 'to'] as const
const pageRows = 50

/** What the viewer may see: as `readEvents` takes it. */
function viewOf(page: Page) {
  return { scope: scopeOf(page), isAdmin: page.role === 'admin' }
}

async function showAudit(page: Page): Promise<Answer> {
  const { reads } = page.context
  const words = wordsOf(page, auditWords)
  const common = commonWords(page)
  const { wanted, wrong } = readFilters(name => page.query.text(name))
  const view = viewOf(page)
  const found = wrong.size > 0 ? [] : await readEvents(reads, wanted, { ...view, limit: pageRows + 1 })
  const events = await withFits(reads, found.slice(0, pageRows))
  const linkTo = (changed: Record<string, string>) => hrefWith(page, '/audit', filterNames, changed)
  const next = found.length > pageRows ? linkTo({ before: `${events.at(-1)!.id}` }) : null
  const field = (name: (typeof filterNames)[number]) => ({ name, value: page.query.text(name) })
  const columns = [
    { head: words.when, cell: ({ at }: ShownEvent) => <Time at={at} /> },
    {
      head: words.actor,
      cell: ({ actor }: ShownEvent) => <a href={linkTo({ actor })}>{actor}</a>,
    },
    {
      head: words.action,
      cell: ({ action }: ShownEvent) => (
        <a href={linkTo({ action })}>
          <code class="nowrap">{action}</code>
        </a>
      ),
    },
    { head: words.subject, cell: (event: ShownEvent) => <Subject page={page} event={event} /> },
    { head: common.reason, cell: ({ reason }: ShownEvent) => reason ?? <span class="quiet">–</span> },
    {
      head: words.place,
      align: 'end' as const,
      cell: (event: ShownEvent) => <Place event={event} words={words} />,
    },
  ]
  return {
    title: words.title,
    ...(wrong.size > 0 && { status: 400 }),
    problem: events.some(({ fits }) => fits === false) ? words.brokenHere : undefined,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
          <span class="actions">
            {view.isAdmin && (
              <a class="button plain" href={href(page, '/audit/chain')}>
                {words.check}
              </a>
            )}
          </span>
        </div>
        <p class="lead">{words.about}</p>
        <Filters page={page} path="/audit">
          <Field label={words.actor} maxLength={300} {...field('actor')} />
          <Field label={words.action} maxLength={100} {...field('action')} />
          <Field
            label={words.from}
            type="date"
            error={wrong.has('from') ? words.badDay : undefined}
            {...field('from')}
          />
          <Field
            label={words.to}
            type="date"
            error={wrong.has('to') ? words.badDay : undefined}
            {...field('to')}
          />
        </Filters>
        <Table caption={words.events} columns={columns} rows={events} empty={words.empty} />
        <Pager page={page} next={next} first={wanted.before === undefined ? null : linkTo({})} />
        <FileForm
          page={page}
          path="/audit.csv"
          query={Object.fromEntries(filterNames.map(name => [name, page.query.text(name)]))}
        />
      </>
    ),
  }
}

/** What an event is about, with all else that is known of it. */
function Subject(props: { page: Page; event: ShownEvent }) {
  const { page, event } = props
  const words = wordsOf(page, auditWords)
  const detail = Object.keys(event.detail).length > 0 ? JSON.stringify(event.detail, null, 2) : null
  return (
    <div>
      {event.subject}
      {(detail || event.address || event.hash) && (
        <details>
          <summary>{words.details}</summary>
          <Facts
            rows={[
              ...(event.appid && !page.merchant ? ([[words.merchant, event.appid]] as const) : []),
              ...(event.address ? ([[words.address, event.address]] as const) : []),
              ...(event.hash ? ([[words.hash, <code key="hash">{event.hash}</code>]] as const) : []),
            ]}
          />
          {detail && <pre>{detail}</pre>}
        </details>
      )}
    </div>
  )
}

function Place(props: { event: ShownEvent; words: AuditWords }) {
  const { event, words } = props
  if (event.fits === null) return <State tone="grey">{words.older}</State>
  return (
    <State tone={event.fits ? 'green' : 'red'}>
      {`${event.chainPosition} ${event.fits ? words.fits : words.broken}`}
    </State>
  )
}

async function downloadAudit(page: Page): Promise<CsvAnswer | { goTo: string }> {
  const { wanted, wrong } = readFilters(name => page.query.text(name))
  // The page says what is wrong.
  if (wrong.size > 0) return { goTo: hrefWith(page, '/audit', filterNames, {}) }
  const view = viewOf(page)
  const zone = zoneOf(page.query.text('zone'), page.locale)
  // The columns of `gateway export audit`.
  const columns: FileColumns<ListedAuditEvent> = {
    ...timeColumns('done', zone, one => one.at),
    actor: one => one.actor,
    action: one => one.action,
    subject: one => one.subject,
    reason: one => one.reason,
    address: one => one.address,
    appid: one => one.appid,
    detail: one => JSON.stringify(one.detail),
    audit_event_id: one => one.id,
    chain_position: one => one.chainPosition,
    hash: one => one.hash,
  }
  return fileOfList('audit.csv', columns, async (at: bigint | null) => {
    const limit = filePageMax
    const rows = await readEvents(
      page.context.reads,
      { ...wanted, before: at ?? wanted.before },
      { ...view, limit },
    )
    return { rows, next: rows.length === limit ? rows.at(-1)!.id : null }
  })
}

/** A slice is read in a fraction of a second; the page shows how far it came in its time. */
const sliceEvents = 10_000
const checkMs = 2_000

/** Checks the chain from its beginning or from an event on, as far as it gets. */
async function showChain(page: Page): Promise<Answer> {
  const { reads } = page.context
  const words = wordsOf(page, auditWords)
  const given = page.query.text('after')
  const after = /^\d{1,18}$/.test(given) ? BigInt(given) : 0n
  const end = await readTrailEnd(reads)
  const last = end?.events ?? 0n
  const endsAt = performance.now() + checkMs
  let part = await checkTrail(reads, after, sliceEvents)
  let from = after
  while (!part.broken && part.to > from && part.to < last && performance.now() < endsAt) {
    from = part.to
    part = await checkTrail(reads, from, sliceEvents)
  }
  const { to, broken } = part
  // Events that came since the end was read are compared with those before them alone.
  const isCut = !broken && (to < last ? to === from : to === last && part.hash !== end?.hash)
  const isDone = !broken && !isCut && to >= last && end !== null
  const state = isDone ? (
    <State tone="green">{words.whole}</State>
  ) : broken || isCut || end === null ? (
    <State tone="red">{words.notWhole}</State>
  ) : (
    <State tone="amber">{words.partly}</State>
  )
  const goOn = !isDone && !broken && !isCut && end !== null
  return {
    title: words.chain,
    body: (
      <>
        <div class="title">
          <h1>{words.chain}</h1>
          {state}
        </div>
        <Section title={words.checked}>
          <p>{words.chainAbout}</p>
          <Facts
            rows={[
              [words.checked, to > after ? words.checkedRange(`${after + 1n}`, `${to}`) : words.checkedNone],
              [words.all, `${last}`],
              ...(broken
                ? ([
                    [words.firstBroken, words.brokenEvent(`${broken.chainPosition}`, `${broken.id}`)],
                  ] as const)
                : []),
              ...(end
                ? ([[words.lastHash, <CopyableId key="hash" page={page} text={end.hash} />]] as const)
                : []),
            ]}
          />
          {(isCut || end === null) && <p>{words.endMissing}</p>}
          <p class="quiet">{words.keep}</p>
          <p class="quiet">{words.command}</p>
          <p class="actions">
            {goOn && (
              <a class="button" href={href(page, '/audit/chain', { after: `${to}` })}>
                {words.goOn}
              </a>
            )}
            <a class="button plain" href={href(page, '/audit/chain')}>
              {words.again}
            </a>
            <a class="button plain" href={href(page, '/audit')}>
              {commonWords(page).back}
            </a>
          </p>
        </Section>
      </>
    ),
  }
}
