/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'

/** The values of one bar group, one for each series. */
export interface ChartGroup {
  label: string
  /** All of it in words, for who points at it. */
  title: string
  values: readonly bigint[]
}

const width = 720
const height = 160

/**
 * Draws groups of bars from zero up. The picture is for the eye: a table beside it has the same numbers, and `summary` says what it
 * shows. Its words stand around it, so that they keep their size on a phone.
 * @param top the highest value, in words.
 */
export function BarChart(props: {
  summary: string
  series: readonly string[]
  groups: readonly ChartGroup[]
  top: ComponentChildren
}) {
  const { summary, series, groups, top } = props
  const step = width / groups.length
  const wide = (step * 0.8) / series.length
  const heights = barHeights(groups)
  return (
    <figure class="chart">
      <figcaption class="legend">
        {series.map((name, i) => (
          <span class={`key series-${i}`} key={name}>
            {name}
          </span>
        ))}
      </figcaption>
      <p class="axis">{top}</p>
      <svg
        class="bars"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary}
      >
        {[0, 0.5, 1].map(part => (
          <line x1={0} x2={width} y1={part * height} y2={part * height} key={part} />
        ))}
        {groups.map((group, g) => (
          <g key={group.label}>
            <title>{group.title}</title>
            {/* So that pointing above a low bar names it, too. */}
            <rect class="ground" x={round(g * step)} y={0} width={round(step)} height={height} />
            {heights[g]!.map((tall, i) =>
              tall === 0 ? null : (
                <rect
                  class={i === 0 ? undefined : 'second'}
                  x={round(g * step + step * 0.1 + i * wide)}
                  y={round(height - tall)}
                  width={round(wide)}
                  height={round(tall)}
                  key={series[i]}
                />
              ),
            )}
          </g>
        ))}
      </svg>
      <p class="axis ends">
        <span>{groups[0]?.label}</span>
        <span>{groups.at(-1)?.label}</span>
      </p>
    </figure>
  )
}

/** Scales values to the drawing. What is not zero is seen. */
export function barHeights(groups: readonly Pick<ChartGroup, 'values'>[]): number[][] {
  const most = groups.flatMap(({ values }) => values).reduce((a, b) => (a > b ? a : b), 0n)
  const tall = (value: bigint) =>
    value <= 0n ? 0 : Math.max(1, (Number((value * 10_000n) / most) / 10_000) * height)
  return groups.map(({ values }) => values.map(tall))
}

function round(n: number): number {
  return Math.round(n * 10) / 10
}
