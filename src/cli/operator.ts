import { hostname, userInfo } from 'node:os'
import { type Command, Option } from 'commander'
import { UsageError } from '../base/errors.ts'
import type { Decided, Decision } from '../credits/decision.ts'

/** The option that names the operator. Under Docker the system's user is the container's. */
export function byOption(): Option {
  return new Option(
    '--by <name>',
    'who runs this, for the audit; without it the user of the operating system and the host',
  )
}

/** Names the operator for the audit: `command line alice@host`. @throws UsageError when `by` is no name. */
export function actorOf(by: string | undefined): string {
  return `command line ${by === undefined ? systemUser() : readLine('--by', by, 100)}`
}

function systemUser(): string {
  let user: string
  try {
    user = userInfo().username
  } catch {
    // A container may run as a number that has no name.
    user = `uid ${process.getuid?.() ?? 'unknown'}`
  }
  return `${user}@${hostname()}`
}

/** The options of a command that decides about something that waits. */
export interface DecisionOptions {
  reason: string
  by?: string
}

/** Adds a command that decides about one id, with a reason. */
export function addDecision(group: Command, name: string): Command {
  return group
    .command(name)
    .argument('<id>', 'as printed by list')
    .requiredOption('--reason <text>', 'why, for the audit')
    .addOption(byOption())
}

/** Reads the reason and the operator. @throws UsageError when one of them is empty, too long or not one line of text. */
export function decisionOf({ reason, by }: DecisionOptions): Decision {
  return { reason: reasonOf(reason), actor: actorOf(by) }
}

/** Reads a reason. @throws UsageError when it is empty, too long or not one line of text. */
export function reasonOf(text: string): string {
  return readLine('--reason', text, 500)
}

/** Reads an id. @throws UsageError when it is none. */
export function readId(text: string): bigint {
  if (!/^\d{1,18}$/.test(text))
    throw new UsageError(`"${text}" is not an id: a whole number, as printed by list`)
  return BigInt(text)
}

/** Describes what a decision did. @throws UsageError when it could not be carried out. */
export function decidedText(subject: string, decided: Decided<string>, done: string): string {
  const { kind, state } = decided
  if (kind === 'impossible') {
    throw new UsageError(
      state === 'unknown' ? `there is no ${subject}` : `${subject} cannot be ${done}: it is ${state}`,
    )
  }
  if (kind === 'already') return `${subject} is ${state} already`
  const credits = decided.credits > 0 ? `, ${decided.credits} credits written` : ''
  return `${subject}: ${state}${credits}`
}

function readLine(option: string, text: string, lengthMax: number): string {
  const line = text.trim()
  // Control characters would be printed on the terminal of whoever lists them.
  if (line === '' || line.length > lengthMax || /\p{Cc}/u.test(line)) {
    throw new UsageError(`${option}: 1 to ${lengthMax} characters on one line`)
  }
  return line
}
