import { NodeError } from './node-error.ts'

// Checks of a node's JSON, field by field. What fails is a NodeError that names the field, what was expected and what came.

/** Returns a value that has to be an object. @throws NodeError */
export function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw wrongField(name, 'an object', value)
}

/** Returns a value that has to be a list. @throws NodeError */
export function asList(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw wrongField(name, 'a list', value)
  return value
}

export function wrongField(name: string, expected: string, value: unknown): NodeError {
  return new NodeError('failed', `${name} should be ${expected}, got ${describe(value)}`)
}

/** Describes a JSON value in a few words. A whole one may be megabytes, or too deep to be written. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100))
  return `${value}`
}

/** Shortens text from outside and removes its control characters, since it goes into messages and the log. */
export function excerpt(text: string): string {
  return text.slice(0, 200).replace(/\p{Cc}+/gu, ' ')
}
