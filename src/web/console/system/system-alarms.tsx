/** @jsxRuntime automatic @jsxImportSource preact */
import { alarmNames } from '../../../alarms/alarm.ts'
import { describeRaised, type RaisedAlarm } from '../../../alarms/alarm-store.ts'
import { GatewayError } from '../../../base/errors.ts'
import { alarmWords } from '../parts/alarm-words.ts'
import { href, type Page, wordsOf } from '../parts/page.ts'
import type { Answer } from '../parts/route.ts'
import { Facts, Section, State, Table, Time, WithCode } from '../parts/ui.tsx'
import { readRunbook } from './runbook.ts'
import { type SystemWords, systemWords } from './system-words.ts'

/** The alarms that are raised, each with a link to what to do. */
export function Alarms(props: { page: Page; words: SystemWords; alarms: readonly RaisedAlarm[] }) {
  const { page, words } = props
  const { meanings } = wordsOf(page, alarmWords)
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
          { head: words.about, cell: ({ count }) => words.things(count) },
          { head: words.since, cell: ({ raisedAt }) => <Time at={raisedAt} /> },
          {
            head: words.told,
            cell: ({ toldAt }) =>
              toldAt ? <Time at={toldAt} /> : <span class="quiet">{words.notTold}</span>,
          },
        ]}
        rows={props.alarms}
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
          <a class="button plain" href={`${href(page, '/system')}#alarms`}>
            {words.backToAlarms}
          </a>
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
