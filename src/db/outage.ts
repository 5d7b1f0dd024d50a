/** Node's codes for a connection that cannot be made, or is lost. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/**
 * SQLSTATEs under which the same statement may succeed a little later: connection exceptions (08), transaction rollback
 * such as a deadlock (40), insufficient resources (53), a lock not available (55P03), cancelled by a timeout (57014),
 * shutting down or starting up (57P).
 */
const passingStates = /^(08...|40...|53...|55P03|57014|57P0\d)$/

/** Prisma's codes for: unreachable, timed out, connection closed, no free connection in the pool, transaction lost. */
const prismaCodes = /^P(1001|1002|1008|1017|2024|2028|2034)$/

/** Messages of pg and its pool that come without a code. */
const messages =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|connection error and is not queryable|Client was closed|Cannot use a pool after calling end|DatabaseNotReachable|SocketTimeout|ConnectionClosed/

/** A statement was not sent, because too many others are waiting. */
export class DatabaseBusyError extends Error {
  constructor() {
    super('too many statements are waiting for the database')
    this.name = 'DatabaseBusyError'
  }
}

/**
 * Checks whether a statement failed for a reason that will pass: the database is unreachable or overloaded, or a wait timed
 * out. The outcome is then unknown: it may have been committed. Everything else (a constraint, a type) would fail again.
 */
export function isPassingDatabaseError(error: unknown): boolean {
  if (error instanceof DatabaseBusyError) return true
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof AggregateError && cause.errors.some(isPassingDatabaseError)) return true
    const code = (cause as { code?: unknown }).code
    if (typeof code === 'string') {
      if (networkCodes.has(code) || passingStates.test(code) || prismaCodes.test(code)) return true
    }
    if (messages.test(cause.message)) return true
  }
  return false
}

/** Why a connection is refused, in a way that does not pass: SQLSTATEs, and what to look at. */
const lastingRefusals: Record<string, string> = {
  '3D000': 'make it with `createdb`, or name another',
  '28P01': 'look at the user and the password',
  '28000': 'look at the user, and at pg_hba.conf of the server',
  '42501': 'give the role that right',
}

/**
 * Says why a database cannot be connected to, where waiting does not help: it is not there, or does not let this role in.
 * @returns null for every other error.
 */
export function lastingRefusal(error: unknown): string | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  const advice = typeof code === 'string' ? lastingRefusals[code] : undefined
  return advice === undefined ? null : `DATABASE_URL: ${message}: ${advice}`
}

/**
 * Checks whether a statement was cancelled because it took too long, by the server (57014) or by our own clock. The database
 * answered, so this is no outage, and the same statement may take too long each time.
 */
export function isTimeout(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return code === '57014' || message === 'Query read timeout'
}
