import { type Command, Option } from 'commander'
import { type Config, readConfig } from '../base/config.ts'
import type { Cell } from '../base/csv.ts'
import { UsageError } from '../base/errors.ts'
import { armFailpoints } from '../base/failpoint.ts'
import { type Export, exportQuery, exports } from '../db/export-queries.ts'
import { readPeriod } from '../db/local-days.ts'
import { createPool, type Pool } from '../db/pool.ts'
import { pagedStatementMs, readInPages } from '../db/read-in-pages.ts'
import { findMerchantId } from '../merchants/merchant-store.ts'
import { printCsv } from './print-csv.ts'

interface Asked {
  from: string
  to: string
  zone: string
  merchant?: string
  bom?: true
}

const times: Record<Export, string> = {
  transfers: 'paid, by the time of their block',
  orders: 'created',
  callbacks: 'announced',
  audit: 'done',
}

export function addExportCommands(program: Command): void {
  const group = program.command('export').description('print records of a period as CSV, for bookkeeping')
  for (const what of exports) {
    group
      .command(what)
      .description(`${what === 'audit' ? 'audit events' : what} of a period, in the order of time`)
      .requiredOption('--from <day>', `${times[what]} at or after: 2026-11-01, or a time`)
      .requiredOption('--to <day>', 'before: 2026-12-01, so that the last day is November 30')
      .addOption(
        new Option('--zone <zone>', 'whose days these are, and whose times are printed').default('UTC'),
      )
      .option('--merchant <appid>', 'of one merchant')
      .option('--csv', 'the format; there is no other')
      .option('--bom', 'begin with a byte order mark: Excel shows Chinese rightly then')
      .action((asked: Asked) => withExportPool(pool => printExport(pool, what, asked)))
  }
}

async function printExport(pool: Pool, what: Export, { merchant, zone, bom, ...days }: Asked): Promise<void> {
  const { from, to } = await readPeriod(pool, { ...days, zone })
  if (merchant !== undefined && (await findMerchantId(pool, merchant)) === null)
    throw new UsageError(`no merchant has the appid "${merchant}"`)
  const { columns, query } = exportQuery(what)
  const pages = readInPages(pool, query, [from, to, zone, merchant ?? null])
  await printCsv(columns, pages as AsyncIterable<Cell[][]>, { bom })
}

/** Runs an export on a connection whose statements may take long. */
export async function withExportPool(work: (pool: Pool, config: Config) => Promise<void>): Promise<void> {
  const config = readConfig(process.env, 'command')
  armFailpoints(config.failpoints)
  const pool = createPool(config.databaseUrl, {
    max: 2,
    name: 'gateway export',
    statementTimeoutMs: pagedStatementMs,
  })
  try {
    await work(pool, config)
  } finally {
    await pool.end()
  }
}
