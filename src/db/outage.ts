/** Node's codes for a connection that cannot be made, or is lost, and for a process that has no more descriptors. */
const networkCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTCONN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA'],
  ...['EADDRNOTAVAIL', 'ENOBUFS', 'EMFILE', 'ENFILE'],
  ...[
    'ERR_STREAM_DESTROYED',
    'ERR_STREAM_WRITE_AFTER_END',
    'ERR_SOCKET_CLOSED',
    'ERR_SOCKET_CONNECTION_TIMEOUT',
  ],
])

/**
 * SQLSTATEs under which the same statement may succeed a little later: connection exceptions (08, which proxies use for all
 * of theirs), a server that is read-only since a failover (25006), a transaction ended for its time (25P03, 25P04),
 * transaction rollback such as a deadlock (40), insufficient resources (53), a lock not available (55P03), cancelled by a
 * timeout (57014), shutting down or starting up (57P), errors of the disk or the system (58000, 58030).
 */
const passingStates = /^(08...|25006|25P0[34]|40...|53...|55P03|57014|57P0\d|580[03]0)$/

/**
 * Prisma's codes for: unreachable, timed out, connection closed, transaction closed, no free connection in the pool, transaction
 * lost, write conflict, too many connections. Under P2010 and P2039 it hides a SQLSTATE.
 */
const prismaCodes = /^P(1001|1002|1008|1017|1018|2024|2028|2034|2037)$/

/** Messages that come without a code, or with one that says nothing. */
const messages = new RegExp(
  [
    // pg and its pool.
    ...[
      'Connection terminated',
      'timeout expired',
      'timeout exceeded when trying to connect',
      'Query read timeout',
    ],
    ...['connection error and is not queryable', 'Client was closed', 'Cannot use a pool after calling end'],
    'There was an error establishing an SSL connection',
    // The socket file of a server that is down.
    'connect ENOENT',
    // Prisma's adapter.
    ...[
      'DatabaseNotReachable',
      'SocketTimeout',
      'ConnectionClosed',
      'TooManyConnections',
      'TransactionWriteConflict',
    ],
    // A migration changed the table under a prepared statement. Its connection is not used again.
    'cached plan must not change result type',
    // Proxies: Supavisor, pgcat, RDS.
    ...[
      'max clients reached',
      'max client connections reached',
      'timed-out waiting to acquire database connection',
    ],
  ].join('|'),
  'i',
)

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
  return causesOf(error).some(isPassing)
}

function isPassing(cause: Cause): boolean {
  if (cause instanceof DatabaseBusyError) return true
  const { code, originalCode, message, originalMessage } = cause
  for (const one of [code, originalCode]) {
    if (typeof one !== 'string') continue
    if (networkCodes.has(one) || passingStates.test(one) || prismaCodes.test(one)) return true
  }
  return [message, originalMessage].some(text => typeof text === 'string' && messages.test(text))
}

/** What an error and its causes may have, of node, pg or Prisma. Prisma's are no errors, and have theirs under `meta`. */
interface Cause {
  code?: unknown
  originalCode?: unknown
  message?: unknown
  originalMessage?: unknown
  cause?: unknown
  errors?: unknown
  meta?: { driverAdapterError?: unknown }
}

/** The most causes that are looked at. */
const causesMax = 16

/** Lists an error and what caused it, as node, pg and Prisma nest them. */
export function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = []
  const left = [error]
  while (left.length > 0 && causes.length < causesMax) {
    const next = left.shift()
    if (typeof next !== 'object' || next === null) continue
    const cause: Cause = next
    causes.push(cause)
    left.push(
      cause.cause,
      cause.meta?.driverAdapterError,
      ...(Array.isArray(cause.errors) ? cause.errors : []),
    )
  }
  return causes
}

/** Why a connection is refused, in a way that mostly does not pass by itself: SQLSTATEs, and what to look at. */
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

/** Checks whether a statement was not answered by the time that its caller, or its connection, waits for one. */
export function isUnanswered(error: unknown): boolean {
  return (error as { message?: unknown } | null)?.message === 'Query read timeout'
}

/**
 * Checks whether a statement was cancelled because it took too long, by the server (57014) or by our own clock. The database
 * answered, so this is no outage, and the same statement may take too long each time.
 */
export function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '57014' || isUnanswered(error)
}

/** Checks whether a statement's connection cannot be used any more: it ended, or went silent. */
export function isConnectionLost(error: unknown): boolean {
  const { message } = (error ?? {}) as { message?: unknown }
  return (
    typeof message === 'string' &&
    /^(Query read timeout$|Connection terminated|Client has encountered)/.test(message)
  )
}
