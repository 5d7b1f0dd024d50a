import { raisedAlarms } from '../alarms/alarm-store.ts'
import { hasLeader, workingRoles } from '../alarms/process-store.ts'
import { readStatus } from '../credits/read-status.ts'
import type { Pool } from '../db/pool.ts'
import { type Finding, look, ok, wrong } from './finding.ts'

const area = 'gateway'
const roles = ['api', 'watcher', 'courier']

/** Says what the running gateway has written down of itself: its processes, the cursor, what waits, its alarms. */
export async function checkRunning(pool: Pool, now: Date): Promise<Finding[]> {
  const status = await readStatus(pool, now)
  if (status === null) return [look(area, 'nothing is watched yet: run `gateway start watcher`')]
  const working = await workingRoles(pool)
  const missing = roles.filter(role => !working.includes(role))
  const { cursor, waiting, warnings } = status
  const alarms = [...new Set<string>([...status.alarms, ...(await raisedAlarms(pool))])]
  const { height, blocksBehind } = cursor
  const { held, proof, quarantined, unclaimed } = waiting
  return [
    missing.length > 0
      ? wrong(area, `no ${missing.join(', no ')} has worked within the last minute`)
      : ok(area, 'api, watcher and courier work'),
    ...((await hasLeader(pool)) ? [] : [wrong(area, 'no watcher leads: nothing is credited')]),
    ok(area, `${status.network}, cursor at ${height}, ${blocksBehind} blocks behind`),
    ok(area, `waiting: ${held} held, ${proof} for proof, ${quarantined} quarantined, ${unclaimed} unclaimed`),
    alarms.length > 0
      ? wrong(area, `alarms: ${alarms.join(', ')}. docs/alarms.md says what to do`)
      : ok(area, 'no alarm'),
    ...warnings.map(({ text }) => look(area, text)),
  ]
}
