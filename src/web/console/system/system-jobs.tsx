/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import type { GatewayStatus } from '../../../credits/read-status.ts'
import type { Job } from '../../../db/job-store.ts'
import { Table } from '../parts/list-parts.tsx'
import type { Page } from '../parts/page.ts'
import { Count, durationText, State, Time } from '../parts/value-parts.tsx'
import type { SystemWords } from './system-words.ts'

/** A job as it is listed; catching up is one that the cursor tells of. */
interface ShownJob {
  kind: keyof SystemWords['kinds']
  subject: string
  progress: ComponentChildren
  by: string
  began: Date | null
  /** When it ended, or else last said how far it is. */
  saidAt: Date | null
  state: ComponentChildren
}

/** What works for long, the catching up of the watcher too. */
export function Jobs(props: {
  page: Page
  words: SystemWords
  jobs: readonly Job[]
  status: GatewayStatus | null
}) {
  const { page, words, jobs, status } = props
  const catchingUp: ShownJob[] =
    status?.alarms.includes('lag') || (status?.cursor.blocksBehind ?? 0) > catchUpMin
      ? [
          {
            ...{ kind: 'catch_up', subject: status!.network, by: 'watcher', began: null, saidAt: null },
            progress: words.catchUp(status!.cursor.blocksBehind),
            state: <State tone="amber">{words.runs}</State>,
          },
        ]
      : []
  return (
    <Table
      caption={words.jobs}
      columns={[
        { head: words.job, cell: ({ kind }) => words.kinds[kind] },
        { head: words.about, cell: ({ subject }) => <span lang="en">{subject}</span> },
        { head: words.progress, cell: ({ progress }) => progress },
        { head: words.state, cell: ({ state }) => state },
        { head: words.began, cell: ({ began }) => <Time at={began} /> },
        { head: words.lastSaid, cell: ({ saidAt }) => <Time at={saidAt} /> },
        { head: words.startedBy, cell: ({ by }) => by },
      ]}
      rows={[...catchingUp, ...jobs.map(job => shownJob(words, job, page.now))]}
      empty={words.noJobs}
    />
  )
}

/** A slower rate says nothing. */
const rateMin = 0.1

/** A watcher at the head is some blocks behind: it reads them when they are solid. */
const catchUpMin = 40

function shownJob(words: SystemWords, job: Job, now: Date): ShownJob {
  const { kind, subject, startedBy, startedAt, seenAt, done, total, endedAt, isSilent } = job
  const tookMs = Math.max(1, (endedAt ?? seenAt).getTime() - startedAt.getTime())
  const perSecond = (Number(done) * 1_000) / tookMs
  const leftMs =
    endedAt || isSilent || total === null || done === 0n
      ? null
      : (Number(total - done) / perSecond) * 1_000 - (now.getTime() - seenAt.getTime())
  return {
    ...{ kind, subject, by: startedBy, began: startedAt, saidAt: endedAt ?? seenAt },
    progress: (
      <>
        <Count value={done} />
        {total !== null && (
          <>
            {` ${words.of} `}
            <Count value={total} />
          </>
        )}
        {total !== null && (
          <>
            {' '}
            <progress max={Number(total)} value={Number(done)} aria-label={words.progress} />
          </>
        )}
        <br />
        <span class="quiet">
          {perSecond >= rateMin &&
            tookMs >= 1_000 &&
            words.rate(perSecond < 10 ? perSecond.toFixed(1) : `${Math.round(perSecond)}`)}
          {leftMs !== null && leftMs > 0 && `, ${words.left(durationText(leftMs))}`}
        </span>
      </>
    ),
    state: jobState(words, job),
  }
}

function jobState(words: SystemWords, { endedAt, problem, isSilent, isRecorded, stoppedBy }: Job) {
  if (problem !== null)
    return (
      <>
        <State tone="red">{words.failed}</State>
        <div class="quiet" lang="en">
          {problem}
        </div>
      </>
    )
  if (stoppedBy !== null)
    return (
      <>
        <State tone="grey">{words.stopped}</State> <span class="quiet">{stoppedBy}</span>
      </>
    )
  if (endedAt) return <State tone="green">{words.done}</State>
  if (isSilent && isRecorded) return <State tone="amber">{words.waitsForCourier}</State>
  if (isSilent) return <State tone="red">{words.died}</State>
  return <State tone="amber">{words.runs}</State>
}
