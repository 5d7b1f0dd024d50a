import type { Command } from 'commander'
import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import type { IdPage } from '../db/id-page.ts'
import type { Pool, Queryable } from '../db/pool.ts'
import { findMerchantId } from '../merchants/merchant-store.ts'
import { readId } from './operator.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'

/** The most that are listed at once. */
export const listMax = 1_000

export interface PageOptions {
  appid?: string
  after?: string
  json?: true
}

/** Adds the options of a list that is read in pages. */
export function addIdPage(command: Command): Command {
  return command
    .option('--appid <appid>', 'of one merchant')
    .option('--after <id>', `what comes after it in the list, which has at most ${listMax} lines`)
    .option('--json', 'print an array')
}

/** Adds the command that lists a group's records, oldest first. @param list.none what is said when there are none. */
export function addIdList<R>(
  group: Command,
  list: {
    description: string
    read: (db: Queryable, page: IdPage) => Promise<R[]>
    row: (record: R) => { id: string }
    none: string
  },
): void {
  addIdPage(group.command('list'))
    .description(list.description)
    .action(async (options: PageOptions) => {
      await withDatabase('command', async pool => {
        const page = await list.read(pool, await readIdPage(pool, options))
        printPage(page.map(list.row), options, list.none)
      })
    })
}

/** Reads which page is asked for. @throws UsageError for an unknown merchant, or what is no id. */
export async function readIdPage(pool: Pool, { appid, after }: PageOptions): Promise<IdPage> {
  return {
    merchantId: await readMerchant(pool, appid),
    after: after === undefined ? null : readId(after),
    limit: listMax,
  }
}

/** @throws UsageError when no merchant has the appid. */
export async function readMerchant(db: Queryable, appid: string | undefined): Promise<MerchantId | null> {
  if (appid === undefined) return null
  const id = await findMerchantId(db, appid)
  if (id === null) throw new UsageError(`no merchant has the appid "${appid}"`)
  return id
}

/** Prints a page. @param none what is said when it is empty. */
export function printPage(rows: readonly { id: string }[], { json }: PageOptions, none: string): void {
  if (json) console.log(JSON.stringify(rows, null, 2))
  else if (rows.length > 0) printTable(rows)
  else console.log(none)
  if (rows.length === listMax) console.error(`there may be more: --after ${rows.at(-1)!.id}`)
}
