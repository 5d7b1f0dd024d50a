/** @jsxRuntime automatic @jsxImportSource preact */
import { productVersion } from '../../../base/version.ts'
import type { Kept } from '../parts/kept-readings.ts'
import { Facts, Table } from '../parts/list-parts.tsx'
import { Count, Time } from '../parts/value-parts.tsx'
import type { DatabaseFacts } from './system-store.ts'
import type { SystemWords } from './system-words.ts'

/** Sizes, and versions. */
export function Database(props: { words: SystemWords; kept: Kept<DatabaseFacts> | null }) {
  const { words, kept } = props
  if (!kept) return <div class="empty">{words.slow}</div>
  const { version, bytes, migration, tables } = kept.value
  return (
    <>
      <Facts
        rows={[
          [words.size, sizeText(Number(bytes))],
          [words.postgres, version],
          [words.migration, migration],
          [words.thisVersion, productVersion()],
          [words.node, process.version],
        ]}
      />
      <p class="quiet">
        {words.asOf} <Time at={kept.at} />
      </p>
      <Table
        caption={words.database}
        columns={[
          { head: words.table, cell: ({ name }) => <code>{name}</code> },
          { head: words.size, align: 'end', cell: table => sizeText(Number(table.bytes)) },
          { head: words.rows, align: 'end', cell: ({ rows }) => <Count value={Math.round(rows)} /> },
          {
            head: words.partitions,
            cell: ({ partitions }) =>
              partitions.length === 0 ? (
                '–'
              ) : (
                <details>
                  <summary>{partitions.length}</summary>
                  <ul class="steps">
                    {partitions.map(one => (
                      <li key={one.name}>
                        <code>{one.name}</code> {sizeText(one.bytes)}
                      </li>
                    ))}
                  </ul>
                </details>
              ),
          },
        ]}
        rows={tables}
        empty="–"
      />
    </>
  )
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** 5 MB, 1.2 GB. */
export function sizeText(bytes: number): string {
  let size = bytes
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit > 0 && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`
}
