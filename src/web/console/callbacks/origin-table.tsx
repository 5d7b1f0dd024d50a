/** @jsxRuntime automatic @jsxImportSource preact */
import type { LaneId } from '../../../base/ids.ts'
import { readOwed } from '../overview/overview-store.ts'
import { Table } from '../parts/list-parts.tsx'
import { href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import { Count, durationText, State, Time, type Tone } from '../parts/value-parts.tsx'
import { callbacksWords } from './callbacks-words.ts'
import {
  type ConsoleOrigin,
  readCountedAttempts,
  readOrigins,
  sumAttempts,
  waitingMax,
} from './origin-store.ts'
import { type EndpointRates, ratesOf, ratesOfLanes } from './show-origins.ts'

const dayMs = 86_400_000

/** The origins of a page's scope, with how they answered within a day. */
export interface ShownOrigins {
  origins: ConsoleOrigin[]
  more: boolean
  byLane: ReadonlyMap<LaneId, EndpointRates>
  /** Of all, also those that are not shown. */
  rates: Pick<EndpointRates, 'attempts' | 'share'>
  failing: number
  oldestDueAt: Date | null
}

export async function readShownOrigins(page: Page): Promise<ShownOrigins> {
  const { reads } = page.context
  const scope = scopeOf(page)
  const { origins, more } = await readOrigins(reads, scope)
  const laneIds = origins.map(({ laneId }) => laneId)
  const since = new Date(page.now.getTime() - dayMs)
  const counted = laneIds.length === 0 ? [] : await readCountedAttempts(reads, laneIds, since)
  const byLane = ratesOfLanes(counted)
  if (more) {
    const { attempts, acknowledged } = await sumAttempts(reads, scope, since)
    const rates = { attempts, share: attempts === 0 ? null : acknowledged / attempts }
    const { failing, oldestDueAt } = await readOwed(reads, scope)
    return { origins, more, byLane, rates, failing, oldestDueAt }
  }
  const due = origins.flatMap(({ oldestDueAt }) =>
    oldestDueAt && oldestDueAt <= page.now ? [oldestDueAt] : [],
  )
  return {
    ...{ origins, more, byLane, rates: ratesOf(counted) },
    failing: origins.filter(isFailing).length,
    oldestDueAt: due.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null,
  }
}

/** As the overview counts them: one that fails, and for which something waits. */
function isFailing({ circuit, due }: ConsoleOrigin): boolean {
  return circuit === 'open' && due > 0
}

export function percentText(share: number | null): string {
  if (share === null) return '–'
  // Rounded down: what failed once is not 100 %.
  return `${(Math.floor(share * 1_000) / 10).toString()} %`
}

const tones: Record<ConsoleOrigin['circuit'], Tone> = { closed: 'green', open: 'red', recovering: 'amber' }

/** Codes of an origin that are listed. */
const codesMax = 4

export function OriginTable(props: { page: Page; shown: ShownOrigins }) {
  const { page, shown } = props
  const words = wordsOf(page, callbacksWords)
  const isOfAll = scopeOf(page) === null
  const ratesFor = (origin: ConsoleOrigin) => shown.byLane.get(origin.laneId)
  const withinText = (ms: number | null | undefined, attempts: number) =>
    attempts === 0 ? '–' : ms === null || ms === undefined ? words.longer : durationText(ms)
  return (
    <Table
      caption={words.origins}
      rows={shown.origins}
      empty={words.originsEmpty}
      columns={[
        {
          head: words.origin,
          cell: one => (
            <a href={href(page, '/callbacks', { list: 'due', origin: one.origin })}>{one.origin}</a>
          ),
        },
        ...(isOfAll ? [{ head: words.merchant, cell: (one: ConsoleOrigin) => one.appid }] : []),
        { head: words.circuit, cell: one => <Circuit page={page} origin={one} /> },
        { head: words.waiting, align: 'end', cell: one => <Capped count={one.due} /> },
        { head: words.oldest, cell: one => <Time at={one.oldestDueAt} /> },
        {
          head: words.inFlight,
          align: 'end',
          cell: one => (
            <>
              <Count value={one.inFlight} /> / <Count value={one.inFlightMax} />
            </>
          ),
        },
        { head: words.held, align: 'end', cell: one => <Capped count={one.held} /> },
        { head: words.success, align: 'end', cell: one => percentText(ratesFor(one)?.share ?? null) },
        {
          head: words.p95,
          align: 'end',
          cell: one => withinText(ratesFor(one)?.p95Ms, ratesFor(one)?.attempts ?? 0),
        },
        {
          head: words.codes,
          cell: one =>
            ratesFor(one)
              ?.codes.slice(0, codesMax)
              .map(({ outcome, status, attempts }) => `${status || outcome} × ${attempts}`)
              .join(', ') ?? '–',
        },
      ]}
    />
  )
}

function Circuit(props: { page: Page; origin: ConsoleOrigin }) {
  const { circuit, failures, openedAt, probeAt } = props.origin
  const words = wordsOf(props.page, callbacksWords)
  return (
    <>
      <State tone={tones[circuit]}>{words.circuits[circuit]}</State>
      {circuit === 'closed' && failures > 0 && <span class="quiet"> {words.failures(failures)}</span>}
      {circuit === 'open' && (
        <span class="quiet">
          {' '}
          {words.since} <Time at={openedAt} />, {words.nextProbe} <Time at={probeAt} />
        </span>
      )}
    </>
  )
}

function Capped(props: { count: number }) {
  return (
    <>
      <Count value={props.count} />
      {props.count >= waitingMax && '+'}
    </>
  )
}
