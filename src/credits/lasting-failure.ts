import { AssertionError } from 'node:assert'
import { isPassingDatabaseError } from '../db/outage.ts'

/** SQLSTATE classes 22 and 23: the data cannot be what it would have to be, or breaks a constraint. */
const lastingStates = /^2[23]...$/

/**
 * Whether crediting something would fail the same way again: the database refuses its data, or a rule of our own does
 * not hold. Everything else is tried again as it is: what passes by itself, and what is not about the transfer (a
 * missing column would park everything).
 */
export function isLasting(error: unknown): boolean {
  if (error instanceof AssertionError) return true
  if (!(error instanceof Error) || isPassingDatabaseError(error)) return false
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && lastingStates.test(code)
}

/** A sentence for whoever looks at what was parked. */
export function lastingReason(error: unknown): string {
  const { code, message } = error as Error & { code?: string }
  return error instanceof AssertionError ? `our own rule does not hold: ${message}` : `${message} (${code})`
}
