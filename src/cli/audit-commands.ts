import { type Command, Option } from 'commander'
import { isClean } from '../audit/audit-check.ts'
import { auditGateway } from '../audit/audit-gateway.ts'
import { UsageError } from '../base/errors.ts'
import { auditAsJson, auditAsText } from './audit-text.ts'
import { withDatabase } from './with-database.ts'

export function addAuditCommands(program: Command): void {
  program
    .command('audit')
    .description('compare every transfer, credit, order and callback; exits with 1 when they differ')
    .option('--appid <appid>', 'one merchant; what belongs to none is checked in any case')
    .addOption(
      new Option(
        '--due-minutes <minutes>',
        'report a callback that has been due longer, unless its circuit is open or its merchant disabled',
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
    throw new UsageError(`--due-minutes: a whole number of minutes from 1, got "${text}"`)
  return Number.parseInt(text, 10)
}
