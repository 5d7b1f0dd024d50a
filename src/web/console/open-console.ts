import type { FastifyInstance } from 'fastify'
import { repeat } from '../../base/repeat.ts'
import { openTestContext } from '../../callbacks/sending/test-callback.ts'
import { addToDays } from '../../credits/money-day-store.ts'
import { purgeInvitations } from '../../people/invitation-store.ts'
import { purgeSessions } from '../../people/session-store.ts'
import { purgeFailures } from '../../people/sign-in-limits.ts'
import { purgeInvited } from '../../people/user-store.ts'
import { type ConsoleOptions, consoleApp } from './console-app.ts'

export interface Console {
  /** Adds the pages to an app. */
  register(app: FastifyInstance): void
}

const purgeEveryMs = 10 * 60_000
/** What was recorded since is read row by row, so it should be little. */
const daysEveryMs = 15_000
/** Of a round: a million transfers, when the console is served for the first time. */
const slicesMax = 20

/** Opens the console: where a merchant's people see orders and callbacks, and admins the gateway. */
export function openConsole(options: Omit<ConsoleOptions, 'tests'>): Console {
  const { pool, log } = options
  return {
    register: app => {
      const tests = openTestContext(options)
      app.register(consoleApp, { ...options, tests })
      const stopping = new AbortController()
      const work = async () => {
        await purgeSessions(pool)
        await purgeFailures(pool)
        await purgeInvitations(pool)
        await purgeInvited(pool)
      }
      const { signal } = stopping
      const addDays = async () => {
        for (let slice = 0; slice < slicesMax && !signal.aborted; slice++) if (!(await addToDays(pool))) break
      }
      const chores = [
        repeat({ chore: 'console_sessions', everyMs: purgeEveryMs, work, log, signal }),
        repeat({ chore: 'money_days', everyMs: daysEveryMs, work: addDays, log, signal }),
      ]
      app.addHook('onClose', async () => {
        stopping.abort()
        await Promise.all(chores)
        await tests.agent.destroy()
      })
    },
  }
}
