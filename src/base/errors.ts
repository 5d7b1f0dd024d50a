/**
 * Every error a caller can act on: its code, which never changes, its HTTP status, and its meaning for the documentation.
 * `retry`: whether the same request may succeed later. `example`: a message that comes with it. Messages are for people and
 * may change.
 */
export const errorCodes = {
  bad_request: {
    status: 400,
    retry: false,
    meaning:
      'The body cannot be read: malformed, a name given twice, a value that is not text, or a charset other than UTF-8.',
    example: 'body: amount is given twice',
  },
  missing_parameter: {
    status: 400,
    retry: false,
    meaning: 'A required parameter is missing.',
    example: 'orderid: missing',
  },
  bad_parameter: {
    status: 400,
    retry: false,
    meaning: 'A parameter has the wrong form.',
    example: 'localusermark: 1 to 64 characters, no control characters',
  },
  bad_amount: {
    status: 400,
    retry: false,
    meaning: 'The amount is not decimal USDT above 0 with at most 6 decimals.',
    example: 'amount: at most 6 decimals, got "1.0000001"',
  },
  bad_notify_url: {
    status: 400,
    retry: false,
    meaning: 'Callbacks may not be sent to this URL.',
    example: 'notify_url must be https',
  },
  bad_return_url: {
    status: 400,
    retry: false,
    meaning: 'The page for payers cannot lead back to this URL.',
    example: 'return_url must be an http or https URL',
  },
  notify_url_required: {
    status: 400,
    retry: false,
    meaning: 'Neither the request nor the merchant has a URL for callbacks.',
    example: 'notify_url: missing, and the merchant has no default URL',
  },
  address_not_assigned: {
    status: 400,
    retry: false,
    meaning: "The address is not one of this user's that this order may use.",
    example:
      "address: must be this user's base address, the address of this orderid, or one imported for this user",
  },
  bad_sign: {
    status: 401,
    retry: false,
    meaning: 'The signature is missing or wrong, or the appid is unknown.',
    example: 'sign: missing or wrong, or appid: unknown',
  },
  stale_timestamp: {
    status: 401,
    retry: false,
    meaning: '`t` differs from our clock by more than 300 s.',
    example: 't: must be within 300 s of our clock, which shows 1662299838, got 1662290000',
  },
  nonce_reused: {
    status: 401,
    retry: false,
    meaning: 'The nonce was used before, by another request.',
    example: 'nonce: used before within ten minutes',
  },
  timestamp_required: {
    status: 401,
    retry: false,
    meaning: 'This call needs `t` and `nonce`.',
    example: 't and nonce: required here',
  },
  client_not_allowed: {
    status: 403,
    retry: false,
    meaning: 'The call does not come from an address the merchant allows.',
    example: "203.0.113.7 is not on the merchant's list of allowed clients",
  },
  merchant_disabled: {
    status: 403,
    retry: false,
    meaning: 'The merchant has been disabled by the operator.',
    example: 'this merchant is disabled',
  },
  order_not_found: {
    status: 404,
    retry: false,
    meaning: 'The merchant has no such order.',
    example: 'orderid: you have no such order',
  },
  user_not_found: {
    status: 404,
    retry: false,
    meaning: 'The user has no address yet.',
    example: 'localusermark: this user has no address',
  },
  not_found: {
    status: 404,
    retry: false,
    meaning: 'There is nothing at this path for this method.',
    example: 'no endpoint has this path and method; all endpoints are POST',
  },
  orderid_conflict: {
    status: 409,
    retry: false,
    meaning: 'The orderid belongs to an order with other parameters. The message names them.',
    example: 'orderid: used before with another amount',
  },
  too_large: {
    status: 413,
    retry: false,
    meaning: 'The body is longer than 16 KiB.',
    example: 'body: at most 16 KiB',
  },
  unsupported_media_type: {
    status: 415,
    retry: false,
    meaning: 'The body is neither JSON nor form-encoded.',
    example: 'content-type: application/json or application/x-www-form-urlencoded',
  },
  rate_limited: {
    status: 429,
    retry: true,
    meaning: 'Too many requests. Retry-After says when to try again.',
    example: 'more than 600 requests in a minute',
  },
  not_ready: {
    status: 503,
    retry: true,
    meaning: 'The gateway does not follow the chain yet.',
    example: 'the gateway has not begun to follow the chain: try again',
  },
  unavailable: {
    status: 503,
    retry: true,
    meaning:
      'The outcome is unknown, or the database cannot be reached. Send exactly the same request again.',
    example: 'temporarily unavailable: try the same request again',
  },
  internal: {
    status: 500,
    retry: true,
    meaning: 'An error in the gateway. It is safe to send the same request again.',
    example: 'internal error',
  },
} as const

export type ErrorCode = keyof typeof errorCodes

/** An error the caller of the API can act on. The message names what is wrong and what would be right. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  /** Seconds after which to try again, for the codes with `retry`. */
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

/** A mistake of the operator's: a setting, an argument, a database of another network. The process exits with 2. */
export class UsageError extends Error {
  readonly problems: readonly string[]

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === 'string' ? [problems] : problems
    super(list.join('\n'))
    this.name = 'UsageError'
    this.problems = list
  }
}
