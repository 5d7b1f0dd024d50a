import { shortenUrls } from './hide-secrets.ts'

/** An error as it is logged. */
export interface PrintableError {
  type: string
  message: string
  stack?: string
  [fact: string]: unknown
}

/**
 * What is kept of an error besides its message, stack and cause. Everything else is dropped: clients attach whole commands
 * (ioredis: AUTH with the password), options, rows and URLs to their errors.
 */
const keptFacts = [
  ...['code', 'errno', 'syscall', 'address', 'port', 'severity', 'schema', 'table', 'column', 'constraint'],
  ...['routine', 'kind', 'status', 'statusCode', 'retryAfterMs', 'retryAfterS', 'timedOut'],
]
const causesMax = 5
const groupMax = 10
/** A stack has ten lines; only a message that quotes something is longer than this. */
const textMax = 10_000

/** Makes an error fit to be logged: type, message, code, stack, causes. Anything that is no error is logged by its type. */
export function printableError(error: unknown, depth = 0): PrintableError {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: typeof error === 'string' ? shown(error) : '' }
  }
  const printable: PrintableError = { type: error.name, message: messageOf(error) }
  if (error.stack) printable.stack = shown(error.stack)
  for (const fact of keptFacts) {
    const value = (error as unknown as Record<string, unknown>)[fact]
    if (typeof value === 'string') printable[fact] = shown(value)
    else if (typeof value === 'number' || typeof value === 'boolean') printable[fact] = value
  }
  if (depth >= causesMax) return printable
  if (error.cause !== undefined) printable.cause = printableError(error.cause, depth + 1)
  const group = groupOf(error)
  if (group.length > 0) {
    printable.errors = group.slice(0, groupMax).map(one => printableError(one, depth + 1))
  }
  return printable
}

/** The message of an error for people. An AggregateError (one attempt per address of a host) has none of its own. */
export function messageOf(error: Error): string {
  if (!error.message && error instanceof AggregateError)
    return error.errors.map(one => (one instanceof Error ? messageOf(one) : '')).join('; ')
  return shown(error.message).trim()
}

/** Prints an error with its stack and its causes, for a terminal. */
export function errorInFull(error: unknown, depth = 0): string {
  const { type, message, stack } = printableError(error)
  const cause = error instanceof Error && depth < causesMax ? error.cause : undefined
  const own = stack ?? `${type}: ${message}`
  return cause === undefined ? own : `${own}\ncaused by ${errorInFull(cause, depth + 1)}`
}

/** AggregateError's errors; ioredis puts those of earlier connections into `previousErrors`. */
function groupOf(error: Error): unknown[] {
  const { errors, previousErrors } = error as { errors?: unknown; previousErrors?: unknown }
  return [errors, previousErrors].flatMap(list => (Array.isArray(list) ? list : []))
}

/** Node quotes the host that it did not find. One without a dot that is this long is a key in place of a host. */
const foundNoHost = /(getaddrinfo \w+) ([^\s.]{24,})/g

function shown(text: string): string {
  return shortenUrls(text.slice(0, textMax)).replace(foundNoHost, '$1 [hidden]')
}
