import { writeSync } from 'node:fs'

/** Every place where a process can be told to die, in the order a payment comes by; each stands in the code once. */
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
  'rescan:before-commit',
  'quarantine:before-commit',
  'resend:before-commit',
  'resend:after-commit',
  'courier:after-settle',
  'courier:after-lease',
  'courier:after-enqueue',
  'courier:before-renew',
  'courier:before-send',
  'courier:after-send',
  'courier:after-record',
] as const
export type FailpointName = (typeof failpointNames)[number]

/** What happens at the nth passing, from 1: SIGKILL, or SIGSTOP (until somebody sends SIGCONT). */
export interface Failpoint {
  name: FailpointName
  passing: number
  act: 'kill' | 'stop'
}

/** One a process, as signals are; empty unless a setting said otherwise at the start. */
const armed = new Map<FailpointName, Failpoint>()

/** Arms failpoints for the rest of this process' life. @param failpoints from the configuration, empty in production. */
export function armFailpoints(failpoints: readonly Failpoint[]): void {
  for (const failpoint of failpoints) armed.set(failpoint.name, { ...failpoint })
}

/** Marks a place between two steps. Where nothing is armed it costs a comparison. */
export function failpoint(name: FailpointName): void {
  if (armed.size > 0) pass(name)
}

function pass(name: FailpointName): void {
  const point = armed.get(name)
  if (!point || --point.passing > 0) return
  armed.delete(name)
  // At once, and not through the log, whose lines may be on their way somewhere when the process ends.
  writeSync(2, `failpoint ${name} ${point.act}\n`)
  // A signal to oneself has arrived before the call returns: not one more line of ours is run.
  process.kill(process.pid, point.act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
}

/**
 * Reads `name`, `name@3`, `name@3:stop`, several with commas: at the first or third passing, killed or stopped.
 * @returns null when that is not what it says.
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
