/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { commonWords } from './common-words.ts'
import type { Page } from './page.ts'

export interface Column<R> {
  head: string
  /** `end`: numbers, to the right. */
  align?: 'end'
  cell: (row: R) => ComponentChildren
}

/** A table, which becomes cards on a phone. Without rows, `empty` says what to do next. */
export function Table<R>(props: {
  caption: string
  columns: readonly Column<R>[]
  rows: readonly R[]
  empty: ComponentChildren
}) {
  if (props.rows.length === 0) return <div class="empty">{props.empty}</div>
  const classOf = (column: Column<R>) => (column.align === 'end' ? 'end' : undefined)
  return (
    <div class="table">
      <table>
        <caption class="unseen">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map(column => (
              <th scope="col" class={classOf(column)} key={column.head}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, i) => (
            <tr key={i}>
              {props.columns.map(column => (
                <td class={classOf(column)} data-head={column.head} key={column.head}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Links to the next page of a list and back to its first. `forward`: the list does not begin with what is newest. */
export function Pager(props: { page: Page; next: string | null; first: string | null; forward?: true }) {
  const words = commonWords(props.page)
  if (!props.next && !props.first) return null
  return (
    <p class="pager">
      {props.first && (
        <a class="button plain" href={props.first}>
          {props.forward ? words.beginning : words.newest}
        </a>
      )}
      {props.next && (
        <a class="button plain" rel="next" href={props.next}>
          {props.forward ? words.more : words.next}
        </a>
      )}
    </p>
  )
}

/** Facts about one thing: a name and a value on each line. */
export function Facts(props: { rows: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {props.rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** A part of a page with a heading. `wide`: over all columns. */
export function Section(props: { title: string; id?: string; children: ComponentChildren }) {
  return (
    <section class="card" id={props.id}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  )
}
