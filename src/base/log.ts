import { type Logger, type LoggerOptions, pino } from 'pino'

export type { Logger }

/** Lines wait for each other until there are so many bytes of them, */
const togetherBytes = 4_096
/** or for so long. */
const flushMs = 100

/**
 * The process's log: JSON lines on standard output, one per finished piece of work.
 * Keys, signatures and bodies are never logged; the redaction is the second lock on that door.
 * Lines are written beside the work, many at once when there are many. All are written when a process ends by itself or by
 * SIGTERM, whatever the error; one that is killed outright may not have said its last ones.
 */
export function createLog(level: string, name: string): Logger {
  const settings: LoggerOptions = {
    level,
    base: { process: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
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
  return pino(settings, pino.destination({ sync: false, minLength: togetherBytes, periodicFlush: flushMs }))
}
