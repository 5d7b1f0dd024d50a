import type { ComponentChildren } from 'preact'
import type { Cell } from '../../../base/csv.ts'
import type { Permission } from '../../../people/permission.ts'
import type { Page } from './page.ts'

/**
 * Who may use a route. `anyone`: also who has not signed in. `half`: also whose second factor is still missing. `signed in`: each
 * person, for what is their own. A permission: who has it for the merchant that the page is about; for `admin`, the gateway's admins.
 */
export type Who = 'anyone' | 'half' | 'signed in' | Permission

/** One route of the console. A test walks all of them as every role. */
export interface ConsoleRoute {
  method: 'GET' | 'POST'
  /** After `/console`: '/orders/:ordersn'. */
  path: string
  who: Who
  /** The second factor is asked for again when it was not given within the last minutes. */
  confirm?: true
  /** Of the form, in bytes. Usually 16 KiB. */
  bodyLimit?: number
  handle: (page: Page) => Promise<Answer>
}

/** What a route answers with. */
export type Answer =
  | ShownPage
  | { goTo: string }
  | CsvAnswer
  | { json: unknown; status?: number }
  | { bytes: Buffer; type: string }

export interface ShownPage {
  title: string
  body: ComponentChildren
  /** 200 unless said. */
  status?: number
  /** Said above the page, to screen readers too. */
  notice?: string | undefined
  /** Said above the page: what was asked for was not done. */
  problem?: string | undefined
  /** null: none, as before somebody has signed in. */
  nav?: null
}

/** A file of lines, streamed. */
export interface CsvAnswer {
  /** 'orders.csv' */
  csv: string
  header: readonly string[]
  rows: AsyncIterable<readonly Cell[]>
}
