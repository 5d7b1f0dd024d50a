import type { Command } from 'commander'
import { type ConfigOf, readConfig } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { armFailpoints } from '../base/failpoint.ts'
import { createLog } from '../base/log.ts'
import { productVersion } from '../base/version.ts'
import { recordAudit } from '../db/audit-store.ts'
import { migrate } from '../db/migrate.ts'
import { createPool, inTransaction } from '../db/pool.ts'
import { type Process, processes, startGateway } from '../start-gateway.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'

export function addProcessCommands(program: Command): void {
  program
    .command('start')
    .description('run the given processes, or all three')
    .version(productVersion(), '-V, --version', 'print the version')
    .argument('[process...]', `any of ${processes.join(', ')}`)
    .action(async (named: string[]) => {
      const started = named.length > 0 ? processes.filter(name => named.includes(name)) : processes
      const unknown = named.filter(name => !processes.some(known => known === name))
      if (unknown.length > 0)
        throw new UsageError(`no such process: ${unknown.join(', ')}; there are ${processes.join(', ')}`)
      await runUntilStopped(readConfig(process.env, ...started), started)
    })

  addAuthor(program.command('migrate'))
    .description('bring the database schema up to date, with that of the queue on Postgres')
    .action(async (options: AuthorOptions) => {
      const author = authorFrom(options)
      const config = readConfig(process.env, 'command')
      armFailpoints(config.failpoints)
      const pool = createPool(config.databaseUrl)
      try {
        const applied = await migrate(pool, createLog(config.logLevel, 'migrate'))
        if (applied.length > 0) {
          const event = { action: 'database.migrated', subject: 'database', detail: { applied } }
          await inTransaction(pool, tx => recordAudit(tx, { ...author, ...event }))
        }
        console.log(applied.length > 0 ? `applied: ${applied.join(', ')}` : 'the database is up to date')
      } finally {
        await pool.end()
      }
    })
}

/** Runs the processes until SIGTERM or SIGINT, or until one of them must not go on. */
async function runUntilStopped(config: ConfigOf<Process>, started: readonly Process[]): Promise<void> {
  armFailpoints(config.failpoints)
  const log = createLog(config.logLevel, started.join('+'))
  const stopAsked = new Promise<void>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  const gateway = await startGateway({ config, processes: started, log, untilStopped: stopAsked })
  if (!gateway) return
  try {
    await Promise.race([stopAsked, gateway.failed])
  } finally {
    log.info('gateway.stopping')
    await gateway.stop()
    log.info('gateway.stopped')
  }
}
