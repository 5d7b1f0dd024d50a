import type { Command } from 'commander'
import type { ConfigOf } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import { readCursor } from '../blocks/chain-store.ts'
import type { Pool } from '../db/pool.ts'
import { type Reconciled, reconcileAddresses } from '../transfers/reconcile-addresses.ts'
import {
  activeAddressesAfter,
  addressesAfter,
  findWatched,
  type WatchedAddress,
} from '../transfers/reconcile-store.ts'
import { parseTronAddress } from '../tron/address.ts'
import { createTokenBucket } from '../tron/node/token-bucket.ts'
import { createTronGridHistory } from '../tron/trongrid/trongrid-history.ts'
import { withDatabase } from './with-database.ts'

interface Asked {
  address?: string[]
  all?: true
  since?: string
}

const pageMax = 100
const requestsPerSecond = 3

export function addReconcileCommands(program: Command): void {
  program
    .command('reconcile')
    .description(
      "compare recorded transfers with TronGrid's history (RECONCILE_URL); exits with 1 when they differ",
    )
    .option('--address <address...>', 'these addresses')
    .option('--all', 'every address')
    .option(
      '--since <date>',
      'from this date on (2026-11-01); without --address or --all: addresses with orders or payments since',
    )
    .action(async (asked: Asked) => {
      if (asked.address ? asked.all : !asked.all && !asked.since) {
        throw new UsageError('give --address, --all or --since')
      }
      const since = readDate(asked.since)
      await withDatabase('reconcile', async (pool, config) => {
        const total = await reconcile(pool, config, asked, since)
        console.log(
          `${total.addresses} addresses compared, ${total.transfers} transfers, ${total.differences} differences`,
        )
        if (total.differences > 0) process.exitCode = 1
      })
    })
}

async function reconcile(
  pool: Pool,
  config: ConfigOf<'reconcile'>,
  asked: Asked,
  since: Date | undefined,
): Promise<Reconciled> {
  const cursor = await readCursor(pool)
  const usdtContract = cursor && parseTronAddress(cursor.usdtContract)
  if (!usdtContract) throw new UsageError('nothing is watched yet: run `gateway start watcher` first')
  const pace = createTokenBucket({ requestsPerSecond })
  const baseUrl = config.reconcileUrl
  const history = createTronGridHistory({ baseUrl, apiKey: config.trongridApiKey, usdtContract, pace })
  const log = createLog('warn', 'reconcile')
  const total: Reconciled = { addresses: 0, transfers: 0, differences: 0 }
  try {
    for await (const page of pagesOf(pool, asked, since)) {
      const done = await reconcileAddresses(pool, history, page, { since }, log)
      for (const what of ['addresses', 'transfers', 'differences'] as const) total[what] += done[what]
    }
    return total
  } finally {
    pace.close()
    await history.close()
  }
}

async function* pagesOf(
  pool: Pool,
  { address, all }: Asked,
  since: Date | undefined,
): AsyncGenerator<WatchedAddress[]> {
  if (address) {
    const found = await findWatched(pool, address)
    const unknown = address.filter(one => !found.some(watched => watched.address === one))
    if (unknown.length > 0)
      throw new UsageError(unknown.map(one => `${one} is not a deposit address of this gateway`))
    yield found
    return
  }
  for (let after = 0n; ; ) {
    const page =
      all || !since
        ? await addressesAfter(pool, after, pageMax)
        : await activeAddressesAfter(pool, after, pageMax, since)
    if (page.length === 0) return
    yield page
    after = page.at(-1)!.id
  }
}

function readDate(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const date = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text) || Number.isNaN(date.getTime())) {
    throw new UsageError(`--since: a date such as 2026-11-01 or 2026-11-01T12:00:00Z (UTC), got "${text}"`)
  }
  return date
}
