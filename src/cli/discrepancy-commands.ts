import type { Command } from 'commander'
import { UsageError } from '../base/errors.ts'
import { acknowledgeDiscrepancy } from '../transfers/acknowledge-discrepancy.ts'
import { type ListedDiscrepancy, listDiscrepancies } from '../transfers/discrepancy-store.ts'
import { addIdList } from './id-page-options.ts'
import { addDecision, type DecisionOptions, decisionFrom, readId } from './operator.ts'
import { withDatabase } from './with-database.ts'

export function addDiscrepancyCommands(program: Command): void {
  const discrepancies = program
    .command('discrepancies')
    .description('differences to second sources: list, acknowledge')

  addIdList(discrepancies, {
    description: 'list open discrepancies, oldest first',
    read: listDiscrepancies,
    row: discrepancyRow,
    none: 'there is no discrepancy',
  })

  addDecision(discrepancies, 'acknowledge')
    .description('say that you know of a discrepancy: it raises no alarm until it becomes another one')
    .action(async (text: string, options: DecisionOptions) => {
      const [id, decision] = [readId(text), decisionFrom(options)]
      await withDatabase('command', async pool => {
        const done = await acknowledgeDiscrepancy(pool, { id, ...decision })
        if (done === 'unknown') throw new UsageError(`there is no discrepancy ${text}`)
        const said = { done: 'acknowledged', already: 'acknowledged already', resolved: 'resolved' }
        console.log(`discrepancy ${text} is ${said[done]}`)
      })
    })
}

function discrepancyRow({
  id,
  kind,
  subject,
  appid,
  detail,
  foundAt,
  lastSeenAt,
  ...rest
}: ListedDiscrepancy) {
  return {
    ...{ id: `${id}`, kind, subject, appid, detail: JSON.stringify(detail) },
    ...{ found: foundAt.toISOString(), seen: lastSeenAt.toISOString() },
    acknowledged: rest.acknowledgedBy && `${rest.acknowledgedBy}: ${rest.acknowledgedReason}`,
  }
}
