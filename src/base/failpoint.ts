import { writeSync } from 'node:fs'

/** Every place where a process can be told to kill itself, in the order a payment passes them. Each is in the code once. */
export const failpointNames = [
  'migrate:before-commit',
  'migrate:after-commit',
  'address:before-commit',
  'address:after-commit',
  'order:before-insert',
  'order:after-commit',
  'lease:after-take',
  'block:after-fetch',
  'block:after-decode',
  'credit:after-cursor',
  'credit:after-transfers',
  'credit:after-credits',
  'callback:before-notify',
  'credit:before-commit',
  'credit:after-commit',
  'held:after-confirm',
  'held:before-commit',
  'settle:after-reading',
  'settle:before-commit',
  'rescan:before-commit',
  'quarantine:before-commit',
  'decision:before-commit',
  'decision:after-commit',
  'deposits:before-commit',
  'url:before-commit',
  'url:after-commit',
  'resend:before-commit',
  'resend:after-commit',
  'resend-job:after-commit',
  'courier:after-settle',
  'courier:after-lease',
  'courier:after-enqueue',
  'courier:before-renew',
  'courier:before-send',
  'courier:after-send',
  'courier:after-record',
] as const
export type FailpointName = (typeof failpointNames)[number]

/** What happens at the nth passing, from 1: SIGKILL, or SIGSTOP (until SIGCONT). */
export interface Failpoint {
  name: FailpointName
  passing: number
  act: 'kill' | 'stop'
}

/** Global, as signals are. Empty unless FAILPOINT was set at the start. */
const armed = new Map<FailpointName, Failpoint>()

/** Arms failpoints until the process ends. @param failpoints from the configuration, empty in production. */
export function armFailpoints(failpoints: readonly Failpoint[]): void {
  for (const failpoint of failpoints) armed.set(failpoint.name, { ...failpoint })
}

/** Marks a place between two steps. With nothing armed it costs one comparison. */
export function failpoint(name: FailpointName): void {
  if (armed.size > 0) pass(name)
}

function pass(name: FailpointName): void {
  const point = armed.get(name)
  if (!point || --point.passing > 0) return
  armed.delete(name)
  // Not through the log: its lines are buffered and would be lost.
  writeSync(2, `failpoint ${name} ${point.act}\n`)
  // A signal to the own process arrives before the call returns, so no further line of ours is run.
  process.kill(process.pid, point.act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
}

/**
 * Reads `name`, `name@3` or `name@3:stop`, comma-separated: at the first or third passing, kill or stop.
 * @returns null when the text has another form.
 */
export function parseFailpoints(text: string): Failpoint[] | null {
  const failpoints: Failpoint[] = []
  for (const part of text.split(',')) {
    const [, name, passing = '1', act = 'kill'] =
      /^([a-z:-]+?)(?:@([1-9]\d{0,6}))?(?::(stop|kill))?$/.exec(part.trim()) ?? []
    if (!failpointNames.includes(name as FailpointName)) return null
    failpoints.push({
      name: name as FailpointName,
      passing: Number.parseInt(passing, 10),
      act: act as Failpoint['act'],
    })
  }
  return failpoints
}
