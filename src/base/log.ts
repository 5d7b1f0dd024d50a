import { type Logger, pino } from 'pino'

export type { Logger }

/**
 * The process's log: JSON lines on standard output, one per finished piece of work.
 * Keys, signatures and bodies are never logged; the redaction is the second lock on that door.
 */
export function createLog(level: string, name: string): Logger {
  return pino({
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
  })
}
