import type { Logger } from '../base/log.ts'
import { repeat } from '../base/repeat.ts'
import type { Alarms } from '../blocks/watcher-alarms.ts'
import type { Queryable } from '../db/pool.ts'
import { forgetNotices } from '../notices/notice-store.ts'
import { clearAlarms, forgetAlarms, raiseAlarm } from './alarm-store.ts'
import { removeSilent } from './process-store.ts'

const everyMs = 10_000
/** By then, every process that can reach the database has said what it finds. */
const forgetMs = 60_000

/** The leading watcher, whichever it is: what one has raised another clears. */
const by = 'watcher'

/** Keeps the alarms of the leading watcher in the database until the signal aborts, from where they are told. */
export async function keepAlarms(db: Queryable, alarms: Alarms, log: Logger, signal: AbortSignal) {
  const work = () => recordAlarms(db, alarms)
  let forgotAt = performance.now()
  const forget = async () => {
    if (performance.now() - forgotAt < forgetMs) return
    await forgetAlarms(db)
    await removeSilent(db)
    await forgetNotices(db)
    forgotAt = performance.now()
  }
  await repeat({
    chore: 'keep-alarms',
    everyMs,
    work: async () => {
      await work()
      await forget()
    },
    log,
    signal,
  })
}

/** Writes what is raised, and clears what was found to be over. What was not checked yet stays as it is. */
export async function recordAlarms(db: Queryable, alarms: Alarms): Promise<void> {
  const states = alarms.states()
  for (const { alarm, isRaised, detail, count } of states) {
    if (isRaised) await raiseAlarm(db, { name: alarm, by, count, detail })
  }
  const over = states.filter(({ isRaised }) => !isRaised).map(({ alarm }) => alarm)
  if (over.length > 0) await clearAlarms(db, by, over)
}
