/** @jsxRuntime automatic @jsxImportSource preact */
import { formatUsdt } from '../../../base/money.ts'
import type { MoneyDay } from '../../../credits/money-day-store.ts'
import { BarChart } from '../parts/chart.tsx'
import { Table } from '../parts/list-parts.tsx'
import { Amount, Count } from '../parts/value-parts.tsx'
import { announcedOf, sumOf } from './money-days.ts'
import type { OverviewWords } from './overview-words.ts'

/** What was received and announced by day, drawn and as numbers. */
export function MoneyChart(props: { words: OverviewWords; days: readonly MoneyDay[] }) {
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
