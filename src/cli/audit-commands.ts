import { type Command, Option } from 'commander'
import { isClean } from '../audit/audit-check.ts'
import { auditGateway } from '../audit/audit-gateway.ts'
import { UsageError } from '../base/errors.ts'
import { auditAsJson, auditAsText } from './audit-text.ts'
import { withDatabase } from './with-database.ts'

export function addAuditCommands(program: Command): void {
  program
    .command('audit')
    .description(
      'prove that credits equal transfers, orders their credits and callbacks what is to be announced; ends with 1 when not',
    )
    .option('--appid <appid>', 'one merchant; what belongs to none is looked at either way')
    .addOption(
      new Option(
        '--due-minutes <minutes>',
        'how long a callback may be due that no circuit and no disabled merchant holds back',
      ).default('15'),
    )
    .option('--json', 'print an object')
    .action(async (options: { appid?: string; dueMinutes: string; json?: true }) => {
      const scope = { appid: options.appid ?? null, dueMaxS: readMinutes(options.dueMinutes) * 60 }
      await withDatabase('command', async pool => {
        const report = await auditGateway(pool, scope)
        console.log(options.json ? auditAsJson(report) : auditAsText(report))
        if (!isClean(report.checks)) process.exitCode = 1
      })
    })
}

function readMinutes(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new UsageError(`--due-minutes: whole minutes from 1 on, got "${text}"`)
  return Number.parseInt(text, 10)
}
