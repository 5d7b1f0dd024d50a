import type { Command } from 'commander'
import { acknowledgeContractEvent } from '../transfers/acknowledge-contract-event.ts'
import { type ContractEvent, listContractEvents } from '../transfers/contract-event-store.ts'
import { addDecision, type DecisionOptions, decisionFrom, readId } from './operator.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'

/** The most that are listed. */
const listMax = 1_000

export function addContractCommands(program: Command): void {
  const contract = program
    .command('contract')
    .description('events of the USDT contract that change what its transfers mean: list, acknowledge')

  contract
    .command('list')
    .description('list the events that nobody has acknowledged, newest first')
    .option('--all', 'list acknowledged ones too')
    .option('--json', 'print an array')
    .action(async (options: { all?: true; json?: true }) => {
      await withDatabase('command', async pool => {
        const found = (await listContractEvents(pool, { open: !options.all, pageMax: listMax })).map(rowOf)
        if (options.json) console.log(JSON.stringify(found, null, 2))
        else if (found.length > 0) printTable(found)
        else console.log(options.all ? 'there was no event' : 'every event is acknowledged')
      })
    })

  addDecision(contract, 'acknowledge')
    .description(
      'say that a person has looked at an event; when none is left, the alarm `contract` is cleared',
    )
    .option('--earlier-too', 'and all events listed before it')
    .action(async (id: string, options: DecisionOptions & { earlierToo?: true }) => {
      const asked = { id: readId(id), earlierToo: options.earlierToo === true, ...decisionFrom(options) }
      await withDatabase('command', async pool => {
        const events = await acknowledgeContractEvent(pool, asked)
        console.log(
          events.length === 0 ? `event ${id} is acknowledged already` : `${events.length} acknowledged`,
        )
      })
    })
}

function rowOf({ id, event, height, time, txid, logIndex, acknowledgedAt, acknowledgedBy }: ContractEvent) {
  return {
    ...{ id: `${id}`, event, block: height, time: time.toISOString(), txid, logIndex },
    ...(acknowledgedAt && { acknowledged: acknowledgedAt.toISOString(), by: acknowledgedBy }),
  }
}
