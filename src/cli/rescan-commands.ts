import type { Command } from 'commander'
import type { Config } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { readRules } from '../credits/credit-rules.ts'
import { type Rescanned, rescan } from '../credits/rescan.ts'
import type { Author } from '../db/audit-store.ts'
import { withJob } from '../db/job-store.ts'
import type { Pool } from '../db/pool.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'
import { withDatabase } from './with-database.ts'
import { withNodes } from './with-nodes.ts'

export function addRescanCommands(program: Command): void {
  addAuthor(program.command('rescan'))
    .description(
      'read solidified blocks again from TRON_NODES, credit missing transfers and rejected ones that a second node confirms; safe at any time',
    )
    .requiredOption('--from <height>', 'first block')
    .requiredOption('--to <height>', 'last block, at most the cursor')
    .action(async (options: AuthorOptions & { from: string; to: string }) => {
      const range = { from: readHeight('--from', options.from), to: readHeight('--to', options.to) }
      const author = authorFrom(options)
      await withDatabase('rescan', (pool, config) => runRescan(pool, config, range, author))
    })
}

async function runRescan(
  pool: Pool,
  config: Config,
  range: { from: number; to: number },
  author: Author,
): Promise<void> {
  const rules = await readRules(pool, config.creditQuorumAmount)
  const say = sayProgress(range.from)
  const subject = `blocks ${range.from} to ${range.to}`
  const done = await withJob(pool, { kind: 'rescan', subject, by: author.actor }, report =>
    withNodes(config, rules, (nodes, proving) =>
      rescan(
        pool,
        proving,
        nodes,
        range,
        now => {
          report(now.blocks, range.to - range.from + 1)
          say(now, range.to)
        },
        author,
      ),
    ),
  )
  console.log(rescannedText(range, done))
}

/** Prints progress every few seconds. @param from the first block. @returns a function to be called with what is done. */
export function sayProgress(from: number): (done: Rescanned, to: number) => void {
  let saidAt = performance.now()
  const startedAt = saidAt
  return (done, to) => {
    const now = performance.now()
    if (now - saidAt < progressMs) return
    saidAt = now
    const blocks = to - from + 1
    const perSecond = done.blocks / ((now - startedAt) / 1000)
    const leftS = Math.ceil((blocks - done.blocks) / perSecond)
    console.error(`${asText(done)} (of ${blocks}, ${perSecond.toFixed(0)} blocks/s, ${leftS} s left)`)
  }
}

/** How often a line of progress is printed. */
const progressMs = 5_000

/** Describes the result of a rescan in one line. */
export function rescannedText({ from, to }: { from: number; to: number }, done: Rescanned): string {
  return `rescanned ${from} to ${to}: ${asText(done)}`
}

/** Reads a block's height. @throws UsageError naming the option. */
export function readHeight(option: string, text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new UsageError(`${option}: a block height from 1, got "${text}"`)
  return Number.parseInt(text, 10)
}

function asText({
  blocks,
  recorded,
  takenUp,
  credited,
  quarantined,
  unproved,
  parked = [],
}: Rescanned): string {
  const rejected = takenUp > 0 ? `, ${takenUp} rejected ones are confirmed and taken up` : ''
  const stuck = quarantined > 0 ? `, ${quarantined} quarantined (gateway quarantine list)` : ''
  const waits = unproved ? `, ${unproved} wait for proof (gateway held list)` : ''
  const unread =
    parked.length > 0
      ? `, ${parked.length} still parked and left out (${parked.slice(0, 10).join(', ')}${parked.length > 10 ? ', ...' : ''})`
      : ''
  return `${blocks} blocks, ${recorded} transfers were missing${rejected}, ${credited} credits written${waits}${stuck}${unread}`
}
