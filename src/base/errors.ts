/**
 * The one table of what a caller can act on: the code, which never changes, and its HTTP status.
 * `retry`: whether the same request may be answered otherwise later.
 */
export const errorCodes = {
  bad_request: { status: 400, retry: false },
  missing_parameter: { status: 400, retry: false },
  bad_parameter: { status: 400, retry: false },
  bad_amount: { status: 400, retry: false },
  bad_notify_url: { status: 400, retry: false },
  notify_url_required: { status: 400, retry: false },
  address_not_assigned: { status: 400, retry: false },
  bad_sign: { status: 401, retry: false },
  stale_timestamp: { status: 401, retry: false },
  nonce_reused: { status: 401, retry: false },
  timestamp_required: { status: 401, retry: false },
  client_not_allowed: { status: 403, retry: false },
  merchant_disabled: { status: 403, retry: false },
  order_not_found: { status: 404, retry: false },
  user_not_found: { status: 404, retry: false },
  not_found: { status: 404, retry: false },
  orderid_conflict: { status: 409, retry: false },
  too_large: { status: 413, retry: false },
  unsupported_media_type: { status: 415, retry: false },
  rate_limited: { status: 429, retry: true },
  not_ready: { status: 503, retry: true },
  unavailable: { status: 503, retry: true },
  internal: { status: 500, retry: true },
} as const

export type ErrorCode = keyof typeof errorCodes

/** Something the caller of the API can act on. The message names the offender and what would have been right. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  /** Seconds after which asking again makes sense, for the codes that say so. */
  readonly retryAfterS: number | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryAfterS?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GatewayError'
    this.code = code
    this.retryAfterS = options.retryAfterS
  }

  get status(): number {
    return errorCodes[this.code].status
  }
}

/** What the operator gave us is wrong: a setting, an argument, a database of another network. Ends the process with 2. */
export class UsageError extends Error {
  readonly problems: readonly string[]

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === 'string' ? [problems] : problems
    super(list.join('\n'))
    this.name = 'UsageError'
    this.problems = list
  }
}
