import { type Logger, type LoggerOptions, pino } from 'pino'
import { printableError } from './printable-error.ts'

export type { Logger }

/** Lines are buffered until they are this long together, or this old. */
const bufferBytes = 4_096
const flushMs = 100

/**
 * Creates the process's log: JSON lines on standard output, one per finished piece of work.
 * Keys, signatures and bodies are never logged; the redaction is a second safeguard. Of errors only known facts are kept.
 * Lines are written asynchronously, several at once. A process that ends by itself or by SIGTERM writes all of them; one
 * that is killed by SIGKILL may lose the last ones.
 */
export function createLog(level: string, name: string): Logger {
  const settings: LoggerOptions = {
    level,
    base: { process: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    serializers: { err: printableError, error: errorOrText },
    redact: {
      paths: [
        'sign',
        'key',
        'secret',
        'body',
        '*.sign',
        '*.key',
        '*.secret',
        '*.body',
        'headers',
        '*.headers',
      ],
      censor: '[redacted]',
    },
  }
  return pino(settings, pino.destination({ sync: false, minLength: bufferBytes, periodicFlush: flushMs }))
}

/** `error` is a text in some lines, such as an attempt's. */
function errorOrText(value: unknown): unknown {
  return value instanceof Error ? printableError(value) : value
}
