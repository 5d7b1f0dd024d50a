import { hostname, userInfo } from 'node:os'
import { type Command, Option } from 'commander'
import { UsageError } from '../base/errors.ts'
import type { Decided, Decision } from '../credits/decision.ts'
import type { Author } from '../db/audit-store.ts'

/** The options of a command that changes something. */
export interface AuthorOptions {
  as?: string
  /** As `as` was called before. */
  by?: string
  reason?: string
}

/** Adds to a command that changes something who does it and why. Under Docker the system's user is the container's. */
export function addAuthor(command: Command): Command {
  return addName(command).addOption(reasonOption())
}

/** As `addAuthor`, for what is not done without a reason. */
export function addReasoned(command: Command): Command {
  return addName(command).addOption(reasonOption().makeOptionMandatory())
}

const helpGroup = 'For the audit:'

function reasonOption(): Option {
  return new Option('--reason <text>', 'why').helpGroup(helpGroup)
}

function addName(command: Command): Command {
  const name = new Option(
    '--as <name>',
    'who runs this; default: the user of the operating system, and the host',
  )
  return command.addOption(name.helpGroup(helpGroup)).addOption(new Option('--by <name>').hideHelp())
}

/** Names who runs a command: `command line alice@host`. @throws UsageError for what is no name, or no line of text. */
export function authorFrom({ as, by, reason }: AuthorOptions): Author {
  const [option, name] = as === undefined ? ['--by', by] : ['--as', as]
  return {
    actor: `command line ${name === undefined ? systemUser() : readLine(option, name, 100)}`,
    ...(reason !== undefined && { reason: readLine('--reason', reason, 500) }),
  }
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
export type DecisionOptions = AuthorOptions & { reason: string }

/** Adds a command that decides about one id. */
export function addDecision(group: Command, name: string): Command {
  return addReasoned(group.command(name).argument('<id>', 'as printed by list'))
}

/** Reads the reason and the operator. @throws UsageError when one of them is empty, too long or not one line of text. */
export function decisionFrom(options: DecisionOptions): Decision {
  return authorFrom(options) as Decision
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
