import type { Logger } from '../base/log.ts'
import { messageOf } from '../base/printable-error.ts'
import { repeat } from '../base/repeat.ts'
import { productVersion } from '../base/version.ts'
import type { Queryable } from '../db/pool.ts'
import { clearAlarms, raiseAlarm } from './alarm-store.ts'
import { hasLeader, removeProcess, reportProcess } from './process-store.ts'

const everyDefaultMs = 15_000
/** After an outage of the database the lease is old, until a watcher has taken it again. */
const leaderlessReadings = 2
/** A courier that restarts its queue needs some seconds. */
const queueAwayMs = 60_000

/**
 * Reports this process to the database, and raises what any process can see: no watcher leads (`watcher`, after two readings
 * in a row), and this one's courier cannot work (`queue`). Returns when the signal aborts.
 * @param id unique among processes.
 * @param ready rejects with the reason when the process is not ready.
 * @param courierWorks undefined: no courier runs here.
 * @param everyMs the time from one reading to the next; undefined: 15 s.
 */
export async function watchProcess(options: {
  db: Queryable
  id: string
  roles: readonly string[]
  ready: () => Promise<unknown>
  courierWorks: () => boolean | undefined
  everyMs?: number
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { db, id, roles, ready, courierWorks, everyMs = everyDefaultMs, log, signal } = options
  const version = productVersion()
  let stoppedAt: number | null = null
  let leaderless = 0
  const work = async () => {
    // A reading that fails ends the row.
    const before = leaderless
    leaderless = 0
    const why = await ready().then(
      () => null,
      error => (error instanceof Error ? messageOf(error) : 'not ready'),
    )
    await reportProcess(db, { id, roles, why, version })
    if (await hasLeader(db)) await clearAlarms(db, 'gateway', ['watcher'])
    else {
      leaderless = before + 1
      if (leaderless >= leaderlessReadings)
        await raiseAlarm(db, { name: 'watcher', by: 'gateway', count: 1, detail: {} })
    }
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
