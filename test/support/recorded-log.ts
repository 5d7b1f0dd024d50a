import { pino } from 'pino'
import type { Logger } from '../../src/base/log.ts'

export interface RecordedLog {
  log: Logger
  /** Lines of this name, with their fields. */
  lines(name: string): Record<string, unknown>[]
  /** All of it, as it would have been written. */
  text(): string
}

/** A log that is kept instead of written. */
export function recordLog(): RecordedLog {
  const written: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void written.push(line) })
  return {
    log,
    lines: name => written.map(line => JSON.parse(line)).filter(line => line.msg === name),
    text: () => written.join(''),
  }
}
