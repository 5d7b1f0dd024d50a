import type { Command } from 'commander'
import { UsageError } from '../base/errors.ts'
import { readRules } from '../credits/credit-rules.ts'
import { type Retried, retryQuarantined } from '../credits/retry-quarantined.ts'
import type { Pool } from '../db/pool.ts'
import { listQuarantined, type Quarantined } from '../transfers/quarantine-store.ts'
import { withDatabase } from './with-database.ts'

/** The most that are listed or retried at once. */
const parkedMax = 1_000

export function addQuarantineCommands(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('logs and transfers that could not be decoded or credited: list, retry')

  quarantine
    .command('list')
    .description('list what is quarantined, oldest first')
    .option('--json', 'print an array that includes the logs')
    .action(async (options: { json?: true }) => {
      await withDatabase('command', async pool => {
        const parked = await listQuarantined(pool, parkedMax)
        if (options.json) console.log(JSON.stringify(parked.map(asJson), null, 2))
        else if (parked.length === 0) console.log('nothing is quarantined')
        else console.table(parked.map(asRow))
      })
    })

  quarantine
    .command('retry')
    .description('try again to decode or credit what is quarantined, and print the result')
    .argument('[id]', 'as printed by list')
    .option('--all', 'retry everything')
    .action(async (id: string | undefined, options: { all?: true }) => {
      if ((id === undefined) === (options.all === undefined)) throw new UsageError('give an id, or --all')
      await withDatabase('command', async (pool, config) => {
        const rules = await readRules(pool, config.creditQuorumAmount)
        for (const one of id === undefined ? await allIds(pool) : [readId(id)]) {
          console.log(asText(await retryQuarantined(pool, rules, one)))
        }
      })
    })
}

async function allIds(pool: Pool): Promise<bigint[]> {
  return (await listQuarantined(pool, parkedMax)).map(({ id }) => id)
}

function readId(text: string): bigint {
  if (!/^\d{1,18}$/.test(text))
    throw new UsageError(`"${text}" is not an id: a whole number, as printed by list`)
  return BigInt(text)
}

function asText({ id, became, reason, rescanHeight: height }: Retried): string {
  const rescan = height === undefined ? '' : `: gateway rescan --from ${height} --to ${height}`
  return `${id}: ${became}${reason === null ? '' : `: ${reason}`}${rescan}`
}

function asRow({ id, height, txid, logIndex, transferId, reason, createdAt }: Quarantined) {
  const what = transferId === null ? 'log' : 'transfer'
  return { id: `${id}`, what, block: height, txid, logIndex, reason, since: createdAt.toISOString() }
}

function asJson({ log, ...parked }: Quarantined) {
  return { ...asRow({ log, ...parked }), log }
}
