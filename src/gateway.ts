#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { UsageError } from './base/errors.ts'
import { errorInFull, messageOf } from './base/printable-error.ts'
import { productVersion } from './base/version.ts'
import { addAddressCommands } from './cli/address-commands.ts'
import { addAdminCommands } from './cli/admin-commands.ts'
import { addAuditCommands } from './cli/audit-commands.ts'
import { addCallbackCommands } from './cli/callback-commands.ts'
import { addChainCommands } from './cli/chain-commands.ts'
import { addContractCommands } from './cli/contract-commands.ts'
import { addDemoCommand } from './cli/demo-command.ts'
import { addDiscrepancyCommands } from './cli/discrepancy-commands.ts'
import { addDoctorCommand } from './cli/doctor-command.ts'
import { addExportCommands } from './cli/export-commands.ts'
import { addHeldCommands } from './cli/held-commands.ts'
import { hideArguments } from './cli/hide-arguments.ts'
import { addMarkCommands } from './cli/mark-commands.ts'
import { addMerchantCommands } from './cli/merchant-commands.ts'
import { addProcessCommands } from './cli/process-commands.ts'
import { addQuarantineCommands } from './cli/quarantine-commands.ts'
import { addReconcileCommands } from './cli/reconcile-commands.ts'
import { addRescanCommands } from './cli/rescan-commands.ts'
import { addResealCommand } from './cli/reseal-command.ts'
import { addRestoreCommands } from './cli/restore-commands.ts'
import { addSandboxCommands } from './cli/sandbox-commands.ts'
import { addSignCommand } from './cli/sign-command.ts'
import { addStatusCommand } from './cli/status-command.ts'
import { addUnclaimedCommands } from './cli/unclaimed-commands.ts'
import { saysNotMigrated } from './db/check-schema.ts'

// The command line. A mistake of the operator's (an argument, a setting) exits with 2, with all problems named at once. Any
// other failure exits with 1.
const program = new Command('gateway')
  .description('recharge-gateway: signed orders in, exact USDT (TRC-20) credits, signed callbacks out.')
  .version(productVersion(), '-V, --version', 'print the version')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText('after', '\nSettings come from the environment; .env.example lists them all.')
  .exitOverride()

addProcessCommands(program)
addStatusCommand(program)
addDoctorCommand(program)
addMerchantCommands(program)
addAddressCommands(program)
addAdminCommands(program)
addCallbackCommands(program)
addUnclaimedCommands(program)
addMarkCommands(program)
addHeldCommands(program)
addChainCommands(program)
addContractCommands(program)
addQuarantineCommands(program)
addRescanCommands(program)
addReconcileCommands(program)
addDiscrepancyCommands(program)
addAuditCommands(program)
addExportCommands(program)
addRestoreCommands(program)
addResealCommand(program)
addSignCommand(program)
addSandboxCommands(program)
addDemoCommand(program)
// A subcommand copies these settings only if it is created later; those of our groups exist by now.
overrideExits(program)

// Node prints an error that nobody caught with everything attached to it, which may be a command with a password.
process.on('uncaughtException', error => {
  console.error(errorInFull(error))
  process.exit(1)
})

try {
  await program.parseAsync()
} catch (error) {
  // Not by process.exitCode: an exit hook of a library (the embedded Postgres has one) would end the process with 0.
  process.exit(exitCodeOf(error))
}

function overrideExits(command: Command): void {
  command.configureOutput({ outputError: (text, write) => write(hideArguments(text, process.argv.slice(2))) })
  for (const sub of command.commands) {
    sub.exitOverride()
    overrideExits(sub)
  }
}

function exitCodeOf(error: unknown): number {
  // Commander has printed the message. A printed help or version is not an error.
  if (error instanceof CommanderError)
    return error.exitCode === 0 || error.code === 'commander.help' ? error.exitCode : 2
  if (error instanceof UsageError) {
    for (const problem of error.problems) printError(problem)
    return 2
  }
  if (error instanceof Error && process.env.LOG_LEVEL !== 'debug')
    printError(saysNotMigrated(error) ?? messageOf(error))
  else console.error(hideArguments(errorInFull(error), process.argv.slice(2)))
  return 1
}

function printError(message: string): void {
  console.error(`error: ${hideArguments(message, process.argv.slice(2))}`)
}
