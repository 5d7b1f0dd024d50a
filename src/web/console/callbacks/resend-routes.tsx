/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { type ListedResend, listResendJobs } from '../../../callbacks/outbox/resend-job-store.ts'
import { stopResend } from '../../../callbacks/outbox/resend-jobs.ts'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Section, Table } from '../parts/list-parts.tsx'
import { authorOfPage, can, href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Count, State, Time } from '../parts/value-parts.tsx'
import { callbackLists } from './callback-filter.ts'
import { countedMax, findCallbackIds } from './callback-list-store.ts'
import { callbacksWords } from './callbacks-words.ts'
import { type ReadFilter, readFilter } from './read-filter.ts'
import { canResend, resendMany, type ShownCount } from './resend-many.ts'

export const resendManyRoutes: readonly ConsoleRoute[] = [
  {
    method: 'GET',
    path: '/callbacks/resend',
    who: 'resend',
    handle: async page => showResend(page, await readFilter(page)),
  },
  { method: 'POST', path: '/callbacks/resend', who: 'resend', handle: resend },
  { method: 'GET', path: '/callbacks/resends', who: 'see', handle: showResends },
  { method: 'POST', path: '/callbacks/resends/:job/stop', who: 'resend', handle: stop },
]

/** Shows how many would be sent again, before they are. */
async function showResend(page: Page, { filter, texts }: ReadFilter, isBusy = false): Promise<Answer> {
  const words = wordsOf(page, callbacksWords)
  const { ids, more } = canResend(filter)
    ? await findCallbackIds(page.context.reads, filter)
    : { ids: [], more: false }
  const max = countText(countedMax)
  const count = more ? words.moreThan(countText(ids.length)) : countText(ids.length)
  const isTooMany = more && filter.list === 'delivered'
  return {
    title: words.resendTitle,
    ...(isBusy && { status: 409, problem: words.resendBusy }),
    body: (
      <>
        <div class="title">
          <h1>{words.resendTitle}</h1>
          <span class="actions">
            <a class="button plain" href={href(page, '/callbacks/resends')}>
              {words.resends}
            </a>
            <a class="button plain" href={href(page, '/callbacks', { ...texts })}>
              {words.title}
            </a>
          </span>
        </div>
        <Section title={words.lists[filter.list]}>
          <Asked />
        </Section>
      </>
    ),
  }

  function Asked() {
    if (filter.list === 'delivered' && filter.from === null) return <p>{words.resendNeedsTime}</p>
    if (ids.length === 0) return <p>{words.resendNone}</p>
    return (
      <>
        <p>
          {words.resendCount(count, words.lists[filter.list])} {filter.origin && <code>{filter.origin}</code>}
        </p>
        <p class="quiet">{words.resendText}</p>
        {isTooMany ? (
          <p>{words.resendTooMany(max)}</p>
        ) : (
          <Form
            page={page}
            action={href(page, '/callbacks/resend')}
            ask={words.resendManyAsk(countText(ids.length))}
          >
            {Object.entries({
              ...texts,
              count: `${ids.length}`,
              upTo: `${ids.at(-1)}`,
            }).map(([name, value]) => (
              <input type="hidden" name={name} value={value} key={name} />
            ))}
            {more && <p>{words.resendSome(max)}</p>}
            <Submit>{words.resendNow(countText(ids.length))}</Submit>
          </Form>
        )}
      </>
    )
  }
}

function countText(count: number): string {
  return `${count}`.replace(/\B(?=(\d{3})+$)/g, ' ')
}

async function resend(page: Page): Promise<Answer> {
  const { pool, reads } = page.context
  const read = await readFilter(page, page.form)
  const shown = readShown(page)
  if (!shown) return showResend(page, read)
  const by = { ...authorOfPage(page), merchant: page.merchant }
  const outcome = await resendMany(pool, reads, read.filter, shown, by)
  if (outcome === 'begun') return { goTo: href(page, '/callbacks/resends', { done: 'begun' }) }
  // Nothing was left to send, or too much: the page says which.
  return showResend(page, read, outcome === 'busy')
}

function readShown(page: Page): ShownCount | null {
  const [count, upTo] = [page.form.text('count'), page.form.text('upTo')]
  return /^\d{1,9}$/.test(count) && /^\d{1,18}$/.test(upTo)
    ? { count: Number(count), upTo: BigInt(upTo) }
    : null
}

/** Jobs on the page. A merchant has one at a time. */
const jobsShown = 50

async function showResends(page: Page): Promise<Answer> {
  const words = wordsOf(page, callbacksWords)
  const scope = scopeOf(page)
  const jobs = await listResendJobs(page.context.reads, scope, jobsShown)
  const runs = jobs.some(({ endedAt }) => endedAt === null)
  const done = page.query.text('done')
  return {
    title: words.resends,
    notice: done === 'begun' ? words.resendBegun : done === 'stopped' ? words.resendStopped : undefined,
    body: (
      <>
        <div class="title">
          <h1>{words.resends}</h1>
          <span class="actions">
            {runs && (
              <a class="button plain" href={href(page, '/callbacks/resends')}>
                {words.reload}
              </a>
            )}
            <a class="button plain" href={href(page, '/callbacks')}>
              {words.title}
            </a>
          </span>
        </div>
        <p class="lead">{words.resendsText}</p>
        <Table
          caption={words.resends}
          rows={jobs}
          empty={words.noResends}
          columns={[
            { head: words.began, cell: job => <Time at={job.startedAt} /> },
            { head: words.list, cell: job => <Selected page={page} job={job} /> },
            ...(scope === null
              ? [{ head: words.merchant, cell: (job: ListedResend) => job.appid ?? words.everyMerchant }]
              : []),
            { head: words.state, cell: job => <ResendState page={page} job={job} /> },
            { head: words.progress, cell: job => <ResendProgress page={page} job={job} /> },
            { head: words.sentAgain, align: 'end', cell: job => <Count value={job.resent} /> },
            { head: words.by, cell: job => job.startedBy },
            ...(runs && can(page, 'resend')
              ? [{ head: words.stop, cell: (job: ListedResend) => <Stop page={page} job={job} /> }]
              : []),
          ]}
        />
      </>
    ),
  }
}

/** What a job's callbacks were selected by. */
function Selected(props: { page: Page; job: ListedResend }) {
  const words = wordsOf(props.page, callbacksWords)
  const { list, origin, from, to } = props.job.filter
  const named = callbackLists.find(one => one === list)
  const at = (time: unknown) => (typeof time === 'string' ? <Time at={new Date(time)} /> : '…')
  return (
    <>
      {named && words.lists[named]} {typeof origin === 'string' && <code>{origin}</code>}{' '}
      {Boolean(from || to) && (
        <span class="quiet">
          {at(from)} – {at(to)}
        </span>
      )}
    </>
  )
}

function ResendState(props: { page: Page; job: ListedResend }) {
  const words = wordsOf(props.page, callbacksWords)
  const { endedAt, stoppedBy, isSilent } = props.job
  if (stoppedBy !== null) return <State tone="grey">{words.stoppedBy(stoppedBy)}</State>
  if (endedAt !== null) return <State tone="green">{words.resendEnded}</State>
  return <State tone="amber">{isSilent ? words.resendWaits : words.resendRuns}</State>
}

function Stop(props: { page: Page; job: ListedResend }) {
  const { page, job } = props
  const words = wordsOf(page, callbacksWords)
  if (job.endedAt !== null) return <span class="quiet">–</span>
  const action = href(page, `/callbacks/resends/${job.jobId}/stop`)
  return (
    <Form page={page} action={action} ask={words.stopAsk} class="inline">
      <Submit plain>{words.stop}</Submit>
    </Form>
  )
}

/** How far a job is. */
export function ResendProgress(props: { page: Page; job: Pick<ListedResend, 'done' | 'total'> }) {
  const { done, total } = props.job
  const words = wordsOf(props.page, callbacksWords)
  return (
    <>
      <progress max={Number(total)} value={Number(done)} aria-label={words.progress} />{' '}
      <span class="nowrap">
        <Count value={done} /> / <Count value={total} />
      </span>
    </>
  )
}

async function stop(page: Page): Promise<Answer> {
  const id = page.params.job!
  const isId = /^\d{1,18}$/.test(id)
  if (!isId || !(await stopResend(page.context.pool, BigInt(id), scopeOf(page), authorOfPage(page)))) {
    // One that has ended meanwhile is in the list.
    const jobs = await listResendJobs(page.context.reads, scopeOf(page), jobsShown)
    if (!jobs.some(({ jobId }) => `${jobId}` === id))
      throw new GatewayError('not_found', 'no such resend of this merchant')
    return { goTo: href(page, '/callbacks/resends') }
  }
  return { goTo: href(page, '/callbacks/resends', { done: 'stopped' }) }
}
