#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { UsageError } from './base/errors.ts'
import { addAddressCommands } from './cli/address-commands.ts'
import { addAuditCommands } from './cli/audit-commands.ts'
import { addCallbackCommands } from './cli/callback-commands.ts'
import { addHeldCommands } from './cli/held-commands.ts'
import { addMerchantCommands } from './cli/merchant-commands.ts'
import { addProcessCommands } from './cli/process-commands.ts'
import { addQuarantineCommands } from './cli/quarantine-commands.ts'
import { addReconcileCommands } from './cli/reconcile-commands.ts'
import { addRescanCommands } from './cli/rescan-commands.ts'
import { addRestoreCommands } from './cli/restore-commands.ts'
import { addSandboxCommands } from './cli/sandbox-commands.ts'

// The command line. A mistake of the operator's (an argument, a setting) exits with 2, with all problems named at once. Any
// other failure exits with 1.
const program = new Command('gateway')
  .description('recharge-gateway: signed orders in, exact USDT (TRC-20) credits, signed callbacks out.')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText('after', '\nSettings come from the environment; .env.example lists them all.')
  .exitOverride()

addProcessCommands(program)
addMerchantCommands(program)
addAddressCommands(program)
addCallbackCommands(program)
addHeldCommands(program)
addQuarantineCommands(program)
addRescanCommands(program)
addReconcileCommands(program)
addAuditCommands(program)
addRestoreCommands(program)
addSandboxCommands(program)
// A subcommand copies exitOverride only if it is created later; those of our groups exist by now.
overrideExits(program)

try {
  await program.parseAsync()
} catch (error) {
  // Not by process.exitCode: an exit hook of a library (the embedded Postgres has one) would end the process with 0.
  process.exit(exitCodeOf(error))
}

function overrideExits(command: Command): void {
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
    for (const problem of error.problems) console.error(`error: ${problem}`)
    return 2
  }
  console.error(
    error instanceof Error && process.env.LOG_LEVEL !== 'debug' ? `error: ${reason(error)}` : error,
  )
  return 1
}

/** The message of an error. An AggregateError (one attempt per address of a host) has none of its own. */
function reason(error: Error): string {
  if (error instanceof AggregateError && !error.message)
    return error.errors.map(e => String(e.message)).join('; ')
  return error.message.trim()
}
