import type { ChoreEnded } from '../base/repeat.ts'
import type { Alarms } from './watcher-alarms.ts'

/** A chore that fails for longer than this does not heal by itself. */
const failingMaxMs = 300_000

/** Raises the alarm `chores` while a chore of the leading watcher has failed for five minutes without one success. */
export function watchChores(alarms: Alarms, now: () => number = () => performance.now()): ChoreEnded {
  const failingSince = new Map<string, number>()
  return (chore, how) => {
    if (how === 'done') failingSince.delete(chore)
    else if (!failingSince.has(chore)) failingSince.set(chore, now())
    const failing = [...failingSince].filter(([, since]) => now() - since > failingMaxMs)
    const chores = failing.map(([name]) => name).join(', ')
    alarms.set('chores', failing.length > 0, { chores }, failing.length)
  }
}
