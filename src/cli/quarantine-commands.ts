import type { Command } from 'commander'
import { UsageError } from '../base/errors.ts'
import { readRules } from '../credits/credit-rules.ts'
import { rejectQuarantined, reopenQuarantined } from '../credits/decide-quarantined.ts'
import { type ListedRejection, listRejectedQuarantined } from '../credits/list-waiting.ts'
import { type Retried, retryQuarantined } from '../credits/retry-quarantined.ts'
import { firstPage } from '../db/id-page.ts'
import type { Pool } from '../db/pool.ts'
import { listQuarantined, type Quarantined } from '../transfers/quarantine-store.ts'
import { listMax, readIdPage } from './id-page-options.ts'
import {
  type AuthorOptions,
  addAuthor,
  addDecision,
  authorFrom,
  type DecisionOptions,
  decidedText,
  decisionFrom,
  readId,
} from './operator.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'
import { proofRulesOf } from './with-nodes.ts'

export function addQuarantineCommands(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('logs and transfers that could not be decoded or credited: list, retry, reject, reopen')

  quarantine
    .command('list')
    .description('list what is quarantined, oldest first')
    .option('--rejected', 'list what was rejected, and why')
    .option('--appid <appid>', 'transfers of one merchant')
    .option('--json', 'print an array that includes the logs')
    .action(async (options: { rejected?: true; appid?: string; json?: true }) => {
      await withDatabase('command', async pool => {
        const page = await readIdPage(pool, options)
        const parked = options.rejected
          ? (await listRejectedQuarantined(pool, page)).map(rejectedRow)
          : (await listQuarantined(pool, page)).map(parkedRow)
        if (options.json) console.log(JSON.stringify(parked, null, 2))
        else if (parked.length > 0) printTable(parked.map(({ log, ...row }) => row))
        else console.log(options.rejected ? 'nothing is rejected' : 'nothing is quarantined')
      })
    })

  addAuthor(quarantine.command('retry'))
    .description('try again to decode or credit what is quarantined, and print the result')
    .argument('[id]', 'as printed by list')
    .option('--all', 'retry everything')
    .action(async (id: string | undefined, options: AuthorOptions & { all?: true }) => {
      if ((id === undefined) === (options.all === undefined)) throw new UsageError('give an id, or --all')
      const author = authorFrom(options)
      await withDatabase('command', async (pool, config) => {
        const read = await readRules(pool, config.creditQuorumAmount)
        const rules = { ...read, proof: proofRulesOf(config, read.network) }
        for (const one of id === undefined ? await allIds(pool) : [readId(id)]) {
          console.log(asText(await retryQuarantined(pool, rules, one, author)))
        }
      })
    })

  addDecision(quarantine, 'reject')
    .description('give up on something quarantined: it takes no money, and what waits behind it goes on')
    .action((id: string, options: DecisionOptions) => decide(rejectQuarantined, id, options, 'rejected'))

  addDecision(quarantine, 'reopen')
    .description('quarantine something rejected again; it can then be retried')
    .action((id: string, options: DecisionOptions) => decide(reopenQuarantined, id, options, 'reopened'))
}

async function decide(
  carryOut: typeof rejectQuarantined,
  id: string,
  options: DecisionOptions,
  done: string,
): Promise<void> {
  const [quarantineId, decision] = [readId(id), decisionFrom(options)]
  await withDatabase('command', async (pool, config) => {
    const rules = await readRules(pool, config.creditQuorumAmount)
    console.log(decidedText(`quarantine ${id}`, await carryOut(pool, rules, quarantineId, decision), done))
  })
}

async function allIds(pool: Pool): Promise<bigint[]> {
  return (await listQuarantined(pool, firstPage(listMax))).map(({ id }) => id)
}

function asText({ id, became, reason, rescanHeight: height }: Retried): string {
  const rescan = height === undefined ? '' : `: gateway rescan --from ${height} --to ${height}`
  return `${id}: ${became}${reason === null ? '' : `: ${reason}`}${rescan}`
}

function parkedRow({ createdAt: since, reason, ...parked }: Quarantined) {
  return { ...rowOf(parked), reason, since: since.toISOString(), log: parked.log }
}

function rejectedRow({ since, reason, rejectedBy, ...parked }: ListedRejection) {
  return { ...rowOf(parked), reason, rejectedBy, since: since.toISOString(), log: parked.log }
}

function rowOf({
  id,
  height,
  txid,
  logIndex,
  transferId,
}: Pick<Quarantined, 'id' | 'height' | 'txid' | 'logIndex' | 'transferId'>) {
  const what = transferId === null ? 'log' : 'transfer'
  return { id: `${id}`, what, block: height, txid, logIndex }
}
