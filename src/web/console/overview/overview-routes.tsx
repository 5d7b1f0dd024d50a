/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { raisedAlarms } from '../../../alarms/alarm-store.ts'
import { hasLeader } from '../../../alarms/process-store.ts'
import { formatUsdt, fromLegacyUnits, legacy } from '../../../base/money.ts'
import { type MoneyDay, readMoneyDays } from '../../../credits/money-day-store.ts'
import { readStatus } from '../../../credits/read-status.ts'
import { rows } from '../../../db/pool.ts'
import { tookTooLong } from '../../../db/read-pool.ts'
import { orderStates } from '../../../orders/order.ts'
import { nodeStateText } from '../nodes/node-state.ts'
import { BarChart } from '../parts/chart.tsx'
import { commonWords } from '../parts/common-words.ts'
import { type Kept, type KeptReadings, keepReadings } from '../parts/kept-readings.ts'
import { can, href, type Page, scopeOf, viewerOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Count, durationText, Facts, Section, State, Table, Time } from '../parts/ui.tsx'
import { type Need, needsOf } from './overview-needs.ts'
import {
  countOrders,
  countWithoutFactor,
  type Deliveries,
  deliveriesMax,
  readDeliveries,
  readGatewayTroubles,
  readOwed,
  readWaitingMoney,
} from './overview-store.ts'
import { type OverviewWords, overviewWords } from './overview-words.ts'

/** The page that people see first. What is not cheap to read is kept for some seconds, in each process. */
export function overviewRoutes(kept: KeptReadings = keepReadings()): readonly ConsoleRoute[] {
  return [{ method: 'GET', path: '/', who: 'signed in', handle: page => showOverview(page, kept) }]
}

const dayMs = 86_400_000
const daysShown = 30

async function showOverview(page: Page, kept: KeptReadings): Promise<Answer> {
  const words = wordsOf(page, overviewWords)
  if (page.role === null) return showNoMerchant(page)
  const facts = await readAll(page, kept)
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
                    cell: ({ state }) => <a href={href(page, '/orders', { state })}>{words.states[state]}</a>,
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

/** Reads all parts at once. One that takes too long is null, and the page says so instead of waiting. */
async function readAll(page: Page, kept: KeptReadings) {
  const { reads } = page.context
  const merchantId = scopeOf(page)
  const isGateway = merchantId === null
  const scope = merchantId ?? 'all'
  const from = new Date(startOfDay(page.now) - (daysShown - 1) * dayMs)
  const keep = <T,>(name: string, work: () => Promise<T>) => kept.read(`${name} ${scope}`, work)
  const [money, orders, deliveries, waiting, status, owed, withoutFactor, disabled, gateway, alarms, leads] =
    await Promise.all([
      keep(`money ${from.getTime()}`, () => readMoneyDays(reads, merchantId, from)),
      keep('orders', () => countOrders(reads, merchantId)),
      keep('deliveries', () => readDeliveries(reads, merchantId)),
      keep('waiting', () => readWaitingMoney(reads, merchantId)),
      isGateway ? keep('status', () => readStatus(reads, new Date())) : null,
      inTime(readOwed(reads, merchantId)),
      can(page, 'people') ? inTime(countWithoutFactor(reads, merchantId)) : null,
      merchantId !== null && isDisabled(page, merchantId),
      isGateway ? inTime(readGatewayTroubles(reads)) : null,
      isGateway ? raisedAlarms(reads) : [],
      isGateway ? hasLeader(reads) : true,
    ])
  const { user } = viewerOf(page)
  const ownFactor = user.hasTotp || user.passkeys > 0
  // The viewer is told of their own.
  const isCounted = !ownFactor && withoutFactor !== null && withoutFactor > 0
  const needs = needsOf(page, wordsOf(page, overviewWords), {
    ...{ owed, ownFactor, disabled, gateway, alarms, leads },
    waiting: waiting?.value ?? null,
    status: status?.value ?? null,
    withoutFactor: isCounted ? withoutFactor - 1 : withoutFactor,
  })
  return { money, orders, deliveries, status, owed, isGateway, needs }
}

async function isDisabled(page: Page, merchantId: bigint): Promise<boolean> {
  const [found] = await rows<{ disabled: boolean }>(
    page.context.reads,
    `select disabled_at is not null as disabled from merchant where id = $1`,
    [merchantId],
  )
  return found?.disabled ?? false
}

function inTime<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch(error => {
    if (tookTooLong(error)) return null
    throw error
  })
}

function startOfDay(now: Date): number {
  return Math.floor(now.getTime() / dayMs) * dayMs
}

/** The last days up to today, empty ones included. */
export function lastDays(days: readonly MoneyDay[], now: Date): MoneyDay[] {
  const byDay = new Map(days.map(day => [day.day, day]))
  return Array.from({ length: daysShown }, (_, i) => {
    const day = new Date(startOfDay(now) - (daysShown - 1 - i) * dayMs).toISOString().slice(0, 10)
    const none = { transfers: 0n, received: 0n, callbacks: 0n, announced: legacy(0n) }
    return byDay.get(day) ?? ({ day, ...none } as MoneyDay)
  })
}

function announcedOf({ announced }: MoneyDay): bigint {
  return fromLegacyUnits(announced)
}

function sumOf(days: readonly MoneyDay[]) {
  const sum = (of: (day: MoneyDay) => bigint) => days.reduce((total, day) => total + of(day), 0n)
  return {
    transfers: sum(day => day.transfers),
    received: sum(day => day.received),
    callbacks: sum(day => day.callbacks),
    announced: sum(announcedOf),
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

function MoneyChart(props: { words: OverviewWords; days: readonly MoneyDay[] }) {
  const { words, days } = props
  const sum = sumOf(days)
  if (sum.transfers === 0n && sum.callbacks === 0n) return <div class="empty">{words.noMoney}</div>
  const most = days
    .flatMap(day => [day.received, announcedOf(day)])
    .reduce<bigint>((a, b) => (a > b ? a : b), 0n)
  return (
    <>
      <BarChart
        summary={words.summary(formatUsdt(sum.received), formatUsdt(sum.announced))}
        series={[words.received, words.announced]}
        top={<Amount units={most} />}
        groups={days.map(day => ({
          label: day.day,
          title: words.bar(day.day, formatUsdt(day.received), formatUsdt(announcedOf(day))),
          values: [day.received, announcedOf(day)],
        }))}
      />
      <p class="quiet">
        {words.days} {words.daysMore}
      </p>
      <details>
        <summary>{words.numbers}</summary>
        <Table
          caption={words.chart}
          columns={[
            { head: words.day, cell: ({ day }) => day },
            { head: words.received, align: 'end', cell: ({ received }) => <Amount units={received} /> },
            { head: words.announced, align: 'end', cell: ({ announced }) => <Amount units={announced} /> },
            { head: words.transfers, align: 'end', cell: ({ transfers }) => <Count value={transfers} /> },
            { head: words.callbacks, align: 'end', cell: ({ callbacks }) => <Count value={callbacks} /> },
          ]}
          rows={[
            { day: words.sum, ...sum },
            ...days.toReversed().map(day => ({ ...day, announced: announcedOf(day) })),
          ]}
          empty={words.noMoney}
        />
      </details>
    </>
  )
}

function DeliveryFacts(props: { words: OverviewWords; value: Deliveries }) {
  const { words, value } = props
  const { callbacks, since, delivered, atOnce, exhausted } = value
  if (callbacks === 0) return <div class="empty">{words.noCallbacks}</div>
  const part = (n: number) => (
    <>
      <Count value={n} /> <span class="quiet">{percent(n, callbacks)}</span>
    </>
  )
  return (
    <>
      <Facts
        rows={[
          [words.since, <Time at={since} key="since" />],
          [words.callbacks, <Count value={callbacks} key="callbacks" />],
          [words.atOnce, part(atOnce)],
          [words.laterOn, part(delivered - atOnce)],
          [words.owed, part(callbacks - delivered - exhausted)],
          [words.givenUp, part(exhausted)],
          [words.p50, tookText(value.p50Ms)],
          [words.p95, tookText(value.p95Ms)],
        ]}
      />
      <p class="quiet">{words.lastCallbacks(deliveriesMax)}</p>
    </>
  )
}

function shareOf({ callbacks, delivered }: Deliveries): string | null {
  return callbacks === 0 ? null : percent(delivered, callbacks)
}

/** Down to a tenth, never up: 999 of 1000 is not all. */
function percent(n: number, of: number): string {
  return `${(Math.floor((n * 1000) / of) / 10).toFixed(1)} %`
}

function tookText(ms: number | null): string {
  return ms === null ? '–' : durationText(ms)
}
