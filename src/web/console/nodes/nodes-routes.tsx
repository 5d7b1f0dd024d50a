/** @jsxRuntime automatic @jsxImportSource preact */
import { callsByDay, readNodes } from '../../../blocks/node-store.ts'
import { type GatewayStatus, readStatus } from '../../../credits/read-status.ts'
import { BarChart } from '../parts/chart.tsx'
import { Facts, Section, Table } from '../parts/list-parts.tsx'
import { href, type Page, wordsOf } from '../parts/page.ts'
import { PartOf, readPart, valueIn } from '../parts/read-part.tsx'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { statusWarning } from '../parts/status-warnings.ts'
import { Count, State, Time, WithCode } from '../parts/value-parts.tsx'
import { nodeStateText, nodeStateTone } from './node-state.ts'
import { type NodesWords, nodesWords } from './nodes-words.ts'

export const nodesRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/nodes', who: 'admin', handle: showNodes },
]

const dayMs = 86_400_000
const daysShown = 14
/** A leading watcher writes its nodes every ten seconds. What is older than this may be otherwise now. */
const freshMs = 60_000

async function showNodes(page: Page): Promise<Answer> {
  const words = wordsOf(page, nodesWords)
  const { reads } = page.context
  const first = new Date(page.now.getTime() - (daysShown - 1) * dayMs)
  const [nodes, status, calls] = await Promise.all([
    readPart(page, () => readNodes(reads)),
    readPart(page, () => readStatus(reads, page.now, 0)),
    readPart(page, () => callsByDay(reads, first.toISOString().slice(0, 10))),
  ])
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <Warnings page={page} words={words} status={valueIn(status)} />
        <PartOf page={page} part={nodes}>
          {found => <Nodes page={page} words={words} nodes={found} />}
        </PartOf>
        <p class="quiet before">
          {words.lead} {words.distrust} {words.today}
        </p>
        <div class="columns">
          <PartOf page={page} part={status}>
            {found =>
              found && (
                <Section title={words.cursor}>
                  <Facts
                    rows={[
                      [words.cursorHeight, <Count value={found.cursor.height} key="cursor" />],
                      [words.lag, words.blocks(found.cursor.blocksBehind)],
                      [words.moved, <Time at={new Date(found.cursor.movedAt)} key="moved" />],
                    ]}
                  />
                </Section>
              )
            }
          </PartOf>
          <PartOf page={page} part={calls}>
            {found =>
              found.size > 0 && (
                <Section title={words.byDay}>
                  <CallsChart
                    words={words}
                    days={Array.from({ length: daysShown }, (_, i) => {
                      const day = new Date(first.getTime() + i * dayMs).toISOString().slice(0, 10)
                      return { day, calls: found.get(day) ?? 0n }
                    })}
                  />
                </Section>
              )
            }
          </PartOf>
        </div>
      </>
    ),
  }
}

/** What has to be known before the nodes are looked at. That none is there, their table says. */
function Warnings(props: { page: Page; words: NodesWords; status: GatewayStatus | null }) {
  const { page, words, status } = props
  const warnings = (status?.warnings ?? []).filter(({ kind }) => kind !== 'unreported')
  return (
    <>
      {warnings.map(({ kind }) => (
        <p class="problem" key={kind}>
          {statusWarning(page, kind, status!.reportedAt)}
          {kind === 'silent' && (
            <>
              {' '}
              <a href={`${href(page, '/system')}#processes`}>{words.whatRuns}</a>
            </>
          )}
        </p>
      ))}
    </>
  )
}

function Nodes(props: { page: Page; words: NodesWords; nodes: Awaited<ReturnType<typeof readNodes>> }) {
  const { page, words, nodes } = props
  const highest = Math.max(0, ...nodes.map(({ solidHeight }) => solidHeight ?? 0))
  const isOld = ({ seenAt }: { seenAt: Date }) => page.now.getTime() - seenAt.getTime() > freshMs
  return (
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
          cell: node => (
            <>
              <State tone={isOld(node) ? 'grey' : nodeStateTone(node.state)}>
                {isOld(node)
                  ? words.asReported(nodeStateText(page, node.state))
                  : nodeStateText(page, node.state)}
              </State>
              {node.why && (
                <div class="quiet" lang="en">
                  {node.why}
                </div>
              )}
              {node.until && (
                <div class="quiet">
                  {words.until} <Time at={node.until} />
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
          cell: node => (node.quota === null ? '–' : <Count value={Math.max(0, node.quota - node.calls)} />),
        },
        { head: words.seen, cell: ({ seenAt }) => <Time at={seenAt} /> },
      ]}
      rows={nodes}
      empty={<WithCode text={words.none} />}
    />
  )
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
