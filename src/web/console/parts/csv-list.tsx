/** @jsxRuntime automatic @jsxImportSource preact */
import { type Cell, csvTimes } from '../../../base/csv.ts'
import { commonWords } from './common-words.ts'
import { Choice } from './field-parts.tsx'
import { Submit } from './form-parts.tsx'
import { href, type Page, type QueryValues } from './page.ts'
import type { CsvAnswer } from './route.ts'
import { type Zone, zoneOf, zones } from './zones.ts'

/** A page of a list, and where the next one begins: null after the last. */
export interface ListPage<R, Place> {
  rows: readonly R[]
  next: Place | null
}

/** The columns of a file in their order, each with what is in it. */
export type FileColumns<R> = Readonly<Record<string, (row: R) => Cell>>

/** Rows that are read at once for a file. */
export const filePageMax = 1_000

/**
 * Reads a list to its end, page by page. Each page is a statement of its own, so that who takes a file slowly holds no connection.
 * @param read reads the page at a place; null: the first.
 */
export async function* rowsOfPages<R, Place>(
  read: (at: Place | null) => Promise<ListPage<R, Place>>,
): AsyncGenerator<R> {
  let at: Place | null = null
  do {
    const page: ListPage<R, Place> = await read(at)
    yield* page.rows
    at = page.next
  } while (at !== null)
}

/** Answers with a list to its end as a file. @param read as in `rowsOfPages`. */
export function fileOfList<R, Place>(
  csv: string,
  columns: FileColumns<R>,
  read: (at: Place | null) => Promise<ListPage<R, Place>>,
): CsvAnswer {
  const cells = Object.values(columns)
  async function* lines() {
    for await (const row of rowsOfPages(read)) yield cells.map(cell => cell(row))
  }
  return { csv, header: Object.keys(columns), rows: lines() }
}

/** The two columns of a time, in a zone and in UTC, as `gateway export` writes them. */
export function timeColumns<R>(name: string, zone: Zone, at: (row: R) => Date | null): FileColumns<R> {
  const times = (row: R) => csvTimes(at(row), zone)
  return { [`${name}_local`]: row => times(row).local, [`${name}_utc`]: row => times(row).utc }
}

/** Chooses the zone of a file's local times, and downloads it. @param query what the list is filtered by. */
export function FileForm(props: { page: Page; path: string; query?: QueryValues }) {
  const { page, path, query } = props
  const words = commonWords(page)
  const [action, search] = href(page, path, query).split('?')
  return (
    <form method="get" action={action} class="filters">
      {[...new URLSearchParams(search)].map(([name, value]) => (
        <input type="hidden" name={name} value={value} key={name} />
      ))}
      <Choice
        {...{ form: 'file', name: 'zone', label: words.zone, value: zoneOf('', page.locale) }}
        options={zones.map(zone => [zone, zone] as const)}
      />
      <div class="actions">
        <Submit plain>{words.csv}</Submit>
      </div>
    </form>
  )
}
