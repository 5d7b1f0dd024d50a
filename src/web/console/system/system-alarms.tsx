/** @jsxRuntime automatic @jsxImportSource preact */
import { type AlarmName, alarmNames } from '../../../alarms/alarm.ts'
import { describeRaised, type RaisedAlarm } from '../../../alarms/alarm-store.ts'
import { GatewayError } from '../../../base/errors.ts'
import { readStatus } from '../../../credits/read-status.ts'
import { alarmWords } from '../parts/alarm-words.ts'
import { Facts, Section, Table } from '../parts/list-parts.tsx'
import { href, type Page, wordsOf } from '../parts/page.ts'
import { PartOf, readPart, valueIn } from '../parts/read-part.tsx'
import type { Answer } from '../parts/route.ts'
import { State, Time, WithCode } from '../parts/value-parts.tsx'
import { readRunbook } from './runbook.ts'
import { type SystemWords, systemWords } from './system-words.ts'

/** An alarm as it is listed. */
interface ShownAlarm extends Pick<RaisedAlarm, 'name' | 'toldAt'> {
  /** null: no process has raised it. The database alone tells of it, as when no watcher runs that would. */
  raised: RaisedAlarm | null
}

/**
 * The alarms that are raised, each with a link to what to do.
 * @param props.seen those that the database tells of, whether or not a process has raised them.
 */
export function Alarms(props: {
  page: Page
  words: SystemWords
  alarms: readonly RaisedAlarm[]
  seen: readonly AlarmName[]
}) {
  const { page, words, alarms, seen } = props
  const { meanings } = wordsOf(page, alarmWords)
  const others = seen.filter(name => !alarms.some(alarm => alarm.name === name))
  const shown: ShownAlarm[] = [
    ...alarms.map(raised => ({ name: raised.name, toldAt: raised.toldAt, raised })),
    ...others.map(name => ({ name, toldAt: null, raised: null })),
  ]
  return (
    <>
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
          { head: words.about, cell: ({ raised }) => (raised ? words.things(raised.count) : '–') },
          { head: words.since, cell: ({ raised }) => <Time at={raised?.raisedAt ?? null} /> },
          {
            head: words.told,
            cell: ({ toldAt, raised }) =>
              toldAt ? (
                <Time at={toldAt} />
              ) : (
                <span class="quiet">{raised ? words.notTold : words.onlySeen}</span>
              ),
          },
        ]}
        rows={shown}
        empty={<State tone="green">{words.noAlarms}</State>}
      />
      <details class="after">
        <summary>{words.everyAlarm}</summary>
        <ul class="steps">
          {alarmNames.map(name => (
            <li key={name}>
              <a href={href(page, `/system/alarms/${name}`)}>{name}</a> {meanings[name]}
            </li>
          ))}
        </ul>
      </details>
    </>
  )
}

/** What docs/alarms.md says of one alarm. */
export async function showAlarm(page: Page): Promise<Answer> {
  const words = wordsOf(page, systemWords)
  const name = alarmNames.find(one => one === page.params.alarm)
  if (!name) throw new GatewayError('not_found', 'no such alarm')
  const { reads } = page.context
  const [alarms, status] = await Promise.all([
    readPart(page, () => describeRaised(reads)),
    readPart(page, () => readStatus(reads, page.now, 0)),
  ])
  const raised = valueIn(alarms)?.find(alarm => alarm.name === name)
  const isSeen = valueIn(status)?.alarms.some(alarm => alarm === name)
  const { meanings, firstSteps } = wordsOf(page, alarmWords)
  const runbook = readRunbook(name)
  return {
    title: words.runbookTitle(name),
    body: (
      <>
        <div class="title">
          <h1>{words.runbookTitle(name)}</h1>
          {raised || isSeen ? (
            <State tone="red">{raised ? words.isRaised : words.onlySeen}</State>
          ) : (
            'value' in alarms && <State tone="green">{words.notRaised}</State>
          )}
          <a class="button plain" href={`${href(page, '/system')}#alarms`}>
            {words.backToAlarms}
          </a>
        </div>
        <PartOf page={page} part={alarms}>
          {() => null}
        </PartOf>
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
