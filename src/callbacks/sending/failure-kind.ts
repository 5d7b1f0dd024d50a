import type { FailureKind } from '../outbox/callback.ts'

const kinds: readonly [FailureKind, RegExp][] = [
  ['blocked', /^EGRESS_REFUSED$/],
  ['timeout', /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/],
  ['connect', /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/],
  ['reset', /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_ABORTED|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/],
  ['bad_answer', /^(INTERIM_FLOOD|HTTPParserError|HPE_.*|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_.*)$/],
  [
    'tls',
    /^(EPROTO|ERR_TLS_.*|ERR_SSL_.*|CERT_.*|.*CERTIFICATE.*|.*_CERT(_.*)?|UNABLE_TO_.*|HOSTNAME_MISMATCH)$/,
  ],
]

/**
 * Classifies the errors of undici, net, tls and dns.
 * @returns the kind, and the error's message, at most 200 characters of it.
 */
export function failureKind(error: unknown): { failure: FailureKind; reason: string } {
  const cause = innermost(error)
  const reason = `${cause.message}`.slice(0, 200)
  // A DNS error may have the code of a network error: the connection to the name server failed, not to the endpoint.
  const isDns = cause.syscall === 'getaddrinfo' || cause.syscall?.startsWith('query')
  if (isDns || cause.code === 'ENOTFOUND') return { failure: 'dns', reason }
  // undici's parser errors have no code.
  const code = cause.code ?? cause.name ?? ''
  const found = kinds.find(([, pattern]) => pattern.test(code))
  return { failure: found?.[0] ?? 'network', reason }
}

/** When several addresses fail, their errors come as one AggregateError. The first stands for all. */
function innermost(error: unknown): { name?: string; message: string; code?: string; syscall?: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0])
  return error instanceof Error ? error : new Error(String(error))
}
