import type { Command } from 'commander'
import { findStop } from '../addresses/resume-assigning.ts'
import { skipAddresses, skipMax } from '../addresses/skip-addresses.ts'
import { UsageError } from '../base/errors.ts'
import { skipEpochs } from '../callbacks/leasing/skip-epochs.ts'
import { findRunning } from '../db/running-processes.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'
import { withDatabase } from './with-database.ts'

export function addRestoreCommands(program: Command): void {
  addAuthor(program.command('restored'))
    .description(
      'after restoring a backup or losing commits by a failover: skip and watch the addresses assigned since',
    )
    .requiredOption(
      '--skip <count>',
      `addresses of each account key: more than were assigned since; 1 to ${skipMax}`,
    )
    .action(async (options: AuthorOptions & { skip: string }) => {
      const author = authorFrom(options)
      const count = readCount(options.skip)
      await withDatabase('command', async pool => {
        // While none is assigned, nothing is in the way: after a failover the processes may go on meanwhile.
        const stop = await findStop(pool)
        const running = stop === null ? await findRunning(pool) : []
        if (running.length > 0) {
          throw new UsageError([
            ...running,
            'stop api, watcher and courier first: no address may be assigned meanwhile',
          ])
        }
        const skipped = await skipAddresses(pool, count, sayNowAndThen(), author)
        await skipEpochs(pool, author)
        for (const { counterId, appid, from, to, watched } of skipped) {
          console.log(
            `counter ${counterId} (${appid}): indexes ${from} to ${to} skipped, ${watched} of them watched from now on`,
          )
        }
        if (skipped.length === 0) console.log('there is no address counter: nothing to skip')
        else console.log('start the gateway now; it finds what was paid meanwhile')
        if (stop !== null) console.log('addresses are assigned again')
      })
    })
}

/** How often a line of progress is printed. */
const progressMs = 5_000

function sayNowAndThen(): (counterId: bigint, left: number) => void {
  let saidAt = performance.now()
  return (counterId, left) => {
    if (performance.now() - saidAt < progressMs) return
    saidAt = performance.now()
    console.error(`counter ${counterId}: ${left} left`)
  }
}

function readCount(text: string): number {
  const count = /^[1-9]\d{0,6}$/.test(text) ? Number.parseInt(text, 10) : 0
  if (count < 1 || count > skipMax)
    throw new UsageError(`--skip: a whole number from 1 to ${skipMax}, got "${text}"`)
  return count
}
