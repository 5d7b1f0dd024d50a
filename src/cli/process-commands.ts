import type { Command } from 'commander'
import { type Config, readConfig, type SettingName } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { armFailpoints } from '../base/failpoint.ts'
import { createLog } from '../base/log.ts'
import { migrate } from '../db/migrate.ts'
import { createPool } from '../db/pool.ts'
import { type Role, roles, startGateway } from '../start-gateway.ts'

/** Settings each process cannot do without. */
const needs: Record<Role, SettingName[]> = {
  api: ['DATABASE_URL', 'MASTER_KEY', 'PUBLIC_URL'],
  watcher: ['DATABASE_URL', 'TRON_NETWORK', 'TRON_NODES'],
  courier: ['DATABASE_URL', 'MASTER_KEY'],
}

export function addProcessCommands(program: Command): void {
  program
    .command('start')
    .description('run the processes named, or all three')
    .argument('[process...]', `any of ${roles.join(', ')}`)
    .action(async (named: string[]) => {
      const unknown = named.filter(name => !(roles as readonly string[]).includes(name))
      if (unknown.length > 0)
        throw new UsageError(`no such process: ${unknown.join(', ')}; there are ${roles.join(', ')}`)
      const started = named.length > 0 ? roles.filter(role => named.includes(role)) : [...roles]
      await run(readConfig(process.env, [...new Set(started.flatMap(role => needs[role]))]), started)
    })

  program
    .command('migrate')
    .description('bring the database up to date, the queue on Postgres included')
    .action(async () => {
      const config = readConfig<'databaseUrl'>(process.env, ['DATABASE_URL'])
      armFailpoints(config.failpoints)
      const pool = createPool(config.databaseUrl)
      try {
        const applied = await migrate(pool, createLog(config.logLevel, 'migrate'))
        console.log(applied.length > 0 ? `applied: ${applied.join(', ')}` : 'the database is up to date')
      } finally {
        await pool.end()
      }
    })
}

/** Runs until SIGTERM or SIGINT, or until a process says that it must not go on. */
async function run(config: Config, started: readonly Role[]): Promise<void> {
  armFailpoints(config.failpoints)
  const log = createLog(config.logLevel, started.join('+'))
  const stopAsked = new Promise<void>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  const gateway = await startGateway({ config, roles: started, log, untilStopped: stopAsked })
  if (!gateway) return
  try {
    await Promise.race([stopAsked, gateway.failed])
  } finally {
    log.info('gateway.stopping')
    await gateway.stop()
    log.info('gateway.stopped')
  }
}
