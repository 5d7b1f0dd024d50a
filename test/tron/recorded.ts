import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Answers recorded from real nodes. They are not part of this repository; where they lie beside it, tests read them. */
const folder = join(import.meta.dirname, '../../../shared/tron/recorded')

/** Option for `test`: why the tests over recorded answers cannot run here, or false when they can. */
export const skipWithoutRecorded: string | false = existsSync(folder)
  ? false
  : 'the recorded answers are not there: ../shared/tron/recorded beside this checkout'

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked into by the tests.
export function recorded(name: string): any {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'))
}

export function recordedNames(): string[] {
  return readdirSync(folder).filter(name => name.endsWith('.json'))
}
