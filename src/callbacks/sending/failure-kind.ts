/**
 * Why an attempt got no answer that can be judged:
 * no_url, no_key: the merchant has none; blocked: the guard refused the URL or an address behind it; dns: the name
 * cannot be resolved; connect: nobody accepts the connection; tls: no trusted TLS; reset: the connection broke off;
 * bad_answer: what came back is not HTTP; timeout: the deadline; network: anything else.
 */
export type FailureKind =
  | 'no_url'
  | 'no_key'
  | 'blocked'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'reset'
  | 'bad_answer'
  | 'timeout'
  | 'network'

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
 * Sorts what undici, net, tls and dns throw.
 * @returns the kind, and the error's own words, at most 200 characters.
 */
export function failureKind(error: unknown): { failure: FailureKind; reason: string } {
  const cause = innermost(error)
  const reason = `${cause.message}`.slice(0, 200)
  // A DNS error may bear the code of a network error: the name server's, not the endpoint's.
  const isDns = cause.syscall === 'getaddrinfo' || cause.syscall?.startsWith('query')
  if (isDns || cause.code === 'ENOTFOUND') return { failure: 'dns', reason }
  // undici's parser errors have no code.
  const code = cause.code ?? cause.name ?? ''
  const found = kinds.find(([, pattern]) => pattern.test(code))
  return { failure: found?.[0] ?? 'network', reason }
}

/** Several addresses tried in vain come as one AggregateError; the first stands for all. */
function innermost(error: unknown): { name?: string; message: string; code?: string; syscall?: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0])
  return error instanceof Error ? error : new Error(String(error))
}
