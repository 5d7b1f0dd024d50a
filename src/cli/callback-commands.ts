import { type Command, Option } from 'commander'
import { UsageError } from '../base/errors.ts'
import { formatUsdt, fromLegacyUnits } from '../base/money.ts'
import { readTime } from '../base/read-time.ts'
import { type CallbackState, callbackStates } from '../callbacks/outbox/callback.ts'
import { originOf } from '../callbacks/outbox/callback-store.ts'
import {
  type CallbacksWanted,
  type ListedCallback,
  listCallbacks,
} from '../callbacks/outbox/list-callbacks.ts'
import { resendInBulk } from '../callbacks/outbox/resend-in-bulk.ts'
import type { Author } from '../db/audit-store.ts'
import type { Pool } from '../db/pool.ts'
import { findMerchantId } from '../merchants/merchant-store.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'

interface Filter {
  appid?: string
  everyMerchant?: true
  from?: string
  to?: string
  state?: CallbackState
  origin?: string
  orderid?: string
  key?: string
  json?: true
}

export function addCallbackCommands(program: Command): void {
  const callbacks = program.command('callbacks').description('callbacks to merchants: list, resend')

  addFilter(callbacks.command('list'))
    .description('list callbacks, newest first')
    .addOption(new Option('--state <state>', 'only of this state').choices(callbackStates))
    .addOption(new Option('--limit <count>', 'the most to list, up to 10000').default('100'))
    .option('--json', 'print an object: total, callbacks')
    .action(async (filter: Filter & { limit: string }) => {
      const limit = readLimit(filter.limit)
      await withDatabase('command', async pool => {
        const { callbacks, total } = await listCallbacks(pool, await readFilter(pool, filter), limit)
        if (filter.json) {
          console.log(JSON.stringify({ total, callbacks: callbacks.map(asRow) }, null, 2))
          return
        }
        if (callbacks.length > 0) printTable(callbacks.map(asRow))
        console.log(
          callbacks.length === total ? `${total} in total` : `the newest ${callbacks.length} of ${total}`,
        )
      })
    })

  addAuthor(addFilter(callbacks.command('resend')))
    .description('send callbacks again now, with a new retry schedule')
    .addOption(
      new Option('--state <state>', 'callbacks in this state; delivered ones are sent once more')
        .choices(callbackStates.filter(state => state !== 'in_flight'))
        .makeOptionMandatory(),
    )
    .option('--every-merchant', 'instead of one --appid')
    .option('--dry-run', 'only print how many there are')
    .option('--json', 'print an object: matching, resent, skipped')
    .action(async (filter: Filter & AuthorOptions & { state: CallbackState; dryRun?: true }) => {
      if ((filter.appid === undefined) === (filter.everyMerchant === undefined))
        throw new UsageError('give one --appid, or --every-merchant')
      const author = authorFrom(filter)
      await withDatabase('command', pool => resend(pool, filter, author))
    })
}

async function resend(
  pool: Pool,
  filter: Filter & { state: CallbackState; dryRun?: true },
  author: Author,
): Promise<void> {
  const wanted = { ...(await readFilter(pool, filter)), state: filter.state }
  const say = (result: object, sentence: string) =>
    console.log(filter.json ? JSON.stringify(result) : sentence)
  if (filter.dryRun) {
    const { total } = await listCallbacks(pool, wanted, 0)
    say({ matching: total, resent: 0, skipped: 0 }, `${total} would be sent again`)
    return
  }
  const { matching, resent, skipped } = await resendInBulk(pool, wanted, {
    ...author,
    appid: filter.appid ?? null,
    onBatch: reportProgress(),
  })
  say(
    { matching, resent, skipped },
    `${resent} of ${matching} are due now${skipped > 0 ? `; ${skipped} had changed state meanwhile` : ''}`,
  )
}

/** Progress goes to standard error: programs read standard output. */
const progressEveryMs = 1_000

function reportProgress() {
  let saidAt = performance.now()
  return (moved: { resent: number; skipped: number }, matching: number) => {
    if (performance.now() - saidAt < progressEveryMs) return
    saidAt = performance.now()
    console.error(`${moved.resent + moved.skipped} of ${matching}`)
  }
}

function addFilter(command: Command): Command {
  return command
    .option('--appid <appid>', 'of one merchant')
    .option('--from <time>', 'announced at or after: 2026-11-22, 2026-11-22T10:30Z, Unix seconds')
    .option('--to <time>', 'announced before')
    .option('--origin <origin>', 'sent to this scheme, host and port: https://shop.example:443')
    .option('--orderid <orderid>', 'of the order to which the merchant gave this id')
    .option('--key <key>', 'the one with this key: callback_id, or deposit_id of a deposit')
}

async function readFilter(pool: Pool, filter: Filter): Promise<CallbacksWanted> {
  const { appid, state, from, to, origin, orderid, key } = filter
  const wanted = {
    merchantId: appid === undefined ? null : await findMerchantId(pool, appid),
    state: state ?? null,
    from: from === undefined ? null : readTime('--from', from),
    to: to === undefined ? null : readTime('--to', to),
    origin: origin === undefined ? null : readOrigin(origin),
    orderid: orderid ?? null,
    key: key ?? null,
  }
  if (appid !== undefined && wanted.merchantId === null)
    throw new UsageError(`no merchant has the appid "${appid}"`)
  if (wanted.from && wanted.to && wanted.from >= wanted.to)
    throw new UsageError('--from: must be before --to')
  return wanted
}

function readOrigin(text: string): string {
  const origin = originOf(text)
  // The lane of callbacks that have no URL.
  if (origin !== 'none' || text === 'none') return origin
  throw new UsageError(`--origin: scheme, host and port such as https://shop.example:443, got "${text}"`)
}

function readLimit(text: string): number {
  if (!/^[1-9]\d{0,3}$|^10000$/.test(text))
    throw new UsageError(`--limit: a whole number from 1 to 10000, got "${text}"`)
  return Number(text)
}

function asRow(callback: ListedCallback) {
  const { key, appid, orderid, state, attempts, lastStatus, origin } = callback
  const ended = callback.deliveredAt ?? callback.exhaustedAt
  return {
    key,
    appid,
    orderid,
    usdt: formatUsdt(fromLegacyUnits(callback.bodyAmount)),
    state,
    attempts,
    status: lastStatus,
    origin,
    announced: callback.createdAt.toISOString(),
    next: callback.dueAt?.toISOString() ?? null,
    ended: ended?.toISOString() ?? null,
  }
}
