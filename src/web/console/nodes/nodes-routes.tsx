/** @jsxRuntime automatic @jsxImportSource preact */
import { callsByDay, readNodes } from '../../../blocks/node-store.ts'
import { readStatus } from '../../../credits/read-status.ts'
import { BarChart } from '../parts/chart.tsx'
import { type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Count, Facts, Section, State, Table, Time } from '../parts/ui.tsx'
import { nodeStateText, nodeStateTone } from './node-state.ts'
import { type NodesWords, nodesWords } from './nodes-words.ts'

export const nodesRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/nodes', who: 'admin', handle: showNodes },
]

const dayMs = 86_400_000
const daysShown = 14

async function showNodes(page: Page): Promise<Answer> {
  const words = wordsOf(page, nodesWords)
  const { reads } = page.context
  const first = new Date(page.now.getTime() - (daysShown - 1) * dayMs)
  const [nodes, status, calls] = await Promise.all([
    readNodes(reads),
    readStatus(reads, page.now),
    callsByDay(reads, first.toISOString().slice(0, 10)),
  ])
  const highest = Math.max(0, ...nodes.map(({ solidHeight }) => solidHeight ?? 0))
  const days = Array.from({ length: daysShown }, (_, i) => {
    const day = new Date(first.getTime() + i * dayMs).toISOString().slice(0, 10)
    return { day, calls: calls.get(day) ?? 0n }
  })
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <Table
          caption={words.title}
          columns={[
            {
              head: words.node,
              cell: ({ node, host }) => (
                <>
                  <span class="mono id">{node}</span>
                  {host !== node && <div class="quiet">{host}</div>}
                </>
              ),
            },
            { head: words.transport, cell: ({ transport }) => transport },
            {
              head: words.state,
              cell: ({ state, why, until }) => (
                <>
                  <State tone={nodeStateTone(state)}>{nodeStateText(page, state)}</State>
                  {why && <div class="quiet">{why}</div>}
                  {until && (
                    <div class="quiet">
                      {words.until} <Time at={until} />
                    </div>
                  )}
                </>
              ),
            },
            {
              head: words.height,
              align: 'end',
              cell: ({ solidHeight }) => (solidHeight === null ? '–' : <Count value={solidHeight} />),
            },
            {
              head: words.behind,
              align: 'end',
              cell: ({ solidHeight }) => (solidHeight === null ? '–' : words.blocks(highest - solidHeight)),
            },
            { head: words.calls, align: 'end', cell: node => <Count value={node.calls} /> },
            {
              head: words.quota,
              align: 'end',
              cell: ({ quota }) =>
                quota === null ? <span class="quiet">{words.noQuota}</span> : <Count value={quota} />,
            },
            {
              head: words.left,
              align: 'end',
              cell: node =>
                node.quota === null ? '–' : <Count value={Math.max(0, node.quota - node.calls)} />,
            },
            { head: words.seen, cell: ({ seenAt }) => <Time at={seenAt} /> },
          ]}
          rows={nodes}
          empty={words.none}
        />
        <p class="quiet before">
          {words.lead} {words.distrust} {words.today}
        </p>
        <div class="columns">
          {status && (
            <Section title={words.cursor}>
              <Facts
                rows={[
                  [words.cursor, <Count value={status.cursor.height} key="cursor" />],
                  [words.lag, words.blocks(status.cursor.blocksBehind)],
                  [words.moved, <Time at={new Date(status.cursor.movedAt)} key="moved" />],
                  ...status.warnings.map(warning => [words.warnings, warning] as const),
                ]}
              />
            </Section>
          )}
          {calls.size > 0 && (
            <Section title={words.byDay}>
              <CallsChart words={words} days={days} />
            </Section>
          )}
        </div>
      </>
    ),
  }
}

function CallsChart(props: { words: NodesWords; days: readonly { day: string; calls: bigint }[] }) {
  const { words, days } = props
  const total = days.reduce((sum, { calls }) => sum + calls, 0n)
  const most = days.reduce((a, { calls }) => (a > calls ? a : calls), 0n)
  return (
    <>
      <BarChart
        summary={words.summary(`${total}`)}
        series={[words.callsName]}
        top={<Count value={most} />}
        groups={days.map(({ day, calls }) => ({
          label: day,
          title: words.bar(day, `${calls}`),
          values: [calls],
        }))}
      />
      <details>
        <summary>{words.numbers}</summary>
        <Table
          caption={words.byDay}
          columns={[
            { head: words.day, cell: ({ day }) => day },
            { head: words.callsName, align: 'end', cell: ({ calls }) => <Count value={calls} /> },
          ]}
          rows={days.toReversed()}
          empty="–"
        />
      </details>
    </>
  )
}
