/** @jsxRuntime automatic @jsxImportSource preact */

import { Facts } from '../parts/list-parts.tsx'
import { Count, durationText, Time } from '../parts/value-parts.tsx'
import { type Deliveries, deliveriesMax } from './overview-store.ts'
import type { OverviewWords } from './overview-words.ts'

/** How the last callbacks fared. */
export function DeliveryFacts(props: { words: OverviewWords; value: Deliveries }) {
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

/** The share of callbacks that were acknowledged; null: there were none. */
export function shareOf({ callbacks, delivered }: Deliveries): string | null {
  return callbacks === 0 ? null : percent(delivered, callbacks)
}

/** Down to a tenth, never up: 999 of 1000 is not all. */
function percent(n: number, of: number): string {
  return `${(Math.floor((n * 1000) / of) / 10).toFixed(1)} %`
}

export function tookText(ms: number | null): string {
  return ms === null ? '–' : durationText(ms)
}
