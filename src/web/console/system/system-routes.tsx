/** @jsxRuntime automatic @jsxImportSource preact */
import { hostname } from 'node:os'
import type { ComponentChildren } from 'preact'
import { alarmNames } from '../../../alarms/alarm.ts'
import { describeRaised, type RaisedAlarm } from '../../../alarms/alarm-store.ts'
import { type ListedProcess, listProcesses } from '../../../alarms/process-store.ts'
import type { SettingInForce } from '../../../base/config.ts'
import { GatewayError } from '../../../base/errors.ts'
import { settingOf } from '../../../base/settings.ts'
import { productVersion } from '../../../base/version.ts'
import { type GatewayStatus, readStatus } from '../../../credits/read-status.ts'
import { type Job, listJobs } from '../../../db/job-store.ts'
import { alarmWords } from '../parts/alarm-words.ts'
import { type Kept, type KeptReadings, keepReadings } from '../parts/kept-readings.ts'
import { href, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Count, durationText, Facts, Id, Section, State, Table, Time } from '../parts/ui.tsx'
import { readRunbook } from './runbook.ts'
import { type ChainFacts, type DatabaseFacts, readChainFacts, readDatabaseFacts } from './system-store.ts'
import { type SystemWords, systemWords } from './system-words.ts'

/** Sizes are asked of the file system. */
const sizesFreshMs = 60_000

/** What runs the gateway: the chain, alarms, jobs, processes, settings, the database. */
export function systemRoutes(
  kept: KeptReadings = keepReadings({ freshMs: sizesFreshMs }),
): readonly ConsoleRoute[] {
  return [
    { method: 'GET', path: '/system', who: 'admin', handle: page => showSystem(page, kept) },
    { method: 'GET', path: '/system/alarms/:alarm', who: 'admin', handle: showAlarm },
  ]
}

const jobsMax = 20

async function showSystem(page: Page, kept: KeptReadings): Promise<Answer> {
  const words = wordsOf(page, systemWords)
  const { reads, config } = page.context
  const [chain, status, alarms, jobs, processes, database] = await Promise.all([
    readChainFacts(reads),
    readStatus(reads, page.now),
    describeRaised(reads),
    listJobs(reads, jobsMax),
    listProcesses(reads),
    kept.read('database', () => readDatabaseFacts(reads)),
  ])
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <p class="actions parts">
          {(['alarms', 'chain', 'jobs', 'processes', 'database', 'settings'] as const).map(part => (
            <a href={`#${part}`} key={part}>
              {words[part]}
            </a>
          ))}
        </p>
        <Section title={words.alarms} id="alarms">
          <Alarms page={page} words={words} alarms={alarms} />
        </Section>
        <Section title={words.chain} id="chain">
          {chain && status ? (
            <Chain words={words} chain={chain} status={status} />
          ) : (
            <p>{words.notStarted}</p>
          )}
        </Section>
        <Section title={words.jobs} id="jobs">
          <Jobs page={page} words={words} jobs={jobs} status={status} />
        </Section>
        <Section title={words.processes} id="processes">
          <Processes words={words} processes={processes} />
        </Section>
        <Section title={words.database} id="database">
          <Database words={words} kept={database} />
        </Section>
        <Section title={words.settings} id="settings">
          <Settings words={words} settings={config.inForce} />
        </Section>
      </>
    ),
  }
}

function Alarms(props: { page: Page; words: SystemWords; alarms: readonly RaisedAlarm[] }) {
  const { page, words } = props
  const { meanings } = wordsOf(page, alarmWords)
  return (
    <Table
      caption={words.alarms}
      columns={[
        {
          head: words.alarm,
          cell: ({ name }) => (
            <State tone="red">
              <a href={href(page, `/system/alarms/${name}`)} aria-label={`${name}: ${words.runbook}`}>
                {name}
              </a>
            </State>
          ),
        },
        { head: words.meaning, cell: ({ name }) => meanings[name] },
        { head: words.about, cell: ({ count }) => words.things(count) },
        { head: words.since, cell: ({ raisedAt }) => <Time at={raisedAt} /> },
        {
          head: words.told,
          cell: ({ toldAt }) => (toldAt ? <Time at={toldAt} /> : <span class="quiet">{words.notTold}</span>),
        },
      ]}
      rows={props.alarms}
      empty={<State tone="green">{words.noAlarms}</State>}
    />
  )
}

/** What docs/alarms.md says of one alarm. */
async function showAlarm(page: Page): Promise<Answer> {
  const words = wordsOf(page, systemWords)
  const name = alarmNames.find(one => one === page.params.alarm)
  if (!name) throw new GatewayError('not_found', 'no such alarm')
  const raised = (await describeRaised(page.context.reads)).find(alarm => alarm.name === name)
  const { meanings, firstSteps } = wordsOf(page, alarmWords)
  const runbook = readRunbook(name)
  return {
    title: words.runbookTitle(name),
    body: (
      <>
        <div class="title">
          <h1>{words.runbookTitle(name)}</h1>
          {raised ? (
            <State tone="red">{words.isRaised}</State>
          ) : (
            <State tone="green">{words.notRaised}</State>
          )}
        </div>
        <Section title={words.meaning}>
          <p>{meanings[name]}</p>
          <p>
            {words.firstStep}: <WithCode text={firstSteps[name]} />
          </p>
        </Section>
        {runbook && runbook.length > 0 && (
          <Section title={words.runbook}>
            <div class="prose" lang="en">
              {runbook.map((block, i) =>
                block.kind === 'steps' ? (
                  <ol key={i}>
                    {block.steps.map(step => (
                      <li key={step}>
                        <WithCode text={step} />
                      </li>
                    ))}
                  </ol>
                ) : (
                  <p key={i}>
                    <WithCode text={block.text} />
                  </p>
                ),
              )}
            </div>
            <p class="quiet">{words.fromDocs}</p>
          </Section>
        )}
        {raised && (
          <Section title={words.detail}>
            <Facts
              rows={[
                [words.since, <Time at={raised.raisedAt} key="since" />],
                [words.by, raised.raisedBy],
                [words.about, words.things(raised.count)],
                ...Object.entries(raised.detail).map(
                  ([fact, value]) =>
                    [fact, typeof value === 'string' ? value : JSON.stringify(value)] as const,
                ),
              ]}
            />
          </Section>
        )}
      </>
    ),
  }
}

/** Text in which backquotes stand around code. */
function WithCode(props: { text: string }) {
  return <>{props.text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
}

function Chain(props: { words: SystemWords; chain: ChainFacts; status: GatewayStatus }) {
  const { words, chain, status } = props
  const { held, proof, quarantined, unclaimed } = status.waiting
  return (
    <Facts
      rows={[
        [words.network, chain.network],
        [words.contract, <Id text={chain.usdtContract} key="contract" />],
        [words.cursor, <Count value={chain.height} key="cursor" />],
        [words.cursorTime, <Time at={chain.height === 0 ? null : chain.blockTime} key="time" />],
        [words.moved, <Time at={chain.movedAt} key="moved" />],
        [words.behind, words.blocks(status.cursor.blocksBehind)],
        [
          words.head,
          chain.headHeight === null ? (
            '–'
          ) : (
            <span key="head">
              <Count value={chain.headHeight} />, <Time at={chain.headSeenAt} />
            </span>
          ),
        ],
        [words.started, <Count value={chain.startHeight} key="start" />],
        [
          words.leader,
          chain.leads ? <State tone="green">{chain.holder}</State> : <State tone="red">{words.nobody}</State>,
        ],
        [words.leaseUntil, <Time at={chain.leaseUntil} key="lease" />],
        [words.waiting, words.waits(held, proof, quarantined, unclaimed)],
        ...status.warnings.map(warning => [words.warnings, warning] as const),
      ]}
    />
  )
}

/** A job as it is listed; catching up is one that the cursor tells of. */
interface ShownJob {
  kind: keyof SystemWords['kinds']
  subject: string
  progress: ComponentChildren
  by: string
  began: Date | null
  state: ComponentChildren
}

function Jobs(props: { page: Page; words: SystemWords; jobs: readonly Job[]; status: GatewayStatus | null }) {
  const { page, words, jobs, status } = props
  const catchingUp: ShownJob[] =
    status?.alarms.includes('lag') || (status?.cursor.blocksBehind ?? 0) > catchUpMin
      ? [
          {
            ...{ kind: 'catch_up', subject: status!.network, by: 'watcher', began: null },
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
        { head: words.about, cell: ({ subject }) => subject },
        { head: words.progress, cell: ({ progress }) => progress },
        { head: words.state, cell: ({ state }) => state },
        { head: words.began, cell: ({ began }) => <Time at={began} /> },
        { head: words.startedBy, cell: ({ by }) => by },
      ]}
      rows={[...catchingUp, ...jobs.map(job => shownJob(words, job, page.now))]}
      empty={words.noJobs}
    />
  )
}

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
    ...{ kind, subject, by: startedBy, began: startedAt },
    progress: (
      <>
        {total === null ? <Count value={done} /> : words.of(`${done}`, `${total}`)}
        {total !== null && (
          <>
            {' '}
            <progress max={Number(total)} value={Number(done)} aria-label={words.progress} />
          </>
        )}
        <br />
        <span class="quiet">
          {done > 0n &&
            tookMs >= 1_000 &&
            words.rate(perSecond < 10 ? perSecond.toFixed(1) : `${Math.round(perSecond)}`)}
          {leftMs !== null && leftMs > 0 && `, ${words.left(durationText(leftMs))}`}
        </span>
      </>
    ),
    state: jobState(words, job),
  }
}

function jobState(
  words: SystemWords,
  {
    endedAt,
    problem,
    isSilent,
    isRecorded,
    stoppedBy,
  }: Pick<Job, 'endedAt' | 'problem' | 'isSilent' | 'isRecorded' | 'stoppedBy'>,
) {
  if (problem !== null)
    return (
      <>
        <State tone="red">{words.failed}</State> <span class="quiet">{problem}</span>
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

function Processes(props: { words: SystemWords; processes: readonly ListedProcess[] }) {
  const { words, processes } = props
  const versions = new Set(processes.filter(one => !one.isSilent).map(({ version }) => version))
  return (
    <>
      {versions.size > 1 && <p class="problem">{words.mixed}</p>}
      <Table
        caption={words.processes}
        columns={[
          { head: words.process, cell: ({ id }) => <span class="mono id">{id}</span> },
          { head: words.roles, cell: ({ roles }) => roles.join(', ') },
          { head: words.version, cell: ({ version }) => version ?? words.unknown },
          {
            head: words.state,
            cell: ({ working, why, isSilent }) =>
              isSilent ? (
                <State tone="red">{words.silent}</State>
              ) : working ? (
                <State tone="green">{words.ready}</State>
              ) : (
                <State tone="red">{words.notReady(why ?? '')}</State>
              ),
          },
          { head: words.runningSince, cell: ({ startedAt }) => <Time at={startedAt} /> },
          { head: words.lastSaid, cell: ({ seenAt }) => <Time at={seenAt} /> },
        ]}
        rows={processes}
        empty={words.noProcesses}
      />
    </>
  )
}

function Database(props: { words: SystemWords; kept: Kept<DatabaseFacts> | null }) {
  const { words, kept } = props
  if (!kept) return <div class="empty">{words.slow}</div>
  const { version, bytes, migration, tables } = kept.value
  return (
    <>
      <Facts
        rows={[
          [words.size, sizeText(Number(bytes))],
          [words.postgres, version],
          [words.migration, migration],
          [words.thisVersion, productVersion()],
          [words.node, process.version],
        ]}
      />
      <p class="quiet">
        {words.asOf} <Time at={kept.at} />
      </p>
      <Table
        caption={words.database}
        columns={[
          { head: words.table, cell: ({ name }) => <code>{name}</code> },
          { head: words.size, align: 'end', cell: table => sizeText(Number(table.bytes)) },
          { head: words.rows, align: 'end', cell: ({ rows }) => <Count value={Math.round(rows)} /> },
          {
            head: words.partitions,
            cell: ({ partitions }) =>
              partitions.length === 0 ? (
                '–'
              ) : (
                <details>
                  <summary>{partitions.length}</summary>
                  <ul>
                    {partitions.map(one => (
                      <li key={one.name}>
                        <code>{one.name}</code> {sizeText(one.bytes)}
                      </li>
                    ))}
                  </ul>
                </details>
              ),
          },
        ]}
        rows={tables}
        empty="–"
      />
    </>
  )
}

function Settings(props: { words: SystemWords; settings: readonly SettingInForce[] }) {
  const { words, settings } = props
  const shown = ({ name, from, shown }: SettingInForce) => {
    if (from === 'not set' || shown === '') return <span class="quiet">–</span>
    if (shown === null) return <span class="quiet">{words.hidden}</span>
    return (
      <>
        <span class="mono id">{shown}</span>{' '}
        {settingOf[name].secret && <span class="quiet">({words.hostsOnly})</span>}
      </>
    )
  }
  return (
    <>
      <p class="quiet">{words.ofThisProcess(`${hostname()} ${process.pid}`)}</p>
      <Table
        caption={words.settings}
        columns={[
          { head: words.setting, cell: ({ name }) => <code>{name}</code> },
          { head: words.value, cell: shown },
          { head: words.from, cell: ({ from }) => words.sources[from] },
        ]}
        rows={settings}
        empty="–"
      />
    </>
  )
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** 5 MB, 1.2 GB. */
export function sizeText(bytes: number): string {
  let size = bytes
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit > 0 && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`
}
