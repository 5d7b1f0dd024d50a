import type { Logger } from '../base/log.ts'
import { repeat } from '../base/repeat.ts'
import type { Queryable } from '../db/pool.ts'
import { clearAlarms, raiseAlarm } from './alarm-store.ts'
import { hasLeader, removeProcess, reportProcess } from './process-store.ts'

const everyMs = 15_000
/** A courier that restarts its queue needs some seconds. */
const queueAwayMs = 60_000

/**
 * Reports this process to the database, and raises what any process can see: no watcher leads (`watcher`), and this one's
 * courier cannot work (`queue`). Returns when the signal aborts.
 * @param id unique among processes.
 * @param ready rejects with the reason when the process is not ready.
 * @param courierWorks undefined: no courier runs here.
 */
export async function watchProcess(options: {
  db: Queryable
  id: string
  roles: readonly string[]
  ready: () => Promise<unknown>
  courierWorks: () => boolean | undefined
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { db, id, roles, ready, courierWorks, log, signal } = options
  let stoppedAt: number | null = null
  const work = async () => {
    const why = await ready().then(
      () => null,
      error => (error instanceof Error ? error.message : 'not ready'),
    )
    await reportProcess(db, { id, roles, why })
    if (await hasLeader(db)) await clearAlarms(db, 'gateway', ['watcher'])
    else await raiseAlarm(db, { name: 'watcher', by: 'gateway', count: 1, detail: {} })
    const works = courierWorks()
    if (works !== false) {
      stoppedAt = null
      if (works) await clearAlarms(db, id, ['queue'])
      return
    }
    stoppedAt ??= performance.now()
    if (performance.now() - stoppedAt >= queueAwayMs)
      await raiseAlarm(db, { name: 'queue', by: id, count: 1, detail: { process: id } })
  }
  await repeat({ chore: 'process', everyMs, work, log, signal })
  await removeProcess(db, id).catch(() => undefined) // Its row is too old in a minute.
}
