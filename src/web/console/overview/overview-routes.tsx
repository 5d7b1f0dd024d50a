/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { orderStates } from '../../../orders/order.ts'
import { nodeStateText } from '../nodes/node-state.ts'
import { commonWords } from '../parts/common-words.ts'
import { type Kept, type KeptReadings, keepReadings } from '../parts/kept-readings.ts'
import { Section, Table } from '../parts/list-parts.tsx'
import { orderStateWords } from '../parts/order-state.tsx'
import { href, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Count, durationText, State, Time } from '../parts/value-parts.tsx'
import { DeliveryFacts, shareOf, tookText } from './delivery-facts.tsx'
import { MoneyChart } from './money-chart.tsx'
import { announcedOf, lastDays, sumOf } from './money-days.ts'
import type { Need } from './overview-needs.ts'
import { type OverviewWords, overviewWords } from './overview-words.ts'
import { readOverview } from './read-overview.ts'

/** The page that people see first. What is not cheap to read is kept for some seconds, in each process. */
export function overviewRoutes(kept: KeptReadings = keepReadings()): readonly ConsoleRoute[] {
  return [{ method: 'GET', path: '/', who: 'signed in', handle: page => showOverview(page, kept) }]
}

async function showOverview(page: Page, kept: KeptReadings): Promise<Answer> {
  const words = wordsOf(page, overviewWords)
  if (page.role === null) return showNoMerchant(page)
  const facts = await readOverview(page, kept)
  const { states } = wordsOf(page, orderStateWords)
  const { money, orders, deliveries, status } = facts
  const days = money && lastDays(money.value, page.now)
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
          <span class="quiet">{page.merchant?.name ?? commonWords(page).allMerchants}</span>
        </div>
        <Needs words={words} needs={facts.needs} />
        <dl class="figures">
          <Figure name={words.receivedToday}>{days && <Amount units={days.at(-1)!.received} />}</Figure>
          <Figure name={words.announcedToday}>{days && <Amount units={announcedOf(days.at(-1)!)} />}</Figure>
          <Figure name={words.receivedAll}>{days && <Amount units={sumOf(days).received} />}</Figure>
          <Figure name={words.acknowledged}>{deliveries && shareOf(deliveries.value)}</Figure>
          <Figure name={words.p95}>{deliveries && tookText(deliveries.value.p95Ms)}</Figure>
          <Figure name={words.oldestDue}>
            {facts.owed && <DueFor page={page} words={words} at={facts.owed.oldestDueAt} />}
          </Figure>
          {facts.isGateway && (
            <Figure name={words.lag}>
              {status && (status.value ? words.blocks(status.value.cursor.blocksBehind) : words.notStarted)}
            </Figure>
          )}
        </dl>
        <Section title={words.chart}>
          <AsOf words={words} kept={money} />
          {days ? <MoneyChart words={words} days={days} /> : <Slow words={words} />}
        </Section>
        <div class="columns">
          <Section title={words.orders}>
            <AsOf words={words} kept={orders} />
            {orders ? (
              <Table
                caption={words.orders}
                columns={[
                  {
                    head: words.state,
                    cell: ({ state }) => <a href={href(page, '/orders', { state })}>{states[state]}</a>,
                  },
                  { head: words.count, align: 'end', cell: ({ count }) => <Count value={count} /> },
                ]}
                rows={orderStates
                  .map(state => ({ state, count: orders.value[state] }))
                  .filter((_, __, all) => all.some(({ count }) => count > 0))}
                empty={words.noOrders}
              />
            ) : (
              <Slow words={words} />
            )}
          </Section>
          <Section title={words.deliveries}>
            <AsOf words={words} kept={deliveries} />
            {deliveries ? <DeliveryFacts words={words} value={deliveries.value} /> : <Slow words={words} />}
          </Section>
          {facts.isGateway && (
            <Section title={words.nodesTitle}>
              <AsOf words={words} kept={status} />
              {status ? (
                <Table
                  caption={words.nodesTitle}
                  columns={[
                    {
                      head: words.node,
                      cell: ({ node, state }) => (
                        <State tone={state === 'ok' ? 'green' : 'amber'}>
                          <a href={href(page, '/nodes')}>{node}</a>
                        </State>
                      ),
                    },
                    {
                      head: words.height,
                      align: 'end',
                      cell: ({ solidHeight }) => (solidHeight === null ? '–' : <Count value={solidHeight} />),
                    },
                    {
                      head: words.state,
                      cell: ({ state }) => nodeStateText(page, state),
                    },
                  ]}
                  rows={status.value?.nodes ?? []}
                  empty={words.notStarted}
                />
              ) : (
                <Slow words={words} />
              )}
            </Section>
          )}
        </div>
      </>
    ),
  }
}

/** Who is a member of nothing can do nothing here yet. */
function showNoMerchant(page: Page): Answer {
  const { problems } = commonWords(page)
  return {
    title: problems.missingMerchant,
    body: (
      <section class="card">
        <h1>{problems.missingMerchant}</h1>
        <p>{problems.missingMerchantText}</p>
      </section>
    ),
  }
}

function Needs(props: { words: OverviewWords; needs: readonly Need[] }) {
  const { words, needs } = props
  return (
    <Section title={words.needs} id="needs">
      {needs.length === 0 ? (
        <State tone="green">{words.nothing}</State>
      ) : (
        <ul class="needs">
          {needs.map(({ tone, text, link }) => (
            <li key={text}>
              <State tone={tone}>
                <a href={link}>{text}</a>
              </State>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

function Figure(props: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children ?? '–'}</dd>
    </div>
  )
}

function DueFor(props: { page: Page; words: OverviewWords; at: Date | null }) {
  const { page, words, at } = props
  if (!at) return <>{words.noneDue}</>
  return (
    <a href={href(page, '/callbacks', { list: 'due' })}>
      {durationText(Math.max(0, page.now.getTime() - at.getTime()))}
    </a>
  )
}

function AsOf(props: { words: OverviewWords; kept: Kept<unknown> | null }) {
  if (!props.kept) return null
  return (
    <p class="quiet as-of">
      {props.words.asOf} <Time at={props.kept.at} />
    </p>
  )
}

function Slow(props: { words: OverviewWords }) {
  return <div class="empty">{props.words.slow}</div>
}
